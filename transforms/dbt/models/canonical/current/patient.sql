{{ config(materialized='scoped', strategy='merge_current') }}
{#- A record that a trusted merge (HL7 v2 A40) replaced stays, inactive, whatever a later message under its number says. -#}
{% set replaced %}exists (select 1 from {{ ref('patient_link') }} link
    where link.subject_key = fold.fact_key and link.type = 'replaced-by' and link.is_deleted = false){% endset %}
{#- A number that was wrong (A47) never was another patient: its record is gone, whatever a later message under it says. -#}
{% set renamed %}exists (select 1 from {{ ref('patient_link') }} link
    where link.subject_key = fold.fact_key and link.type = 'renamed-to' and link.is_deleted = false){% endset %}
{{ current_model('patient', {'active': 'case when ' ~ replaced ~ ' then false else fold.active end',
                             'is_deleted': 'case when ' ~ renamed ~ ' then true else fold.is_deleted end'}) }}
