{#- One row for each order group (ORC and OBR) of a mapped order or result message: numbers, times, subject. Observations, reports and requests
    read it. An entity number without a registered authority keeps its namespace in the key, so that two numberings never meet. -#}
{{ config(told_by=['ORC', 'OBR']) }}
with orc as (
  select
    orc.unit_id, orc.order_group, orc.patient_group, orc.facility_id, orc.batch_date, orc.record_id, orc.record_locator, orc.orc_1_1, orc.orc_2_1,
    orc.orc_2_2, orc.orc_2_3, orc.orc_2_4, orc.orc_3_1, orc.orc_3_2, orc.orc_3_3, orc.orc_3_4, orc.orc_5_1, orc.orc_9_1, orc.orc_12_2,
    orc.orc_12_2_1, orc.orc_12_3
  from {{ source('raw', 'raw_hl7v2__orc') }} orc where {{ in_scope('orc') }}
),
obr as (
  select
    obr.unit_id, obr.order_group, obr.patient_group, obr.facility_id, obr.batch_date, obr.record_id, obr.record_locator, obr.obr_2_1, obr.obr_2_2,
    obr.obr_2_3, obr.obr_2_4, obr.obr_3_1, obr.obr_3_2, obr.obr_3_3, obr.obr_3_4, obr.obr_4_1, obr.obr_4_2, obr.obr_4_3, obr.obr_4_4, obr.obr_4_5,
    obr.obr_4_6, obr.obr_4_10, obr.obr_4_11, obr.obr_4_12,
    obr.obr_5_1, obr.obr_7_1, obr.obr_16_2, obr.obr_16_2_1, obr.obr_16_3, obr.obr_22_1, obr.obr_25_1, obr.obr_27_6, obr.obr_32_1_2,
    obr.obr_32_1_3
  from {{ source('raw', 'raw_hl7v2__obr') }} obr where {{ in_scope('obr') }}
),
grouped as (
  select orc.unit_id, orc.order_group, orc.facility_id, orc.batch_date from orc
  union
  select obr.unit_id, obr.order_group, obr.facility_id, obr.batch_date from obr
),
said as (
  select grouped.unit_id, grouped.order_group, grouped.facility_id, grouped.batch_date, subject.timezone, subject.record_id as subject_record_id, subject.kind,
    coalesce(obr.record_id, orc.record_id) as record_id, coalesce(obr.record_locator, orc.record_locator) as record_locator,
    case when obr.record_id is not null then 1 else 0 end as has_obr,
    {{ hl7_value('orc.orc_1_1') }} as order_control, {{ hl7_value('orc.orc_5_1') }} as order_status, orc.orc_9_1,
    {{ hl7_value('obr.obr_5_1') }} as obr_priority, {{ hl7_value('obr.obr_27_6') }} as timing_priority,
    obr.obr_4_1, obr.obr_4_2, obr.obr_4_3, obr.obr_4_4, obr.obr_4_5, obr.obr_4_6, obr.obr_4_10, obr.obr_4_11, obr.obr_4_12,
    obr.obr_7_1, obr.obr_22_1, {{ hl7_value('obr.obr_25_1') }} as report_status,
    {{ person_display('orc.orc_12') }} as ordered_by, {{ person_display('obr.obr_16') }} as requested_by,
    {{ hl7_value('obr.obr_32_1_3') }} as interpreter_given, {{ hl7_value('obr.obr_32_1_2') }} as interpreter_family,
    coalesce({{ hl7_value('orc.orc_2_1') }}, {{ hl7_value('obr.obr_2_1') }}) as placer_value,
    case when {{ hl7_value('orc.orc_2_1') }} is not null then orc.orc_2_2 else obr.obr_2_2 end as placer_namespace,
    case when {{ hl7_value('orc.orc_2_1') }} is not null then {{ hd_uri('orc.orc_2_3', 'orc.orc_2_4') }} else {{ hd_uri('obr.obr_2_3', 'obr.obr_2_4') }} end
      as placer_uri,
    coalesce({{ hl7_value('obr.obr_3_1') }}, {{ hl7_value('orc.orc_3_1') }}) as filler_value,
    case when {{ hl7_value('obr.obr_3_1') }} is not null then obr.obr_3_2 else orc.orc_3_2 end as filler_namespace,
    case when {{ hl7_value('obr.obr_3_1') }} is not null then {{ hd_uri('obr.obr_3_3', 'obr.obr_3_4') }} else {{ hd_uri('orc.orc_3_3', 'orc.orc_3_4') }} end
      as filler_uri
  from grouped
  left join obr on obr.unit_id = grouped.unit_id and obr.order_group = grouped.order_group
  left join orc on orc.unit_id = grouped.unit_id and orc.order_group = grouped.order_group
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = grouped.unit_id and subject.patient_group = coalesce(obr.patient_group, orc.patient_group)
  where subject.kind in ('order', 'result') and subject.patient_key is not null
),
{{ hl7_times('effective', 'said', 'obr_7_1') }},
{{ hl7_times('issued', 'said', 'obr_22_1') }},
{{ hl7_times('ordered', 'said', 'orc_9_1') }},
numbered as (
  select said.unit_id, said.order_group, said.facility_id, said.batch_date, said.timezone, said.subject_record_id, said.kind, said.record_id, said.record_locator,
    said.has_obr, said.order_control, said.order_status, said.obr_priority, said.timing_priority, said.report_status,
    said.obr_4_1, said.obr_4_2, said.obr_4_3, said.obr_4_4, said.obr_4_5, said.obr_4_6, said.obr_4_10, said.obr_4_11, said.obr_4_12, said.obr_7_1,
    coalesce(said.ordered_by, said.requested_by) as requester_display,
    nullif(trim(coalesce(said.interpreter_given, '') || ' ' || coalesce(said.interpreter_family, '')), '') as interpreter_display,
    said.placer_value, coalesce(placer.system, said.placer_uri) as placer_system, coalesce(placer.system, said.placer_uri, said.placer_namespace) as placer_numbering,
    said.filler_value, coalesce(filler.system, said.filler_uri) as filler_system, coalesce(filler.system, said.filler_uri, said.filler_namespace) as filler_numbering,
    effective.value as effective_datetime, effective.local_day as effective_day, issued.value as issued, issued.moment as issued_at, issued.local_day as issued_day,
    ordered.value as ordered, ordered.moment as ordered_at, ordered.local_day as ordered_day,
    {{ time_reject(['effective', 'issued', 'ordered']) }} as reject_code,
    {{ flag_list(time_flags(['effective', 'issued', 'ordered'])) }} as time_flags
  from said
  {{ hl7_time_join('effective', 'said.timezone', 'said.obr_7_1') }}
  {{ hl7_time_join('issued', 'said.timezone', 'said.obr_22_1') }}
  {{ hl7_time_join('ordered', 'said.timezone', 'said.orc_9_1') }}
  left join {{ source('ref', 'authority') }} placer on {{ in_force('placer', 'said') }} and placer.namespace = said.placer_namespace
  left join {{ source('ref', 'authority') }} filler on {{ in_force('filler', 'said') }} and filler.namespace = said.filler_namespace
),
keyed as (
  select numbered.unit_id, numbered.order_group, numbered.record_id, numbered.record_locator, subject.delivery_id, subject.payload_id, subject.facility_id,
    subject.batch_date, subject.received_time, subject.source, subject.source_order, subject.timezone, subject.kind, subject.patient_key, subject.encounter_key,
    subject.visit_value,
    case when numbered.kind = 'order' then coalesce(numbered.ordered_at, subject.sent_at, subject.received_time)
      else coalesce(numbered.issued_at, subject.sent_at, subject.received_time) end as source_time,
    numbered.has_obr, numbered.order_control, numbered.order_status, numbered.obr_priority, numbered.timing_priority, numbered.report_status,
    numbered.obr_4_1, numbered.obr_4_2, numbered.obr_4_3, numbered.obr_4_4, numbered.obr_4_5, numbered.obr_4_6,
    numbered.obr_4_10, numbered.obr_4_11, numbered.obr_4_12, numbered.requester_display, numbered.interpreter_display,
    numbered.placer_value, numbered.placer_system, numbered.placer_numbering, numbered.filler_value, numbered.filler_system,
    {#- What the results of a group hang on: the filler's number, else the placer's, else who, what and when. -#}
    case when numbered.filler_value is not null then numbered.filler_numbering when numbered.placer_value is not null then 'placer ' || coalesce(numbered.placer_numbering, '')
      else 'unnumbered' end as result_numbering,
    coalesce(numbered.filler_value, numbered.placer_value,
      subject.patient_key || ' ' || coalesce(numbered.obr_4_1, numbered.obr_4_2, '') || ' ' || coalesce(numbered.obr_7_1, '')) as result_number,
    numbered.effective_datetime, numbered.effective_day, numbered.issued, numbered.issued_day, numbered.ordered, numbered.ordered_day,
    numbered.reject_code, numbered.time_flags
  from numbered
  join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = numbered.subject_record_id
)
select keyed.unit_id, keyed.order_group, keyed.record_id, keyed.record_locator, keyed.delivery_id, keyed.payload_id, keyed.facility_id,
  keyed.batch_date, keyed.received_time, keyed.source, keyed.source_order, keyed.timezone, keyed.kind, keyed.patient_key,
  keyed.encounter_key, keyed.visit_value, keyed.source_time, keyed.has_obr, keyed.order_control, keyed.order_status, keyed.obr_priority,
  keyed.timing_priority, keyed.report_status, keyed.obr_4_1, keyed.obr_4_2, keyed.obr_4_3, keyed.obr_4_4, keyed.obr_4_5, keyed.obr_4_6,
  keyed.obr_4_10, keyed.obr_4_11, keyed.obr_4_12,
  keyed.requester_display, keyed.interpreter_display, keyed.placer_value, keyed.placer_system, keyed.placer_numbering, keyed.filler_value,
  keyed.filler_system, keyed.result_numbering, keyed.result_number, keyed.effective_datetime, keyed.effective_day, keyed.issued,
  keyed.issued_day, keyed.ordered, keyed.ordered_day, keyed.reject_code, keyed.time_flags,
  {#- Groups of one message under the same number share their observations' keys. -#}
  min(keyed.order_group) over (partition by keyed.unit_id, keyed.result_numbering, keyed.result_number) as result_group
from keyed
