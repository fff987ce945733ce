{#- Resources that are accounted for by a rule instead of a fact: messages about the export itself, and types outside the model; and those that leave out
    what US Core requires. -#}
select sent.unit_id, sent.facility_id, sent.batch_date,
  case when sent.resource_type = 'OperationOutcome' then 'fhir.operation_outcome' else 'fhir.unsupported_resource_type' end as reason,
  'ignore' as reason_kind
from {{ source('raw', 'raw_fhir__resource') }} sent
where sent.resource_type not in {{ text_list(fhir_resources() | list) }} and {{ in_scope('sent') }}
union all
select distinct gap.unit_id, gap.facility_id, gap.batch_date, 'fhir.us_core_incomplete', 'flag'
from {{ ref('stg_fhir__us_core_gap') }} gap
