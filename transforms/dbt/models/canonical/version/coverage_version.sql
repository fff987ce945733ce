{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('coverage', ['stg_hl7v2__coverage', 'stg_fhir__coverage', 'stg_extract__coverage']) }}
