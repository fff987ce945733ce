{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('imaging_statement') }}
