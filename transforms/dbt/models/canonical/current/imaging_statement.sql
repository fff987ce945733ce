{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('imaging_statement') }}
