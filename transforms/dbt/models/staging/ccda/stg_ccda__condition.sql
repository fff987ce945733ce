{#- One row for each problem observation (template 4.4): its value is the problem. Negated: refuted. The clinical status is that of a closed problem where an
    end is stated, else of its concern (C-CDA on FHIR, problems). -#}
select
  {{ staging_select('condition', ccda_columns({
    'clinical_status': "case when said.is_negated then null when said.end_text is not null then 'resolved' when said.concern_status in ('aborted', 'suspended') then 'inactive' "
      ~ "when said.concern_status = 'completed' then 'resolved' else 'active' end",
    'verification_status': "case when said.is_negated then 'refuted' else 'confirmed' end",
    'onset_datetime': 'said.start_text', 'abatement_datetime': 'said.end_text'})) }}
{{ ccda_from('condition', 'value') }}
