{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('medication_administration') }}
