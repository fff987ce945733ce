{{ config(materialized='scoped', strategy='replace_scope', log_key='rival_key') }}
{#- What a unit claims for itself alone: under one key only one content may stand. A broken or test interchange claims nothing. -#}
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, said.unit_ordinal, said.received_time,
  1 as level, 'x12.duplicate_control_number' as reason,
  {{ md5_key(['said.facility_id', "'x12.duplicate_control_number'", 'said.isa_05', 'said.isa_06', 'said.isa_07', 'said.isa_08', 'said.isa_13']) }} as rival_key,
  said.interchange_hash as rival_content
from {{ source('raw', 'raw_x12__unit') }} said
join {{ source('raw', 'raw_unit') }} judged on judged.unit_id = said.unit_id and coalesce(judged.reject_code, '') <> 'x12.missing_trailer'
where said.isa_15 <> 'T' and {{ in_scope('said') }} and {{ in_scope('judged') }}
union all
select said.unit_id, said.facility_id, said.batch_date, said.delivery_id, said.unit_ordinal, said.received_time,
  2, 'x12.payment_conflict',
  {{ md5_key(['said.facility_id', "'x12.payment_conflict'", 'paid.payer', 'paid.trace_number']) }}, said.set_hash
from {{ source('raw', 'raw_x12__unit') }} said
join {{ source('raw', 'raw_unit') }} judged on judged.unit_id = said.unit_id and judged.reject_code is null
join {{ ref('stg_x12__remittance') }} paid on paid.delivery_id = said.delivery_id and paid.set_ordinal = said.set_ordinal and paid.reject_code is null
where said.isa_15 <> 'T' and {{ in_scope('said') }} and {{ in_scope('judged') }}
