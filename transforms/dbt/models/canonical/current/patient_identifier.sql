{{ config(materialized='scoped', strategy='merge_current') }}
{#- A FHIR record states all its identifiers: one that the newest leaves out is no longer the patient's. -#}
{{ current_model('patient_identifier', {'is_deleted': 'case when fold.id is not null and ' ~ is_unlisted('patient_identifier') ~ ' then true else fold.is_deleted end'}) }}
