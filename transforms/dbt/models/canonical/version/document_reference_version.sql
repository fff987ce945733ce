{{ config(materialized='scoped', strategy='merge_version') }}
{{ version_model('document_reference') }}
