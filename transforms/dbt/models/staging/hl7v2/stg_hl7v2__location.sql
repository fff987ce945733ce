{#- One row for each point of care (PV1-3.1) that a partition's visit messages name (by-product); the newest naming of each batch date. -#}
{{ config(told_by=['PV1']) }}
with refused as (
  select distinct rule.unit_id from {{ ref('stg_hl7v2__unit_rule') }} rule where rule.reason_kind <> 'flag'
),
named as (
  select pv1.record_id, pv1.record_locator, {{ hl7_first('pv1.pv1_3_1') }} as point_of_care, subject.record_id as subject_record_id,
    row_number() over (partition by subject.facility_id, subject.batch_date, {{ hl7_first('pv1.pv1_3_1') }}
      order by subject.source_time desc nulls last, subject.source_order desc nulls last, pv1.record_id) as place
  from {{ source('raw', 'raw_hl7v2__pv1') }} pv1
  join {{ ref('stg_hl7v2__subject') }} subject on subject.visit_record_id = pv1.record_id and subject.kind = 'visit'
  left join refused on refused.unit_id = pv1.unit_id
  where {{ in_scope('pv1') }} and {{ hl7_first('pv1.pv1_3_1') }} is not null and refused.unit_id is null
)
select
  {{ staging_select('location', hl7_header('subject', 'named', {
    'fact_key': fact_key('location', 'subject.facility_id', ['null', 'named.point_of_care']), 'identifier_value': 'named.point_of_care',
    'name': 'named.point_of_care', 'location_point_of_care': 'named.point_of_care'}), full_record=false) }}
from named
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = named.subject_record_id
where named.place = 1
