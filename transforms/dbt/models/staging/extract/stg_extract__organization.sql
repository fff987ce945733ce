{%- set texts = ['name'] -%}
{%- set coded = ['type_code'] -%}
with {{ extract_record('organization', texts, coded=coded) }}
select
  {{ staging_select('organization', extract_columns('organization', {
    'name': 'record.name', 'type_code': 'record.type_code'}, texts + coded, flags=[[is_unmapped('type_code'), 'code.unmapped_local']]), full_record=false) }}
from record
