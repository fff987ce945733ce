{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('condition', ['stg_hl7v2__condition', 'stg_fhir__condition', 'stg_extract__condition']) }}
