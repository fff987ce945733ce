{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('payment_reconciliation_detail') }}
