{#- One row for each medication activity (template 4.16): its consumable is the medication. Negated: not to be given. -#}
select
  {{ staging_select('medication_request', ccda_columns({
    'status': "case said.status_code when 'active' then 'active' when 'completed' then 'completed' when 'aborted' then 'stopped' when 'suspended' then 'on-hold' "
      ~ "when 'cancelled' then 'cancelled' when 'nullified' then 'entered-in-error' when 'new' then 'draft' else 'unknown' end",
    'medication_code_code': 'coded.code', 'medication_code_system': 'coded.system', 'medication_text': 'coded.text', 'medication_local_code': 'coded.local_code',
    'do_not_perform': 'said.is_negated', 'dosage_period_start': 'said.start_text', 'dosage_period_end': 'said.end_text'})) }}
{{ ccda_from('medication_request', 'material') }}
