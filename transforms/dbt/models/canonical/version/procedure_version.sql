{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('procedure', ['stg_hl7v2__procedure', 'stg_fhir__procedure', 'stg_extract__procedure']) }}
