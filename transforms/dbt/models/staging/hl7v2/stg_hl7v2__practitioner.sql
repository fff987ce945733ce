{#- One row for each practitioner that a partition's messages name (by-product): attending, referring, consulting and admitting doctor (PV1), who
    ordered (ORC-12, OBR-16). A thousand messages name the same one, so only the newest naming of each batch date is kept, of messages that
    are not refused as a whole. -#}
{{ config(told_by=['PV1', 'ORC', 'OBR']) }}
with said as (
  {%- for segment, fields in {'pv1': ['pv1_7', 'pv1_8', 'pv1_9', 'pv1_17'], 'orc': ['orc_12'], 'obr': ['obr_16']}.items() %}
  {%- set outer = loop %}
  {%- for field in fields %}
  {{ xcn_row(segment, field) }}
  {{ 'union all' if not (loop.last and outer.last) }}
  {%- endfor %}
  {%- endfor %}
),
refused as (
  select distinct rule.unit_id from {{ ref('stg_hl7v2__unit_rule') }} rule where rule.reason_kind <> 'flag'
),
named as (
  select said.record_id, said.record_locator, said.number, said.name_family, said.name_given, subject.record_id as subject_record_id,
    coalesce(authority.system, said.own_uri) as system,
    {{ practitioner_key('subject.facility_id', own_numbering('coalesce(authority.system, said.own_uri, said.namespace)', 'subject'), 'said.number') }} as practitioner_key,
    subject.facility_id, subject.batch_date, subject.source_time, subject.source_order
  from said
  join {{ ref('stg_hl7v2__subject') }} subject on subject.unit_id = said.unit_id and subject.patient_group = said.patient_group
  left join {{ source('ref', 'authority') }} authority on {{ in_force('authority', 'said') }} and authority.namespace = said.namespace
  left join refused on refused.unit_id = said.unit_id
  where refused.unit_id is null
),
newest as (
  select named.record_id, named.record_locator, named.subject_record_id, named.number, named.name_family, named.name_given, named.system, named.practitioner_key,
    row_number() over (partition by named.facility_id, named.batch_date, named.practitioner_key
      order by named.source_time desc nulls last, named.source_order desc nulls last, named.name_family nulls last, named.name_given nulls last, named.record_id) as place
  from named
)
select
  {{ staging_select('practitioner', hl7_header('subject', 'newest', {
    'fact_key': 'newest.practitioner_key', 'identifier_system': 'newest.system', 'identifier_value': 'newest.number',
    'name_family': 'newest.name_family', 'name_given': 'newest.name_given'}), full_record=false) }}
from newest
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = newest.subject_record_id
where newest.place = 1
