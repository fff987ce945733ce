{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('observation_component') }}
