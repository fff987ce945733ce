{#- The name of a location is its point of care, which encounters refer to by display. -#}
with {{ fhir_record('Location', {'status': ['status'], 'name': ['name'], 'physical_type': ['physicalType', 'coding', 0, 'code']}) }}
select
  {{ staging_select('location', fhir_columns({
    'name': 'record.name',
    'location_point_of_care': "case when coalesce(record.physical_type, 'wa') not in ('ro', 'bd') then record.name end",
  }, references=[])) }}
{{ fhir_from([]) }}
