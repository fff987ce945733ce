{{ config(materialized='scoped', strategy='merge_current') }}
{#- A record states all components of its observation: those of an older record are gone. -#}
{{ current_model('observation_component', {'is_deleted': 'case when ' ~ is_unlisted('observation_component') ~ ' then true else fold.is_deleted end'}) }}
