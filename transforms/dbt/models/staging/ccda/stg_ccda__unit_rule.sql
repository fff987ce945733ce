{#- Units accounted for by a rule instead of a fact: sections that are narrative alone, and entries outside the canonical model. -#}
with fact as (
  select distinct said.unit_id from {{ ref('stg_ccda__statement') }} said
)
select entry.unit_id, entry.facility_id, entry.batch_date,
  case when entry.kind = 'section' then 'ccda.narrative_only_section' else 'fhir.unsupported_resource_type' end as reason, 'ignore' as reason_kind
from {{ source('raw', 'raw_ccda__entry') }} entry
left join fact on fact.unit_id = entry.unit_id
where entry.kind <> 'nonXMLBody' and fact.unit_id is null and {{ in_scope('entry') }}
