{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('diagnostic_report', ['stg_hl7v2__diagnostic_report', 'stg_fhir__diagnostic_report', 'stg_extract__diagnostic_report']) }}
