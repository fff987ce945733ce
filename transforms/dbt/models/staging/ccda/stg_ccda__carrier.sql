{#- One row for each document: the unit that carries what its header says. By-products share the fate of their unit, so it is the first one that is read;
    a document of which nothing is read says nothing. -#}
with readable as (
  select unit.delivery_id, unit.unit_id, unit.unit_ordinal
  from {{ source('raw', 'raw_unit') }} unit
  where {{ in_scope('unit') }} and unit.reject_code is null
    and exists (select 1 from {{ ref('stg_ccda__statement') }} said where said.unit_id = unit.unit_id and said.reject_code is null)
),
first_readable as (
  select readable.delivery_id, readable.unit_id, row_number() over (partition by readable.delivery_id order by readable.unit_ordinal) as place from readable
)
select document.delivery_id, coalesce(first_readable.unit_id, document.unit_id) as unit_id
from {{ source('raw', 'raw_ccda__document') }} document
left join first_readable on first_readable.delivery_id = document.delivery_id and first_readable.place = 1
where {{ in_scope('document') }}
