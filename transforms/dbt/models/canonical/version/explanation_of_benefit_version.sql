{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('explanation_of_benefit') }}
