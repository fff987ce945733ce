{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('service_request') }}
