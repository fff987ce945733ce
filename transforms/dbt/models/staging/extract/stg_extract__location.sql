{%- set texts = ['name', 'location_point_of_care'] -%}
{%- set coded = ['status'] -%}
with {{ extract_record('location', texts, coded=coded) }}
select
  {{ staging_select('location', extract_columns('location', {
    'status': 'record.status', 'name': 'record.name', 'location_point_of_care': 'record.location_point_of_care',
  }, texts + coded, flags=[[is_unmapped('status'), 'code.unmapped_local']]), full_record=false) }}
from record
