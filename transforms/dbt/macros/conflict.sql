{#- Strategy `merge_conflict`: units that lose a claim. Where that changes, everything that the unit said is logged as changed, so that current
    tables and outcomes derive it again. -#}
{#- Keys whose claimants may stand otherwise than before: claims that came or went, and those of patients that were merged or whose merge was
    taken back. -#}
{% macro changed_rivals() -%}
  select change_log.fact_key from {{ source('control', 'change_log') }} change_log
  where change_log.object = 'unit_rival' and {{ unseen('unit_conflict') }}
  union
  select rival.rival_key
  from {{ source('control', 'change_log') }} change_log
  join (
    select said.fact_key, said.subject_key, said.other_key from {{ ref('patient_link_version') }} said
    union
    select gone.fact_key, gone.subject_key, gone.other_key from {{ restated_relation(ref('patient_link_version')) }} gone
  ) link on link.fact_key = change_log.fact_key
  left join {{ ref('merged_patient') }} merged on merged.survivor_key in (link.subject_key, link.other_key)
  join {{ ref('unit_rival') }} rival
    on rival.reason in ('identity.visit_patient_conflict', 'dicom.study_patient_conflict') and rival.rival_content in (link.subject_key, link.other_key, merged.patient_key)
  where change_log.object = 'patient_link_version' and {{ unseen('unit_conflict') }}
{%- endmacro %}

{% macro scoped_merge_conflict_sql(target, staged, columns) %}
  {%- set moved -%}
    select was.unit_id from {{ target }} was
    where was.rival_key in ({{ changed_rivals() }})
      and not exists (select 1 from {{ staged }} same where same.unit_id = was.unit_id and same.rival_key = was.rival_key)
    union
    select becomes.unit_id from {{ staged }} becomes
    where not exists (select 1 from {{ target }} same where same.unit_id = becomes.unit_id and same.rival_key = becomes.rival_key)
  {%- endset -%}
  {%- set dml -%}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date)
    with moved as ({{ moved }})
    select {{ run_seq() }}, 'unit', unit.content_hash, unit.facility_id, unit.batch_date
    from {{ ref('unit') }} unit join moved on moved.unit_id = unit.unit_id
    {%- for resource in stagings() %}
    union
    select {{ run_seq() }}, '{{ resource }}_version', said.fact_key, said.facility_id, said.batch_date
    from {{ ref(resource ~ '_version') }} said join moved on moved.unit_id = said.unit_id
    {%- endfor %};
    delete from {{ target }} where {{ target }}.rival_key in ({{ changed_rivals() }});
    {{ insert_rows(target, columns, staged) }};
    {{ move_watermark('unit_conflict') }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
