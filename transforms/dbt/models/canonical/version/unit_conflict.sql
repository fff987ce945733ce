{{ config(materialized='scoped', strategy='merge_conflict') }}
{#- Units that are held because another content stands under a key that they claim: that of the unit received first; of two payments under one trace
    number that of the 835 sent first (GS04, GS05, then ISA13), in whatever order they come. -#}
-- depends_on: {{ ref('unit') }}
{%- for resource in stagings() %}
-- depends_on: {{ ref(resource ~ '_version') }}
{%- endfor %}
with claimed as (
  select rival.unit_id, rival.facility_id, rival.batch_date, rival.delivery_id, rival.unit_ordinal, rival.received_time, rival.level, rival.reason,
    rival.rival_key, coalesce(merged.survivor_key, rival.rival_content) as rival_content, sent.gs_04 || coalesce(sent.gs_05, '') as sent_at, sent.isa_13
  from {{ ref('unit_rival') }} rival
  left join {{ source('raw', 'raw_x12__unit') }} sent on sent.unit_id = rival.unit_id and rival.reason = 'x12.payment_conflict'
  {#- Patients that were merged since are one claimant. #}
  left join {{ ref('merged_patient') }} merged on merged.patient_key = rival.rival_content and rival.reason in ('identity.visit_patient_conflict', 'dicom.study_patient_conflict')
  where rival.rival_key in ({{ changed_rivals() }})
),
ranked as (
  select rival.unit_id, rival.facility_id, rival.batch_date, rival.level, rival.reason, rival.rival_key, rival.rival_content,
    first_value(rival.rival_content) over (partition by rival.rival_key
      order by rival.sent_at nulls last, rival.isa_13 nulls last, rival.received_time, rival.batch_date, rival.delivery_id, rival.unit_ordinal rows between unbounded preceding and current row) as standing_content
  from claimed rival
)
select ranked.unit_id, ranked.facility_id, ranked.batch_date, ranked.level, ranked.reason, ranked.rival_key
from ranked where ranked.rival_content <> ranked.standing_content
