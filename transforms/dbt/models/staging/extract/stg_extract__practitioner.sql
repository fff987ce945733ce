{%- set texts = ['name_family', 'name_given'] -%}
with {{ extract_record('practitioner', texts, by_identifier=true) }}
select
  {{ staging_select('practitioner', extract_columns('practitioner', {
    'name_family': 'record.name_family', 'name_given': 'record.name_given'}, texts), full_record=false) }}
from record
