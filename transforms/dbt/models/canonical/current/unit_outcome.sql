{{ config(materialized='scoped', strategy='merge_outcome') }}
{#- What became of each unit, given all units received so far: never a matter of arrival order. Derived again for every unit, of any
    partition, that shares a changed fact, a changed content or an awaited reference. -#}
with change as (
  select change_log.object, change_log.fact_key
  from {{ source('control', 'change_log') }} change_log
  where {{ unseen('unit_outcome') }}
),
affected_key as (
  select distinct fact_key from change where object like '%_version'
  union
  select distinct waiting.fact_key from {{ ref('unit_fact') }} waiting
  join change on change.object in ('patient', 'patient_survivor') and change.fact_key = waiting.awaits_key
),
{#- A source row may have moved from one fact to another, and its older units are judged with the newer. -#}
affected_outcome as (
  select distinct fact.outcome_key from {{ ref('unit_fact') }} fact join affected_key on affected_key.fact_key = fact.fact_key
  {%- for resource in row_keyed_resources() %}
  union
  select distinct gone.row_key from {{ restated_relation(ref(resource ~ '_version')) }} gone
  join affected_key on affected_key.fact_key = gone.fact_key where gone.row_key is not null
  {%- endfor %}
),
affected_hash as (
  select distinct fact_key as content_hash from change where object = 'unit'
  union
  select distinct unit.content_hash from {{ ref('unit_fact') }} fact
  join affected_outcome on affected_outcome.outcome_key = fact.outcome_key
  join {{ ref('unit') }} unit on unit.unit_id = fact.unit_id
),
{#- A partition may be held for several causes. -#}
held as (
  select distinct cause.facility_id, cause.batch_date from {{ source('control', 'held_partition') }} cause where cause.is_released = false
),
{#- Of the claims that a unit loses, the one at the outermost level. -#}
conflict as (
  select lost.unit_id, lost.reason, row_number() over (partition by lost.unit_id order by lost.level, lost.reason) as place
  from {{ ref('unit_conflict') }} lost
),
{#- Of equal units one that may be published goes first: a claim that comes again rightly is no copy of one that was held. Few contents come
    twice, and only theirs are sorted. -#}
twin_content as (
  select unit.facility_id, unit.unit_kind, unit.record_type, unit.content_hash
  from {{ ref('unit') }} unit
  join affected_hash on affected_hash.content_hash = unit.content_hash
  group by unit.facility_id, unit.unit_kind, unit.record_type, unit.content_hash
  having count(*) > 1
),
twin as (
  select unit.unit_id,
    row_number() over (partition by unit.facility_id, unit.unit_kind, unit.record_type, unit.content_hash
      order by case when held.facility_id is null and conflict.unit_id is null and unit.own_reason is null then 0 else 1 end,
        unit.source_time, unit.batch_date, unit.delivery_id, unit.unit_ordinal) as place
  from {{ ref('unit') }} unit
  join twin_content on twin_content.facility_id = unit.facility_id and twin_content.unit_kind = unit.unit_kind
    and twin_content.record_type = unit.record_type and twin_content.content_hash = unit.content_hash
  left join held on held.facility_id = unit.facility_id and held.batch_date = unit.batch_date
  left join conflict on conflict.unit_id = unit.unit_id and conflict.place = 1
),
affected as (
  select unit.unit_id, unit.facility_id, unit.batch_date, unit.delivery_id, unit.unit_ordinal, unit.source, unit.unit_kind, unit.record_type,
    unit.content_hash, unit.own_reason, unit.own_reason_kind, unit.amount, held.facility_id as held_facility_id, conflict.reason as conflict_reason,
    coalesce(twin.place, 1) as place
  from {{ ref('unit') }} unit
  join affected_hash on affected_hash.content_hash = unit.content_hash
  left join held on held.facility_id = unit.facility_id and held.batch_date = unit.batch_date
  left join conflict on conflict.unit_id = unit.unit_id and conflict.place = 1
  left join twin on twin.unit_id = unit.unit_id
),
{#- All facts of every key of the affected units. Most keys have one fact, which stands alone: only histories of several are sorted. -#}
key_of_affected as (
  select distinct fact.resource, fact.outcome_key
  from {{ ref('unit_fact') }} fact join affected on affected.unit_id = fact.unit_id
),
fact_of_key as (
  select fact.resource, fact.outcome_key, fact.unit_id, fact.awaits_key
  from {{ ref('unit_fact') }} fact
  join key_of_affected on key_of_affected.resource = fact.resource and key_of_affected.outcome_key = fact.outcome_key
),
history as (
  select fact.resource, fact.outcome_key from fact_of_key fact group by fact.resource, fact.outcome_key having count(*) > 1
),
fact as (
  select fact.resource, fact.unit_id, fact.outcome_key, fact.maintains, fact.source, fact.source_time, fact.source_order, fact.row_hash,
    fact.batch_date, fact.delivery_id, fact.record_locator, fact.record_id, unit.content_hash, unit.unit_kind,
    case when held.facility_id is not null or conflict.unit_id is not null then 1 else 0 end as is_held,
    case when fact.awaits_key is not null and known.patient_key is null then 1 else 0 end as is_waiting,
    {# A copy of an earlier unit never supersedes it, whatever new message time it bears. #}
    dense_rank() over (partition by fact.resource, fact.outcome_key, unit.content_hash
      order by case when held.facility_id is null and conflict.unit_id is null then 0 else 1 end,
        unit.source_time, unit.batch_date, unit.delivery_id, unit.unit_ordinal) as copy
  from {{ ref('unit_fact') }} fact
  join history on history.resource = fact.resource and history.outcome_key = fact.outcome_key
  join {{ ref('unit') }} unit on unit.unit_id = fact.unit_id
  left join held on held.facility_id = fact.facility_id and held.batch_date = fact.batch_date
  left join conflict on conflict.unit_id = fact.unit_id and conflict.place = 1
  left join {{ ref('known_patient') }} known on known.patient_key = fact.awaits_key
),
ordered as (
  select fact.resource, fact.unit_id, fact.outcome_key, fact.maintains, fact.source_order, fact.row_hash, fact.batch_date, fact.delivery_id,
    fact.record_locator, fact.record_id, fact.content_hash, fact.unit_kind, fact.is_held, fact.is_waiting, {{ order_time('fact', ['resource', 'outcome_key']) }} as order_time
  from fact
  where fact.copy = 1 or fact.unit_kind = 'cdc.row'
),
neighboured as (
  select fact.resource, fact.unit_id, fact.outcome_key, fact.maintains, fact.source_order, fact.row_hash, fact.batch_date, fact.delivery_id,
    fact.record_locator, fact.record_id, fact.content_hash, fact.unit_kind, fact.is_held, fact.is_waiting, fact.order_time,
    lag(fact.content_hash) over (partition by fact.resource, fact.outcome_key
      order by fact.order_time, fact.source_order, fact.content_hash, fact.batch_date, fact.delivery_id, fact.record_locator, fact.record_id
    ) as content_before
  from ordered fact
),
repeating as (
  select fact.resource, fact.unit_id, fact.outcome_key, fact.maintains, fact.source_order, fact.row_hash, fact.batch_date, fact.delivery_id,
    fact.record_locator, fact.record_id, fact.is_held, fact.is_waiting, fact.order_time,
    case when fact.unit_kind = 'cdc.row' and fact.content_before = fact.content_hash then 1 else 0 end as repeats_change
  from neighboured fact
),
{#- A change that repeats the one before it is no newer state: of equal neighbours the first stands. -#}
ranked as (
  select fact.unit_id, fact.is_held, fact.is_waiting, fact.repeats_change,
    row_number() over (partition by fact.resource, fact.outcome_key, fact.is_held, fact.is_waiting, fact.repeats_change
      order by {{ newest_first('fact') }}) as recency
  from repeating fact
),
standing_fact as (
  select ranked.unit_id, ranked.is_held, ranked.is_waiting, ranked.repeats_change, ranked.recency from ranked
  union all
  select affected.unit_id, case when affected.held_facility_id is not null or affected.conflict_reason is not null then 1 else 0 end,
    case when fact.awaits_key is not null and known.patient_key is null then 1 else 0 end, 0, 1
  from fact_of_key fact
  join affected on affected.unit_id = fact.unit_id
  left join history on history.resource = fact.resource and history.outcome_key = fact.outcome_key
  left join {{ ref('known_patient') }} known on known.patient_key = fact.awaits_key
  where history.outcome_key is null
),
standing as (
  select fact.unit_id,
    max(case when fact.is_held = 0 and fact.is_waiting = 0 and fact.repeats_change = 0 and fact.recency = 1 then 1 else 0 end) as has_current_fact,
    max(case when fact.is_held = 0 and fact.is_waiting = 0 then 1 else 0 end) as has_published_fact,
    max(fact.is_waiting) as is_waiting,
    min(fact.repeats_change) as repeats_change
  from standing_fact fact
  group by fact.unit_id
),
judged as (
  select affected.unit_id, affected.facility_id, affected.batch_date, affected.delivery_id, affected.source, affected.unit_kind,
    affected.record_type, affected.content_hash, affected.amount,
    case
      when affected.unit_kind <> 'cdc.row' and affected.place > 1 then 'duplicate'
      when affected.unit_kind = 'cdc.row' and standing.repeats_change = 1 then 'duplicate'
      when affected.unit_kind = 'cdc.row' and standing.unit_id is null and affected.place > 1 then 'duplicate'
      when affected.conflict_reason is not null or affected.own_reason_kind = 'quarantine' then 'quarantined'
      when affected.own_reason_kind = 'ignore' then 'ignored_by_rule'
      when affected.held_facility_id is not null then 'quarantined'
      when standing.has_current_fact = 1 then 'canonical'
      when standing.has_published_fact = 1 then 'superseded'
      when standing.is_waiting = 1 then 'quarantined'
    end as outcome,
    case
      when affected.conflict_reason is not null then affected.conflict_reason
      when affected.own_reason is not null then affected.own_reason
      when affected.held_facility_id is not null then 'partition.held'
      when standing.has_published_fact = 0 and standing.is_waiting = 1 then 'fhir.unresolved_reference'
    end as reason
  from affected
  left join standing on standing.unit_id = affected.unit_id
)
select judged.unit_id, judged.facility_id, judged.batch_date, judged.delivery_id, judged.source, judged.unit_kind, judged.record_type,
  judged.content_hash, judged.outcome, judged.reason, judged.amount,
  {{ md5_key(['judged.facility_id', 'judged.batch_date', 'judged.content_hash', 'judged.outcome', 'judged.reason']) }} as outcome_hash
from judged
