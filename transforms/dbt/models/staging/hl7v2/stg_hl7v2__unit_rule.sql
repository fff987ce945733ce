{#- Rules on whole messages: at most one reason to quarantine or ignore, of the outermost level that fails, and any flags. -#}
with subject_count as (
  select subject.unit_id, count(*) as subjects, sum(case when subject.patient_key is null then 1 else 0 end) as unidentified,
    sum(case when subject.kind in ('visit', 'visit_deleted') and subject.visit_value is null then 1 else 0 end) as without_visit,
    sum(case when subject.visit_value is not null and subject.visit_system is null then 1 else 0 end) as unknown_visit_authority
  from {{ ref('stg_hl7v2__subject') }} subject
  group by subject.unit_id
),
prior_patient as (
  select distinct identifier.unit_id from {{ ref('stg_hl7v2__identifier') }} identifier
  where identifier.segment_name = 'mrg' and identifier.place = 1
),
order_count as (
  select orders.unit_id, sum(orders.has_obr) as requests, count(*) as orders from {{ ref('stg_hl7v2__order') }} orders group by orders.unit_id
),
judged as (
  select message.unit_id, message.facility_id, message.batch_date, message.reason, message.reason_kind, message.time_flags,
    case when coalesce(subject_count.subjects, 0) < case when message.kind in ('link', 'unlink') then 2 else 1 end then 'hl7.missing_pid'
      when subject_count.unidentified > 0 then 'hl7.missing_patient_id'
      when message.kind in ('merge', 'rename') and prior_patient.unit_id is null then 'hl7.missing_patient_id'
      when message.kind = 'result' and coalesce(order_count.requests, 0) = 0 then 'hl7.truncated_message'
      when message.kind = 'order' and coalesce(order_count.orders, 0) = 0 then 'hl7.truncated_message' end as content_reason,
    subject_count.without_visit, subject_count.unknown_visit_authority
  from {{ ref('stg_hl7v2__message') }} message
  left join subject_count on subject_count.unit_id = message.unit_id
  left join prior_patient on prior_patient.unit_id = message.unit_id
  left join order_count on order_count.unit_id = message.unit_id
)
select judged.unit_id, judged.facility_id, judged.batch_date, coalesce(judged.reason, judged.content_reason) as reason,
  coalesce(judged.reason_kind, 'quarantine') as reason_kind
from judged where coalesce(judged.reason, judged.content_reason) is not null
union all
select judged.unit_id, judged.facility_id, judged.batch_date, judged.time_flags as reason, 'flag' as reason_kind
from judged where judged.time_flags is not null
union all
select judged.unit_id, judged.facility_id, judged.batch_date, 'identity.missing_visit_number' as reason, 'flag' as reason_kind
from judged where judged.without_visit > 0
union all
select judged.unit_id, judged.facility_id, judged.batch_date, 'identity.unknown_authority' as reason, 'flag' as reason_kind
from judged where judged.unknown_visit_authority > 0
