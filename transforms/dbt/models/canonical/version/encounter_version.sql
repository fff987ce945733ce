{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('encounter', ['stg_hl7v2__encounter', 'stg_fhir__encounter', 'stg_extract__encounter']) }}
