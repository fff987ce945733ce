{{ config(materialized='scoped', strategy='replace_slices', mart='mart_daily_census') }}
-- depends_on: {{ ref('touch_mart_daily_census') }}
with slice as (
  select rebuild.facility_id, rebuild.service_date from {{ slices_to_rebuild('mart_daily_census') }} rebuild
),
present as (
  select slice.facility_id, slice.service_date, stay.class_code, coalesce(stay.location_point_of_care, 'unknown') as location_point_of_care,
    stay.fact_key, stay.service_end_date
  from slice
  join {{ ref('facility_newest_batch') }} newest on newest.facility_id = slice.facility_id
  join {{ ref('encounter') }} stay on stay.facility_id = slice.facility_id
    and {{ is_inpatient_stay('stay') }} and {{ is_present('stay', 'slice.service_date', 'newest.newest_batch_date') }}
)
select present.facility_id, present.service_date, present.class_code, present.location_point_of_care,
  count(present.fact_key) as inpatients,
  count(case when present.service_end_date is null then present.fact_key end) as open_stays
from present
group by present.facility_id, present.service_date, present.class_code, present.location_point_of_care
