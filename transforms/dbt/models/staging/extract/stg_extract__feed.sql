{#- One row a delivered file: what its feed is, what counts as null in it, and whether its header keeps the contract. -#}
with file as (
  select bound.delivery_id, bound.facility_id, bound.batch_date, bound.source, bound.source_table, bound.kind, bound.resource,
    count(distinct case when bound.is_contracted = 1 then bound.column_name end) as columns_found,
    max(case when bound.is_contracted = 0 and bound.is_control = 0 then 1 else 0 end) as has_added_column
  from {{ ref('stg_extract__column') }} bound
  group by bound.delivery_id, bound.facility_id, bound.batch_date, bound.source, bound.source_table, bound.kind, bound.resource
),
wanted as (
  select file.delivery_id, count(*) as columns_wanted
  from file
  join {{ source('ref', 'source_column') }} contract on {{ in_force('contract', 'file') }} and contract.source = file.source
  group by file.delivery_id
),
marker as (
  select file.delivery_id, null_marker.marker
  from file
  join {{ source('ref', 'null_marker') }} null_marker on {{ in_force('null_marker', 'file') }} and null_marker.source = file.source
  union
  select file.delivery_id, feed.null_value
  from file
  join {{ source('ref', 'source') }} feed on {{ in_force('feed', 'file') }} and feed.source = file.source and feed.null_value is not null
),
markers as (
  select marker.delivery_id,
    {{ marker_separator() }} || {{ dbt.listagg('marker.marker', marker_separator(), 'order by marker.marker') }} || {{ marker_separator() }} as markers
  from marker group by marker.delivery_id
)
select file.delivery_id, file.facility_id, file.batch_date, file.source, file.source_table, file.kind, file.resource,
  facility.timezone, facility.default_system, coalesce(markers.markers, '') as markers,
  case when file.columns_found < wanted.columns_wanted then 1 else 0 end as has_missing_column, file.has_added_column
from file
join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'file') }}
join wanted on wanted.delivery_id = file.delivery_id
left join markers on markers.delivery_id = file.delivery_id
