{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('medication_administration') }}
