{{ config(materialized='scoped', strategy='merge_current') }}
{{ current_model('document_reference') }}
