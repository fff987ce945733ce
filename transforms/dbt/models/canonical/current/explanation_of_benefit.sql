{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('explanation_of_benefit') }}
