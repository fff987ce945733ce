{{ config(materialized='scoped', strategy='replace_scope') }}
{#- What FHIR resources refer to besides their patient, anywhere in them (R4 s2.28): a type and id for relative references and absolute ones
    below the facility's own base, the text for any other server. References inside the resource (`#…`), to an entry of the same Bundle by
    its fullUrl, and conditional or logical ones are left out. -#}
with holding as (
  select sent.unit_id, sent.delivery_id, sent.facility_id, sent.batch_date, {{ json_parse('sent.resource') }} as document
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where contains(sent.resource, '"reference"') and sent.is_deleted = false and {{ in_scope('sent') }}
),
said as (
  select distinct holding.unit_id, holding.delivery_id, holding.facility_id, holding.batch_date, {{ member_text('one') }} as reference
  from holding{{ unnest_members('one', 'holding.document', 'reference') }}
  where {{ is_member('one', 'reference') }}
),
part as (
  select said.unit_id, said.delivery_id, said.facility_id, said.batch_date, said.reference,
    {{ regexp_first('said.reference', '[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}(/_history/[A-Za-z0-9.-]{1,64})?$') }} as local_part
  from said
  where left(said.reference, 1) <> '#' and position('?' in said.reference) = 0
),
based as (
  select part.unit_id, part.delivery_id, part.facility_id, part.batch_date, part.reference, part.local_part,
    left(part.reference, length(part.reference) - length(part.local_part)) as base
  from part
)
select distinct based.unit_id, based.facility_id, based.batch_date,
  case when based.base = '' or own_base.base_url is not null then split_part(based.local_part, '/', 1) else 'elsewhere' end as target_type,
  case when based.base = '' or own_base.base_url is not null then split_part(based.local_part, '/', 2) else based.reference end as target_id
from based
left join {{ source('ref', 'fhir_base_url') }} own_base on {{ in_force('own_base', 'based') }} and own_base.base_url || '/' = based.base
left join {{ ref('stg_fhir__resource_key') }} entry_key on entry_key.delivery_id = based.delivery_id and entry_key.full_url = based.reference
where entry_key.record_id is null and coalesce(split_part(based.local_part, '/', 1), '') <> 'Patient'
