{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('practitioner', ['stg_hl7v2__practitioner', 'stg_fhir__practitioner', 'stg_extract__practitioner']) }}
