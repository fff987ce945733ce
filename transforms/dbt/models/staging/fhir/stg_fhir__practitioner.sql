with {{ fhir_record('Practitioner', {'name_family': ['name', 0, 'family'], 'name_text': ['name', 0, 'text'], 'name': ['name']}) }}
select
  {{ staging_select('practitioner', fhir_columns({
    'name_family': 'coalesce(record.name_family, record.name_text)',
    'name_given': json_joined(json_parse(list_element(json_texts(json_parse('record.name'), [[0]]), 1)), 'given', ' '),
  }, references=[], status=none)) }}
{{ fhir_from([]) }}
