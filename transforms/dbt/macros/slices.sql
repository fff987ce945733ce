{#-
  Slices: a mart is held as facility x service date, and a run rebuilds whole slices only. `control.touched_slice` says which slices
  changed facts reach, `control.slice_state` which of those touches are already built in. Both move in the transaction that writes
  what they speak of: a crash, a hold or a partial selection leaves a slice pending, never lost.
-#}

{#- Slices that a mart builds in this run, as a subquery: those touched since they were last built, whoever touched them, and those
    that the run's partitions ever touched, so that asking for a partition again builds it again. A full refresh builds all. -#}
{% macro slices_to_rebuild(mart) -%}
(
  select touched.facility_id, touched.service_date
  from {{ source('control', 'touched_slice') }} touched
  left join {{ source('control', 'slice_state') }} state
    on state.mart = touched.mart and state.facility_id = touched.facility_id and state.service_date = touched.service_date
  left join {{ source('control', 'run_scope') }} run_scope
    on run_scope.run_id = {{ run_id() }} and run_scope.facility_id = touched.by_facility_id and run_scope.batch_date = touched.by_batch_date
  where touched.mart = '{{ mart }}'
    {%- if not flags.FULL_REFRESH %}
    and (state.built_seq is null or touched.run_seq > state.built_seq or run_scope.run_id is not null)
    {%- endif %}
  group by touched.facility_id, touched.service_date
)
{%- endmacro %}

{#- In the product's own runs a slice is judged before it replaces the published one: the model's rows stay in a candidate table, and
    who judges them publishes (`checks/slices.py`). An analyst's own dbt run, which nobody judges, publishes at once. -#}
{% macro slices_are_judged() %}{{ return(env_var('LAKEHOUSE_SLICES_ARE_JUDGED', 'no') == 'yes') }}{% endmacro %}
{% macro candidate_relation(target) %}
  {{ return(api.Relation.create(database=target.database, schema='staging', identifier='candidate_' ~ target.identifier | lower, type='table')) }}
{% endmacro %}

{#- Replaces the run's slices whole: one that came out empty leaves no row behind. Which slices those are is read again here, so
    `slice_state` must move after the delete and its update before its insert, which the pending condition still lets pass. -#}
{% macro scoped_replace_slices_sql(target, staged, columns) %}
  {%- set mart = config.require('mart') -%}
  {%- set state = source('control', 'slice_state') -%}
  {%- if slices_are_judged() -%}
    {%- set candidates = source('control', 'candidate_slice') -%}
    {{ return("delete from " ~ candidates ~ " where mart = '" ~ mart ~ "'; insert into " ~ candidates
              ~ " (mart, facility_id, service_date, run_seq) select '" ~ mart ~ "', slice.facility_id, slice.service_date, " ~ run_seq()
              ~ " from " ~ slices_to_rebuild(mart) ~ " slice") }}
  {%- endif -%}
  {%- set dml -%}
    delete from {{ target }}
    where (facility_id, service_date) in (select slice.facility_id, slice.service_date from {{ slices_to_rebuild(mart) }} slice);
    {{ insert_rows(target, columns, staged) }};
    update {{ state }} set built_seq = {{ run_seq() }}, published_seq = {{ run_seq() }}
    where mart = '{{ mart }}'
      and (facility_id, service_date) in (select slice.facility_id, slice.service_date from {{ slices_to_rebuild(mart) }} slice);
    insert into {{ state }} (mart, facility_id, service_date, built_seq, published_seq)
    select '{{ mart }}', slice.facility_id, slice.service_date, {{ run_seq() }}, {{ run_seq() }}
    from {{ slices_to_rebuild(mart) }} slice
    where not exists (select 1 from {{ state }} known where known.mart = '{{ mart }}'
                        and known.facility_id = slice.facility_id and known.service_date = slice.service_date)
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Appends the touches that a run derived and moves the touch model's watermark; the target table keeps the last run's touches.
    They count as made by this run, not by the run that logged the change: the slice may have been built in between. -#}
{% macro scoped_append_touches_sql(target, staged, columns) %}
  {%- set mart = config.require('mart') -%}
  {%- set dml -%}
    insert into {{ source('control', 'touched_slice') }} (mart, facility_id, service_date, by_facility_id, by_batch_date, run_seq)
    select '{{ mart }}', staged.facility_id, staged.service_date, staged.by_facility_id, staged.by_batch_date, {{ run_seq() }}
    from {{ staged }} staged;
    delete from {{ target }};
    {{ insert_rows(target, columns, staged) }};
    {{ move_watermark('touch_' ~ mart) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
