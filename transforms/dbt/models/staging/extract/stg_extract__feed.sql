{#- One row a delivered file: what its feed is, and what counts as null in it. -#}
with file as (
  select distinct bound.delivery_id, bound.facility_id, bound.batch_date, bound.source, bound.source_table, bound.kind, bound.resource
  from {{ ref('stg_extract__column') }} bound
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
  facility.timezone, facility.default_system, coalesce(markers.markers, '') as markers
from file
join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'file') }}
left join markers on markers.delivery_id = file.delivery_id
