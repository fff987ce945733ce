with {{ fhir_record('Organization', {'name': ['name'], 'type': ['type']}) }},
{{ fhir_concepts({'type': {'maps': ['organization_type'], 'kind': 'organization_type'}}) }}
select
  {{ staging_select('organization', fhir_columns({
    'name': 'record.name', 'type_code': 'type_concept.code',
  }, references=[], concepts=['type'], status=none)) }}
{{ fhir_from([], ['type']) }}
