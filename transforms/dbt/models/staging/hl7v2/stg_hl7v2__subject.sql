{#- One row for each PID of a mapped message: the patient and the visit that the segments of its group speak of. -#}
with visit_said as (
  select pv1.record_id, pv1.record_locator, pv1.unit_id, pv1.facility_id, pv1.batch_date, pv1.patient_group,
    coalesce({{ hl7_value('pv1.pv1_19_1') }}, {{ hl7_value('pv1.pv1_50_1') }}) as value,
    case when {{ hl7_value('pv1.pv1_19_1') }} is not null then pv1.pv1_19_4 else pv1.pv1_50_4 end as authority,
    case when {{ hl7_value('pv1.pv1_19_1') }} is not null then case when pv1.pv1_19_4_2 is null then coalesce(pv1.pv1_19_4_1, pv1.pv1_19_4) else pv1.pv1_19_4_1 end
      else case when pv1.pv1_50_4_2 is null then coalesce(pv1.pv1_50_4_1, pv1.pv1_50_4) else pv1.pv1_50_4_1 end end as namespace,
    case when {{ hl7_value('pv1.pv1_19_1') }} is not null then {{ hd_uri('pv1.pv1_19_4_2', 'pv1.pv1_19_4_3') }}
      else {{ hd_uri('pv1.pv1_50_4_2', 'pv1.pv1_50_4_3') }} end as own_uri,
    row_number() over (partition by pv1.unit_id, pv1.patient_group order by pv1.segment_ordinal) as place
  from {{ source('raw', 'raw_hl7v2__pv1') }} pv1
  where {{ in_scope('pv1') }}
),
visit as (
  select visit_said.record_id, visit_said.record_locator, visit_said.unit_id, visit_said.patient_group, visit_said.value,
    {{ hl7_value('visit_said.authority') }} as authority, visit_said.namespace, coalesce(named.system, visit_said.own_uri) as system
  from visit_said
  left join {{ source('ref', 'authority') }} named on {{ in_force('named', 'visit_said') }} and named.namespace = visit_said.namespace
  where visit_said.place = 1
),
said as (
  select pid.record_id, pid.record_locator, pid.patient_group, message.unit_id, message.delivery_id, message.payload_id, message.facility_id, message.batch_date,
    message.received_time, message.source, message.source_time, message.source_order, message.sent_at, message.timezone, message.default_system,
    message.kind, message.event, message.status_event, message.clears_end, message.is_adt,
    chosen.system as patient_system, chosen.numbering as patient_numbering, chosen.value as patient_value,
    visit.record_id as visit_record_id, visit.record_locator as visit_record_locator, visit.value as visit_value,
    case when visit.value is not null then case when visit.authority is null then message.default_system else visit.system end end as visit_system,
    case when visit.value is not null then case when visit.authority is null then message.default_system else coalesce(visit.system, visit.namespace) end end
      as visit_numbering
  from {{ source('raw', 'raw_hl7v2__pid') }} pid
  join {{ ref('stg_hl7v2__message') }} message on message.unit_id = pid.unit_id and message.reason is null
  left join {{ ref('stg_hl7v2__identifier') }} chosen on chosen.unit_id = pid.unit_id and chosen.patient_group = pid.patient_group
    and chosen.segment_name = 'pid' and chosen.place = 1
  left join visit on visit.unit_id = pid.unit_id and visit.patient_group = pid.patient_group
  where {{ in_scope('pid') }}
)
select said.record_id, said.record_locator, said.patient_group, said.unit_id, said.delivery_id, said.payload_id, said.facility_id, said.batch_date,
  said.received_time, said.source, said.source_time, said.source_order, said.sent_at, said.timezone, said.default_system,
  said.kind, said.event, said.status_event, said.clears_end, said.is_adt,
  said.patient_system, said.patient_numbering, said.patient_value, said.visit_record_id, said.visit_record_locator, said.visit_system, said.visit_numbering,
  said.visit_value,
  case when said.patient_value is not null then {{ patient_key('said.facility_id', 'said.patient_numbering', 'said.patient_value') }} end as patient_key,
  case when said.visit_value is not null then {{ encounter_key('said.facility_id', 'said.visit_numbering', 'said.visit_value') }} end as encounter_key
from said
