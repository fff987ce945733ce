{{ config(materialized='scoped', strategy='merge_current') }}
{#- Status after the fold: cancelled until opened again (HL7 v2.5.1 s3.3.11), else what the record states, else finished once the end
    is known, else by class (v2-to-FHIR table PatientClass[EncounterStatus]). -#}
{{ current_model('encounter', {'status': "case when fold.status_event = 'cancelled' then 'cancelled'
    when fold.status_stated is not null then fold.status_stated
    when fold.status_event = 'finished' or fold.period_end is not null then 'finished'
    when fold.class_code = 'PRENC' then 'planned'
    else 'in-progress' end"}) }}
