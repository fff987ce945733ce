{{ config(materialized='scoped', strategy='append_touches', mart='mart_daily_census') }}
{#- A changed stay reaches each of its days before and after, an open one up to the facility's newest batch date. When that date
    advances, the days that it adds are reached by every stay that is present on them; the newest batch date that touched the facility
    before says which days those are. -#}
with encounter_change as (
  select changed.fact_key, changed.facility_id, changed.batch_date, changed.old_from, changed.old_to, changed.new_from, changed.new_to
  from {{ unseen_changes('mart_daily_census', ['encounter']) }} changed
),
stay_change as (
  select encounter_change.facility_id, encounter_change.batch_date, encounter_change.old_from, encounter_change.old_to,
    encounter_change.new_from, encounter_change.new_to
  from encounter_change
  where encounter_change.fact_key in (
    select said.fact_key from {{ ever_said('encounter', ['class_code'], 'encounter_change') }} said where {{ is_inpatient('said') }})
),
seen as (
  select touched.by_facility_id as facility_id, max(touched.by_batch_date) as newest_batch_date
  from {{ source('control', 'touched_slice') }} touched
  where touched.mart = 'mart_daily_census'
  group by touched.by_facility_id
),
advance as (
  select newest.facility_id, newest.newest_batch_date, {{ next_day('seen.newest_batch_date') }} as first_new_day
  from {{ ref('facility_newest_batch') }} newest
  left join seen on seen.facility_id = newest.facility_id
  where seen.newest_batch_date is null or seen.newest_batch_date < newest.newest_batch_date
),
{#- First day and the day after the last; no end: goes on. -#}
stretch as (
  select stay_change.facility_id, stay_change.old_from as first_day, stay_change.old_to as end_day, stay_change.batch_date as by_batch_date
  from stay_change
  union
  select stay_change.facility_id, stay_change.new_from, stay_change.new_to, stay_change.batch_date
  from stay_change
  union
  select stay.facility_id,
    case when stay.service_date < advance.first_new_day then advance.first_new_day else stay.service_date end,
    stay.service_end_date, advance.newest_batch_date
  from advance
  join {{ ref('encounter') }} stay on stay.facility_id = advance.facility_id and {{ is_inpatient_stay('stay') }}
  where stay.service_end_date is null or advance.first_new_day is null or stay.service_end_date > advance.first_new_day
),
bounded as (
  select stretch.facility_id, stretch.first_day, stretch.by_batch_date,
    case when stretch.end_day <= newest.newest_batch_date then {{ previous_day('stretch.end_day') }} else newest.newest_batch_date end as last_day
  from stretch
  join {{ ref('facility_newest_batch') }} newest on newest.facility_id = stretch.facility_id
  where stretch.first_day is not null
),
{#- Counted back from the last day: of a stay longer than the 89 years of offsets the oldest days are given up, not the newest. -#}
days_back as (
  select cast(series.generated_number as integer) - 1 as offset_days from ({{ dbt.generate_series(32768) }}) series
)
select distinct bounded.facility_id,
  cast({{ dbt.dateadd('day', '-days_back.offset_days', 'bounded.last_day') }} as date) as service_date,
  bounded.facility_id as by_facility_id, bounded.by_batch_date
from bounded
join days_back on days_back.offset_days <= {{ dbt.datediff('bounded.first_day', 'bounded.last_day', 'day') }}
