{#- Strategy `merge_survivor`: where patient keys lead, derived whole where one of the tables that it reads (config `consumes`) changed, and
    else left as it is: the analyst's copy holds survivors that its masked identifiers could not lead to anew. Keys that lead elsewhere than before go to the change log
    as object `patient_survivor`, with the survivor before and after as subjects. Any of several records may have moved a key (a merge, an
    identifier, a record that appeared), so the cause named is the survivor's facility and the newest of its partitions in the run. -#}
{% macro scoped_merge_survivor_sql(target, staged, columns) %}
  {%- set news -%}
    exists (select 1 from {{ source('control', 'change_log') }} change_log
            where change_log.object in ('{{ config.require('consumes') | join("', '") }}') and {{ unseen('patient_survivor') }})
  {%- endset -%}
  {%- set dml -%}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date, old_subject_key, new_subject_key)
    select {{ run_seq() }}, 'patient_survivor', moved.patient_key, survivor.facility_id, cause.batch_date, moved.old_key, moved.new_key
    from (
      select coalesce(was.patient_key, becomes.patient_key) as patient_key, was.survivor_key as old_key, becomes.survivor_key as new_key
      from {{ target }} was
      full outer join {{ staged }} becomes on becomes.patient_key = was.patient_key
      where coalesce(was.survivor_key, '') <> coalesce(becomes.survivor_key, '') and {{ news }}
    ) moved
    left join {{ ref('patient') }} survivor on survivor.fact_key = coalesce(moved.new_key, moved.old_key)
    left join (
      select run_scope.facility_id, max(run_scope.batch_date) as batch_date
      from {{ source('control', 'run_scope') }} run_scope
      where run_scope.run_id = {{ run_id() }}
      group by run_scope.facility_id
    ) cause on cause.facility_id = survivor.facility_id;
    delete from {{ target }}
    where not exists (select 1 from {{ staged }} same
                      where same.patient_key = {{ target }}.patient_key and same.survivor_key = {{ target }}.survivor_key)
      and {{ news }};
    {{ insert_rows(target, columns, staged) }}
    where not exists (select 1 from {{ target }} same where same.patient_key = staged.patient_key) and {{ news }};
    {{ move_watermark('patient_survivor') }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Place of a link among those that lead on from one patient: a record that was merged twice went to where the newest message says. -#}
{% macro newest_road(links) -%}
  row_number() over (partition by {{ links }}.subject_key
    order by {{ links }}.source_time desc nulls last, {{ links }}.source_order desc nulls last, {{ links }}.other_key)
{%- endmacro %}

{#- Where every patient key of a list of links (patient_key, next_key; a CTE of `with recursive`) leads in the end. A chain is
    followed 20 steps at most, so that a ring of wrong merges ends. -#}
{% macro ends_of_links(links) -%}
walk as (
  select {{ links }}.patient_key, {{ links }}.next_key, 1 as steps from {{ links }}
  union all
  select walk.patient_key, {{ links }}.next_key, walk.steps + 1
  from walk join {{ links }} on {{ links }}.patient_key = walk.next_key
  where walk.steps < 20
),
reached as (
  select walk.patient_key, walk.next_key,
    row_number() over (partition by walk.patient_key order by walk.steps desc nulls last, walk.next_key) as recency
  from walk
)
select patient_key, next_key as survivor_key from reached where recency = 1
{%- endmacro %}
