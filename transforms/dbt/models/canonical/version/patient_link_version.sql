{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('patient_link', ['stg_hl7v2__patient_link']) }}
