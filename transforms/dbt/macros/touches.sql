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

{#- All that any record ever said in some columns about a fact, restated records included: what the current row said before a change
    is among it. Facts are those of the relation `keys`, which bounds the read. -#}
{% macro ever_said(resource, columns, keys) -%}
(
  {%- for relation in [ref(resource ~ '_version'), restated_relation(ref(resource ~ '_version'))] %}
  select said.fact_key{% for column in columns %}, said.{{ column }}{% endfor %} from {{ relation }} said
  where said.fact_key in (select {{ keys }}.fact_key from {{ keys }})
  {{ 'union' if not loop.last }}
  {%- endfor %}
)
{%- endmacro %}

{#- Patient keys whose survivor or person may have changed, with the partition that caused it: a link speaks for its record and for the
    keys that lead to it, a moved survivor for the key that was moved. -#}
{% macro regrouped_patients(mart) -%}
(
  with change as (
    select changed.object, changed.fact_key, changed.facility_id, changed.batch_date
    from {{ unseen_changes(mart, ['link', 'patient_survivor']) }} changed
  )
  select change.fact_key as patient_key, change.facility_id as by_facility_id, change.batch_date as by_batch_date from change
  union
  select person.patient_key, change.facility_id, change.batch_date
  from change join {{ ref('patient_person') }} person on person.survivor_key = change.fact_key and change.object = 'link'
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
