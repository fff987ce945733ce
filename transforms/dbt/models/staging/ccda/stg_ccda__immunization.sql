{#- One row for each immunization activity (template 4.52): its consumable is the vaccine. Negated: not done; nor is one that was held, suspended or only
    planned (C-CDA on FHIR, immunization status). -#}
select
  {{ staging_select('immunization', ccda_columns({
    'status': "case when said.status_code = 'nullified' then 'entered-in-error' "
      ~ "when said.is_negated or said.status_code in ('aborted', 'cancelled', 'held', 'new', 'obsolete', 'suspended') then 'not-done' else 'completed' end",
    'vaccine_code_code': 'coded.code', 'vaccine_code_system': 'coded.system', 'vaccine_text': 'coded.text', 'vaccine_local_code': 'coded.local_code',
    'occurrence_datetime': 'said.start_text'})) }}
{{ ccda_from('immunization', 'material') }}
