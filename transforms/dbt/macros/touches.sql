{#- The parts that touch models share. Each is a subquery over the change log above the model's own watermark. -#}

{#- Changes of the named objects that this mart's touch model has not seen. -#}
{% macro unseen_changes(mart, objects) -%}
(
  select change_log.object, change_log.fact_key, change_log.facility_id, change_log.batch_date, change_log.old_from, change_log.old_to,
    change_log.new_from, change_log.new_to, change_log.old_subject_key, change_log.new_subject_key
  from {{ source('control', 'change_log') }} change_log
  where change_log.object in ('{{ objects | join("', '") }}') and {{ unseen('touch_' ~ mart) }}
)
{%- endmacro %}

{#- All that any record ever said in one column about a fact, restated records included: what the current row said before a change
    is among it. Keys are those of the relation `keys`, which bounds the read. -#}
{% macro ever_said(resource, column, keys) -%}
(
  select said.fact_key, said.{{ column }} from {{ ref(resource ~ '_version') }} said
  where said.fact_key in (select {{ keys }}.fact_key from {{ keys }})
  union
  select said.fact_key, said.{{ column }} from {{ restated_relation(ref(resource ~ '_version')) }} said
  where said.fact_key in (select {{ keys }}.fact_key from {{ keys }})
)
{%- endmacro %}

{#- Patient records whose survivor or person may have changed, with the partition that caused it: a changed link speaks for the record
    and those merged into it; a changed merge for every record that it connects or connected. -#}
{% macro regrouped_patients(mart) -%}
(
  with change as (
    select changed.object, changed.fact_key, changed.facility_id, changed.batch_date, changed.old_subject_key, changed.new_subject_key
    from {{ unseen_changes(mart, ['link', 'patient_link']) }} changed
  ),
  merge_change as (
    select change.fact_key, change.facility_id, change.batch_date, change.old_subject_key, change.new_subject_key
    from change where change.object = 'patient_link'
  ),
  named as (
    select change.fact_key as patient_key, change.facility_id, change.batch_date from change where change.object = 'link'
    union
    select merge_change.old_subject_key, merge_change.facility_id, merge_change.batch_date from merge_change
    union
    select merge_change.new_subject_key, merge_change.facility_id, merge_change.batch_date from merge_change
    union
    select other.other_key, merge_change.facility_id, merge_change.batch_date
    from merge_change join {{ ever_said('patient_link', 'other_key', 'merge_change') }} other on other.fact_key = merge_change.fact_key
  ),
  rooted as (
    select named.patient_key, named.facility_id, named.batch_date from named
    union
    select person.survivor_key, named.facility_id, named.batch_date
    from named join {{ ref('patient_person') }} person on person.patient_key = named.patient_key
  )
  select rooted.patient_key, rooted.facility_id as by_facility_id, rooted.batch_date as by_batch_date from rooted
  where rooted.patient_key is not null
  union
  select person.patient_key, rooted.facility_id, rooted.batch_date
  from rooted join {{ ref('patient_person') }} person on person.survivor_key = rooted.patient_key
)
{%- endmacro %}

{#- Slice of a fact before and after its change, by its own start (`from`) or end (`to`) date. -#}
{% macro own_slices(changes, edge='from') -%}
(
  select {{ changes }}.facility_id, {{ changes }}.old_{{ edge }} as service_date, {{ changes }}.facility_id as by_facility_id,
    {{ changes }}.batch_date as by_batch_date
  from {{ changes }}
  union
  select {{ changes }}.facility_id, {{ changes }}.new_{{ edge }}, {{ changes }}.facility_id, {{ changes }}.batch_date
  from {{ changes }}
)
{%- endmacro %}
