{#- One row for each problem observation (template 4.4): its value is the problem. Negated: refuted. -#}
select
  {{ staging_select('condition', ccda_columns({
    'clinical_status': 'case when not said.is_negated then ' ~ ccda_clinical_status() ~ ' end',
    'verification_status': "case when " ~ ccda_is_nullified() ~ " then 'entered-in-error' when said.is_negated then 'refuted' else 'confirmed' end",
    'onset_datetime': 'said.start_text', 'abatement_datetime': 'said.end_text'})) }}
{{ ccda_from('condition', 'value') }}
