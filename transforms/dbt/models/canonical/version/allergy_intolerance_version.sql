{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('allergy_intolerance', ['stg_fhir__allergy_intolerance']) }}
