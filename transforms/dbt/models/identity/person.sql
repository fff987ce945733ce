{{ config(materialized='scoped', strategy='merge_keys', consumer='person', key='person_id', changed='changed_persons', refills=['person'], tags=['mart']) }}
{#- The golden record: for each group of attributes the surviving value, the record it came from, when that record said it, and the rule by which it
    stands before the other records' values. Each group survives whole, so that no name or address is put together from two records. -#}
{%- set groups = {
  'name': ['name_family', 'name_given', 'name_suffix'],
  'address': ['address_line', 'address_city', 'address_state', 'address_postal_code'],
  'telecom_phone': ['telecom_phone'], 'telecom_email': ['telecom_email'],
  'birth_date': ['birth_date'], 'gender': ['gender'], 'deceased': ['deceased_datetime']} -%}
{%- set voted = ['birth_date', 'gender'] -%}
{%- set kept = ['person_id', 'patient_key', 'facility_id', 'is_active', 'source_time'] -%}
{%- for group, columns in groups.items() %}{%- do kept.append(group ~ '_worth') -%}{%- do kept.extend(columns) -%}{%- endfor -%}
with changed as (
  {{ changed_persons('person') }}
),
member as (
  select link.person_id, link.patient_key, link.facility_id, coalesce(patient.active, true) as is_active, patient.source_time,
    {#- a placeholder does not survive over a real value: the features are null where the source said UNKNOWN or 1900-01-01 -#}
    case when features.family is not null and features.given is not null then 2 when patient.name_family is not null then 1 else 0 end as name_worth,
    case when features.birth_precision = 'day' then 3 when features.birth_precision = 'month' then 2 when features.birth_precision = 'year' then 1
         else 0 end as birth_date_worth,
    case when features.gender is not null then 2 when patient.gender is not null then 1 else 0 end as gender_worth,
    case when features.phone is not null then 2 when patient.telecom_phone is not null then 1 else 0 end as telecom_phone_worth,
    case when features.email is not null then 2 when patient.telecom_email is not null then 1 else 0 end as telecom_email_worth,
    case when features.address_number is not null and features.postal_code is not null then 2
         when coalesce(patient.address_line, patient.address_city, patient.address_postal_code) is not null then 1 else 0 end as address_worth,
    case when patient.deceased_datetime is not null then 1 else 0 end as deceased_worth,
    features.birth_date as birth_date_feature, features.gender as gender_feature,
    {% for group, columns in groups.items() %}{{ prefixed(columns, 'patient') | join(', ') }}{{ ', ' if not loop.last }}{% endfor %}
  from {{ source('identity', 'link') }} link
  join changed on changed.person_id = link.person_id
  join {{ ref('patient') }} patient on patient.fact_key = link.patient_key and patient.is_deleted = false
  join {{ ref('patient_features') }} features on features.patient_key = link.patient_key
),
counted as (
  select {{ prefixed(kept, 'member') | join(', ') }},
    count(member.birth_date_feature) over (partition by member.person_id, member.birth_date_feature) as birth_date_votes,
    count(member.gender_feature) over (partition by member.person_id, member.gender_feature) as gender_votes
  from member
),
ranked as (
  select {{ prefixed(kept, 'counted') | join(', ') }},
    {%- for group in groups %}
    count(case when counted.{{ group }}_worth > 0 then 1 end) over (partition by counted.person_id) as {{ group }}_said,
    row_number() over (partition by counted.person_id order by counted.{{ group }}_worth desc nulls last,
      {{ 'counted.' ~ group ~ '_votes desc nulls last, ' if group in voted -}}
      {{- 'case when counted.is_active then 1 else 0 end desc nulls last, counted.source_time desc nulls last, counted.patient_key) as ' ~ group ~ '_rank' }}
      {{- ',' if not loop.last }}
    {%- endfor %}
  from counted
)
select ranked.person_id,
  count(*) as record_count,
  count(distinct ranked.facility_id) as facility_count,
  min(ranked.patient_key) as first_patient_key,
  max(ranked.source_time) as source_time,
  {%- for group, columns in groups.items() %}
  {%- for column in columns %}
  max(case when ranked.{{ group }}_rank = 1 then ranked.{{ column }} end) as {{ column }},
  {%- endfor %}
  max(case when ranked.{{ group }}_rank = 1 and ranked.{{ group }}_worth > 0 then ranked.patient_key end) as {{ group }}_patient_key,
  max(case when ranked.{{ group }}_rank = 1 and ranked.{{ group }}_worth > 0 then ranked.source_time end) as {{ group }}_source_time,
  max(case when ranked.{{ group }}_rank = 1 and ranked.{{ group }}_worth > 0
           then case when ranked.{{ group }}_said = 1 then 'only' else '{{ 'most_votes' if group in voted else 'newest' }}' end end) as {{ group }}_rule
  {{- ',' if not loop.last }}
  {%- endfor %}
from ranked
group by ranked.person_id
