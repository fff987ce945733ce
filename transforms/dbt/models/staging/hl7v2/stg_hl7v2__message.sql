{#- One row a message: what its header says, how it is to be read, and why it is not read where it is not. -#}
with event_recorded as (
  select evn.unit_id, evn.evn_1_1, evn.evn_2_1,
    row_number() over (partition by evn.unit_id order by evn.segment_ordinal) as place
  from {{ source('raw', 'raw_hl7v2__evn') }} evn
  where {{ in_scope('evn') }}
),
header as (
  select msh.record_id, msh.record_locator, msh.unit_id, msh.delivery_id, msh.payload_id, msh.facility_id, msh.batch_date, msh.received_time, msh.source,
    msh.msh_3_1, msh.msh_4_1, msh.msh_7_1, msh.msh_9_1, msh.msh_10_1, msh.msh_11_1,
    coalesce(msh.msh_9_2, event_recorded.evn_1_1) as event, event_recorded.evn_2_1,
    facility.timezone, facility.default_authority, facility.default_system
  from {{ source('raw', 'raw_hl7v2__msh') }} msh
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'msh') }}
  left join event_recorded on event_recorded.unit_id = msh.unit_id and event_recorded.place = 1
  where {{ in_scope('msh') }}
),
{{ hl7_times('sent', 'header', 'msh_7_1') }},
{{ hl7_times('recorded', 'header', 'evn_2_1') }},
read as (
  select header.record_id, header.record_locator, header.unit_id, header.delivery_id, header.payload_id, header.facility_id, header.batch_date,
    header.received_time, header.source, header.timezone, header.default_authority, header.default_system,
    header.msh_3_1, header.msh_4_1, header.msh_10_1, header.msh_11_1, header.msh_9_1 as message_type, header.event,
    coalesce(named.kind, typed.kind) as kind, named.status_event, coalesce(named.clears_end, false) as clears_end,
    sent.moment as sent_at, sent.value as sent,
    case when header.msh_9_1 = 'ADT' then recorded.moment end as recorded_at,
    {{ flag_list(time_flags(['sent', 'recorded'])) }} as time_flags,
    {{ time_reject(['sent', 'recorded']) }} as time_reject
  from header
  left join {{ ref('hl7_event') }} named on named.message_type = header.msh_9_1 and named.event = header.event
  left join {{ ref('hl7_event') }} typed on typed.message_type = header.msh_9_1 and typed.event = '*'
  {{ hl7_time_join('sent', 'header.timezone', 'header.msh_7_1') }}
  {{ hl7_time_join('recorded', 'header.timezone', 'header.evn_2_1') }}
)
select
  read.record_id, read.record_locator, read.unit_id, read.delivery_id, read.payload_id, read.facility_id, read.batch_date, read.received_time, read.source,
  read.timezone, read.default_authority, read.default_system, read.message_type, read.event, read.kind, read.status_event, read.clears_end,
  read.msh_3_1, read.msh_4_1, read.msh_10_1, read.sent_at, coalesce(read.recorded_at, read.sent_at, read.received_time) as source_time,
  coalesce(replace(read.sent, 'Z', ''), '') as source_order,
  read.kind in ('visit', 'visit_deleted', 'person', 'person_deleted', 'merge', 'rename', 'link', 'unlink') as is_adt,
  read.time_flags,
  {#- Outermost first: what the message is, whether it is meant for us, whether we know it, whether its own times can be read. -#}
  case when read.kind = 'acknowledgement' then 'hl7.acknowledgement'
    when read.msh_11_1 in ('T', 'D') then 'hl7.non_production'
    when read.kind = 'passthrough' then 'hl7.passthrough_event'
    when read.kind = 'account' then 'hl7.account_event'
    when read.kind is null then 'hl7.unknown_event'
    else read.time_reject end as reason,
  case when read.kind in ('acknowledgement', 'passthrough', 'account') or read.msh_11_1 in ('T', 'D') then 'ignore'
    when read.kind is null or read.time_reject is not null then 'quarantine' end as reason_kind
from read
