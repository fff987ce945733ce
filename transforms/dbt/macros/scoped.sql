{#-
  Materialization `scoped`: a table that is never rebuilt whole. The model's SQL gives the rows that this run may change; they are
  staged in a temporary table, then one strategy's statements change the target, its side tables, the change log and the
  watermark in ONE transaction. A table that is missing is created empty first, so that the first run takes the same road; one of an
  earlier version of the project gets the columns that it lacks (shape.sql).
  Strategies: `merge_version`, `merge_current`, `merge_outcome`, `replace_scope` (below), `merge_keys` (identity.sql),
  `replace_rules` (feature_rules.sql), `append_touches` and `replace_slices` (slices.sql): each is a macro `scoped_<strategy>_sql(target, staged, columns)` that returns
  DML statements separated by `;`, never DDL, which would commit on Snowflake.
  Where the run's partitions hold nothing yet, the strategies that replace them have nothing to compare: the rows go straight into the table.
-#}
{% materialization scoped, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set strategy = config.require('strategy') -%}
  {%- set is_candidate = strategy == 'replace_slices' and slices_are_judged() -%}
  {%- set staged = candidate_relation(target_relation) if is_candidate else make_temp_relation(target_relation) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- if existing is none -%}
    {%- call statement('create_empty') -%}
      {{ create_table_as(False, target_relation, 'select * from (' ~ sql ~ ') as no_rows where 1 = 0') }}
    {%- endcall -%}
  {%- endif -%}
  {%- if strategy == 'merge_version' -%}{%- do create_restated(target_relation) -%}{%- endif -%}
  {%- if existing is not none and not has_its_shape() -%}{%- do bring_to_shape(target_relation, sql) -%}{%- endif -%}
  {%- if is_candidate -%}{%- do drop_staged(staged) -%}{%- endif -%}
  {%- set names = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | map('lower') | list -%}
  {%- if strategy in ['merge_version', 'replace_scope'] and holds_nothing(target_relation) -%}
    {%- call statement('main') -%}{{ in_one_transaction(first_rows_sql(target_relation, sql, names)) }}{%- endcall -%}
  {%- elif strategy == 'merge_keys' and holds_nothing(target_relation, 'true') -%}
    {%- call statement('main') -%}{{ in_one_transaction(first_keys_sql(target_relation, sql, names)) }}{%- endcall -%}
  {%- else -%}
    {%- call statement('stage') -%}{{ create_table_as(not is_candidate, staged, sql) }}{%- endcall -%}
    {%- set dml = context['scoped_' ~ strategy ~ '_sql'](target_relation, staged, names) -%}
    {%- call statement('main') -%}{{ in_one_transaction(dml) }}{%- endcall -%}
    {%- if not is_candidate -%}{%- do drop_staged(staged) -%}{%- endif -%}
  {%- endif -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do adapter.commit() -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- DuckDB: dbt has opened a transaction that `adapter.commit()` ends. Snowflake commits each statement unless told. -#}
{% macro in_one_transaction(dml) %}{{ return(adapter.dispatch('in_one_transaction', 'lakehouse')(dml)) }}{% endmacro %}
{% macro default__in_one_transaction(dml) %}{{ return(dml) }}{% endmacro %}
{% macro snowflake__in_one_transaction(dml) %}{{ return(snowflake_dml_explicit_transaction(dml)) }}{% endmacro %}

{#- Has the table no rows of the run's partitions, or of a given condition? -#}
{% macro holds_nothing(target, condition=none) %}
  {%- call statement('held', fetch_result=True) -%}
    select count(*) from (select 1 as one from {{ target }} where {{ condition or in_scope(target) }} limit 1) held
  {%- endcall -%}
  {{ return(load_result('held')['data'][0][0] == 0) }}
{% endmacro %}

{#- Puts rows (a relation, or a query in parentheses) into a table, column by column; a condition on `alias` may follow. -#}
{% macro insert_rows(target, columns, rows, alias='staged') -%}
    insert into {{ target }} ({{ columns | join(', ') }})
    select {% for column in columns %}{{ alias }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %} from {{ rows }} {{ alias }}
{%- endmacro %}

{#- Rows of partitions that held none, and what they change. -#}
{% macro first_rows_sql(target, sql, columns) %}
  {%- set log_key = 'fact_key' if config.get('strategy') == 'merge_version' else config.get('log_key') -%}
  {%- set dml -%}
    {{ insert_rows(target, columns, '(' ~ sql ~ ')', 'said') }}
    {%- if log_key %};
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date)
    select distinct {{ run_seq() }}, '{{ target.identifier | lower }}', {{ target }}.{{ log_key }}, {{ target }}.facility_id, {{ target }}.batch_date
    from {{ target }} where {{ in_scope(target) }}
    {%- endif %}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- The staged rows may hold patient data and the connection is kept between models: drop them at once. -#}
{% macro drop_staged(staged) %}
  {%- call statement('drop_staged') -%}drop table if exists {{ staged }}{%- endcall -%}
{% endmacro %}

{#- Side table of a version table: its rows that vanished or changed, with the run that moved them. -#}
{% macro create_restated(target) %}
  {%- set restated = restated_relation(target) -%}
  {%- if load_cached_relation(restated) is none -%}
    {%- call statement('create_restated') -%}
      {{ create_table_as(False, restated, "select t.*, cast(null as varchar) as restated_run_id, cast(null as bigint) as restated_run_seq, "
         ~ "cast(null as varchar) as restated_code_version from " ~ target ~ " t where 1 = 0") }}
    {%- endcall -%}
  {%- endif -%}
{% endmacro %}
{% macro restated_relation(target) %}
  {{ return(api.Relation.create(database=target.database, schema=target.schema,
                                identifier=target.identifier | replace('_version', '_restated'), type='table')) }}
{% endmacro %}

{#- Entries of the change log that a consumer has not yet seen. -#}
{% macro unseen(consumer, alias='change_log') -%}
  {{ alias }}.run_seq > coalesce((select max(seen.run_seq) from {{ source('control', 'consumer') }} seen
                                  where seen.consumer = '{{ consumer }}'), -1)
{%- endmacro %}

{#- Moves a consumer's watermark to this run: goes last in the transaction that writes what it derived. -#}
{% macro move_watermark(consumer) -%}
  delete from {{ source('control', 'consumer') }} where consumer = '{{ consumer }}';
  insert into {{ source('control', 'consumer') }} (consumer, run_seq) values ('{{ consumer }}', {{ run_seq() }})
{%- endmacro %}

{#- Version rows of the run's partitions: equal rows stay, others move to the restated table, changed keys are logged. -#}
{% macro scoped_merge_version_sql(target, staged, columns) %}
  {%- set object = target.identifier | lower -%}
  {%- set same -%}
    same.record_id = {{ '{0}' }}.record_id and same.fact_key = {{ '{0}' }}.fact_key and same.row_hash = {{ '{0}' }}.row_hash
  {%- endset -%}
  {%- set gone -%}
    {{ in_scope(target) }} and not exists (select 1 from {{ staged }} same where {{ same | replace('{0}', target | string) }})
  {%- endset -%}
  {%- set fresh -%}
    not exists (select 1 from {{ target }} same where {{ same | replace('{0}', 'staged') }})
  {%- endset -%}
  {%- set dml -%}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date)
    select {{ run_seq() }}, '{{ object }}', changed.fact_key, changed.facility_id, changed.batch_date
    from (
      select {{ target }}.fact_key, {{ target }}.facility_id, {{ target }}.batch_date from {{ target }} where {{ gone }}
      union
      select staged.fact_key, staged.facility_id, staged.batch_date from {{ staged }} staged where {{ fresh }}
    ) changed;
    insert into {{ restated_relation(target) }} ({{ columns | join(', ') }}, restated_run_id, restated_run_seq, restated_code_version)
    select {% for column in columns %}{{ target }}.{{ column }}, {% endfor %}{{ run_id() }}, {{ run_seq() }}, {{ code_version() }}
    from {{ target }} where {{ gone }};
    delete from {{ target }} where {{ gone }};
    {{ insert_rows(target, columns, staged) }} where {{ fresh }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Current rows of the changed keys: rows that stay equal are untouched, differences go to the change log with the slices before
    and after, once for each partition that caused them. Config `reads`: objects of the change log that the table consumes. -#}
{% macro scoped_merge_current_sql(target, staged, columns) %}
  {%- set object = target.identifier | lower -%}
  {%- set changed_keys -%}{{ changed_fact_keys(object) }}{%- endset -%}
  {%- set dml -%}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date, old_from, old_to, new_from, new_to,
                                                       old_subject_key, new_subject_key)
    select {{ run_seq() }}, '{{ object }}', cause.fact_key, cause.facility_id, cause.batch_date,
      was.service_date, was.service_end_date, becomes.service_date, becomes.service_end_date, was.subject_key, becomes.subject_key
    from ({{ changed_keys }}) cause
    left join {{ target }} was on was.fact_key = cause.fact_key
    left join {{ staged }} becomes on becomes.fact_key = cause.fact_key
    where coalesce(was.current_hash, '') <> coalesce(becomes.current_hash, '');
    delete from {{ target }}
    where {{ target }}.fact_key in (select cause.fact_key from ({{ changed_keys }}) cause)
      and not exists (select 1 from {{ staged }} same where same.fact_key = {{ target }}.fact_key and same.current_hash = {{ target }}.current_hash);
    {{ insert_rows(target, columns, staged) }}
    where not exists (select 1 from {{ target }} same where same.fact_key = staged.fact_key);
    {{ move_watermark(object) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Rows of the run's partitions, replaced whole; `log_key` names the column whose values, before and after, go to the change log: what
    hangs on them is judged again. -#}
{% macro scoped_replace_scope_sql(target, staged, columns) %}
  {%- set log_key = config.get('log_key') -%}
  {%- set dml -%}
    {%- if log_key %}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id, batch_date)
    select {{ run_seq() }}, '{{ target.identifier | lower }}', changed.{{ log_key }}, changed.facility_id, changed.batch_date
    from (
      select {{ target }}.{{ log_key }}, {{ target }}.facility_id, {{ target }}.batch_date from {{ target }} where {{ in_scope(target) }}
      union
      select staged.{{ log_key }}, staged.facility_id, staged.batch_date from {{ staged }} staged
    ) changed;
    {%- endif %}
    delete from {{ target }} where {{ in_scope(target) }};
    {{ insert_rows(target, columns, staged) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Outcomes of the affected units, of any partition: a unit that moves between outcomes is recorded, one that vanished leaves. -#}
{% macro scoped_merge_outcome_sql(target, staged, columns) %}
  {%- set vanished -%}
    {{ target }}.content_hash in (select change_log.fact_key from {{ source('control', 'change_log') }} change_log
                                  where change_log.object = 'unit' and {{ unseen('unit_outcome') }})
    and not exists (select 1 from {{ ref('unit') }} unit where unit.unit_id = {{ target }}.unit_id)
  {%- endset -%}
  {%- set dml -%}
    insert into {{ source('control', 'outcome_move') }} (run_seq, unit_id, facility_id, batch_date, old_outcome, new_outcome, old_reason, new_reason)
    select {{ run_seq() }}, becomes.unit_id, becomes.facility_id, becomes.batch_date, was.outcome, becomes.outcome, was.reason, becomes.reason
    from {{ staged }} becomes join {{ target }} was on was.unit_id = becomes.unit_id
    where was.outcome <> becomes.outcome or coalesce(was.reason, '') <> coalesce(becomes.reason, '');
    delete from {{ target }} where {{ vanished }};
    delete from {{ target }}
    where exists (select 1 from {{ staged }} becomes where becomes.unit_id = {{ target }}.unit_id and becomes.outcome_hash <> {{ target }}.outcome_hash);
    {{ insert_rows(target, columns, staged) }}
    where not exists (select 1 from {{ target }} same where same.unit_id = staged.unit_id);
    {{ move_watermark('unit_outcome') }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
