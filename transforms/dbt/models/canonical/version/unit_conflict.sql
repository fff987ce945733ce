{{ config(materialized='scoped', strategy='merge_conflict') }}
{#- Units that are held because another content stands under a key that they claim: that of the unit received first. -#}
-- depends_on: {{ ref('unit') }}
{%- for resource in stagings() %}
-- depends_on: {{ ref(resource ~ '_version') }}
{%- endfor %}
with claimed as (
  select rival.unit_id, rival.facility_id, rival.batch_date, rival.delivery_id, rival.unit_ordinal, rival.received_time, rival.level, rival.reason,
    rival.rival_key, coalesce(merged.survivor_key, rival.rival_content) as rival_content
  from {{ ref('unit_rival') }} rival
  {#- Patients that were merged since are one claimant. #}
  left join {{ ref('merged_patient') }} merged on merged.patient_key = rival.rival_content and rival.reason in ('identity.visit_patient_conflict', 'dicom.study_patient_conflict')
  where rival.rival_key in ({{ changed_rivals() }})
),
ranked as (
  select rival.unit_id, rival.facility_id, rival.batch_date, rival.level, rival.reason, rival.rival_key, rival.rival_content,
    first_value(rival.rival_content) over (partition by rival.rival_key
      order by rival.received_time, rival.batch_date, rival.delivery_id, rival.unit_ordinal rows between unbounded preceding and current row) as standing_content
  from claimed rival
)
select ranked.unit_id, ranked.facility_id, ranked.batch_date, ranked.level, ranked.reason, ranked.rival_key
from ranked where ranked.rival_content <> ranked.standing_content
