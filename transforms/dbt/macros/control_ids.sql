{#- Strategy `merge_reuse`: messages with a control id of the run's messages, judged again whatever partition they are of. -#}

{#- Control ids that the run's messages bear, and those of judged messages that are gone: facility, sender, id. -#}
{% macro control_ids() -%}
  select distinct msh.facility_id, coalesce(msh.msh_3_1, '') as msh_3_1, coalesce(msh.msh_4_1, '') as msh_4_1, msh.msh_10_1,
    {{ md5_key(['msh.facility_id', "coalesce(msh.msh_3_1, '')", "coalesce(msh.msh_4_1, '')", 'msh.msh_10_1']) }} as control_key
  from {{ source('raw', 'raw_hl7v2__msh') }} msh
  where {{ in_scope('msh') }} and msh.msh_10_1 is not null
{%- endmacro %}

{#- Days whose messages the run's may precede or follow closely: those of the run and 31 after. -#}
{% macro judged_days() -%}
  select min(run_scope.batch_date) as first_date, {{ day_plus('max(run_scope.batch_date)', 31) }} as last_date
  from {{ source('control', 'run_scope') }} run_scope where run_scope.run_id = {{ run_id() }}
{%- endmacro %}

{% macro scoped_merge_reuse_sql(target, staged, columns) %}
  {%- set dml -%}
    delete from {{ target }}
    where {{ target }}.control_key in (select asked.control_key from ({{ control_ids() }}) asked)
      and {{ target }}.batch_date >= (select judged.first_date from ({{ judged_days() }}) judged)
      and {{ target }}.batch_date <= (select judged.last_date from ({{ judged_days() }}) judged);
    delete from {{ target }} where not exists (select 1 from {{ ref('unit') }} unit where unit.unit_id = {{ target }}.unit_id);
    {{ insert_rows(target, columns, staged) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
