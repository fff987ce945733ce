{#- The bodies of the version and current models: written once, used by every resource. -#}

{#- Columns that identify the record rather than what it says; left out of `row_hash`. -#}
{% macro provenance_columns() %}{{ return(['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'batch_date',
                                           'received_time', 'source']) }}{% endmacro %}

{% macro column_names(columns) %}{{ return(columns | map('first') | list) }}{% endmacro %}

{#- What each record says, one row a record, never folded. Rows of a unit that was refused or ignored go no further. -#}
{% macro version_model(resource) %}
  {%- set columns = header_columns() + content_columns(resource) -%}
  {%- set names = column_names(columns) -%}
with said as (
  {%- for staging in stagings()[resource] %}
  select {% for name in names %}{{ name }}{{ ', ' if not loop.last }}{% endfor %}
  from {{ ref(staging) }} where reject_code is null
  {{ 'union all' if not loop.last }}
  {%- endfor %}
)
select
  {% for name in names %}said.{{ name }}, {% endfor %}
  {{ md5_key(hash_parts(columns, 'said', left_out=provenance_columns())) }} as row_hash
from said
join {{ ref('unit') }} unit on unit.unit_id = said.unit_id and unit.own_reason_kind is null
{% endmacro %}

{#- Parts of a row's hash: columns as they are, timestamps in the one rendering that both engines share. -#}
{% macro hash_parts(columns, alias, left_out=[]) %}
  {%- set parts = [] -%}
  {%- for column in columns if column[0] not in left_out -%}
    {%- set said = alias ~ '.' ~ column[0] -%}
    {%- do parts.append(timestamp_text(said) if column[1] == 'timestamp' else said) -%}
  {%- endfor -%}
  {{ return(parts) }}
{% endmacro %}

{% macro prefixed(names, alias) %}
  {%- set out = [] -%}{%- for name in names -%}{%- do out.append(alias ~ '.' ~ name) -%}{%- endfor -%}{{ return(out) }}
{% endmacro %}

{#- Source order, newest first: maintained over by-product, source time, the source's own tie-break, content, and of equal rows the
    first received. Never order of arrival among rows that differ. -#}
{% macro newest_first(alias) -%}
  {{ alias }}.maintains desc nulls last, {{ alias }}.order_time desc nulls last, {{ alias }}.source_order desc nulls last,
  {{ alias }}.row_hash desc nulls last, {{ alias }}.batch_date, {{ alias }}.delivery_id, {{ alias }}.record_locator, {{ alias }}.record_id
{%- endmacro %}

{#- Time that orders a version among others of its fact. Changes of one captured table follow its log, whose sequence is `source_order`
    (none: a full-load row, before all changes); against other feeds they count as old as the newest of them, which says all that they say. -#}
{% macro order_time(alias, fact=['fact_key']) -%}
  case when {{ alias }}.unit_kind = 'cdc.row' then coalesce(
      max(case when {{ alias }}.source_order <> '' then {{ alias }}.source_time end) over (partition by {% for name in fact %}{{ alias }}.{{ name }}, {% endfor %}{{ alias }}.source),
      max({{ alias }}.source_time) over (partition by {% for name in fact %}{{ alias }}.{{ name }}, {% endfor %}{{ alias }}.source))
    else {{ alias }}.source_time end
{%- endmacro %}

{#- Resources that no record waits for, since patients are found through them. -#}
{% macro awaited_resources() %}{{ return(['patient', 'patient_identifier', 'patient_link', 'practitioner', 'organization', 'location']) }}{% endmacro %}
{#- Resources that are parts of another one, listed anew by each of its records: resource -> the whole and the column that names it. -#}
{% macro parts_of() %}{{ return({'patient_identifier': ['patient', 'subject_key'],
                                 'observation_component': ['observation', 'observation_key']}) }}{% endmacro %}
{#- Is a folded part no longer listed by the record that gives the whole as it holds now? -#}
{% macro is_unlisted(resource) -%}
  {%- set whole, column = parts_of()[resource] -%}
  not exists (select 1 from {{ ref(whole) }} whole where whole.fact_key = fold.{{ column }} and whole.record_id = fold.record_id)
{%- endmacro %}

{#- Resources whose facts are business identifiers that several source rows may carry. -#}
{% macro row_keyed_resources() %}{{ return(['patient', 'patient_identifier', 'encounter', 'service_request', 'practitioner']) }}{% endmacro %}

{#- Value that the newest version which speaks of the field gives it; `""` stands for an explicit null inside the window. -#}
{% macro folded(column, type, mark) -%}
  cast(nullif({{ first_known("case when version." ~ mark ~ "_mark is not null then coalesce(cast(version." ~ column ~ " as varchar), '\"\"') end",
    "partition by version.fact_key order by " ~ newest_first('version') ~ " rows between current row and unbounded following") }}, '""') as {{ type }})
{%- endmacro %}

{% macro first_known(expression, window) %}{{ return(adapter.dispatch('first_known', 'lakehouse')(expression, window)) }}{% endmacro %}
{% macro duckdb__first_known(expression, window) -%} first_value({{ expression }} ignore nulls) over ({{ window }}) {%- endmacro %}
{% macro snowflake__first_known(expression, window) -%} first_value({{ expression }}) ignore nulls over ({{ window }}) {%- endmacro %}

{#- Keys that a current table must derive again, with the partition that caused it. A row that awaits a patient is looked at again when
    that patient appears, changes or vanishes; rows of one source row together, since it may have moved from one fact to another; parts with their whole. -#}
{% macro changed_fact_keys(resource) -%}
    select distinct change_log.fact_key, change_log.facility_id, change_log.batch_date
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = '{{ resource }}_version' and {{ unseen(resource) }}
    {%- if resource in row_keyed_resources() %}
    union
    select distinct elsewhere.fact_key, change_log.facility_id, change_log.batch_date
    from {{ source('control', 'change_log') }} change_log
    join (
      select every.fact_key, every.row_key from {{ ref(resource ~ '_version') }} every where every.row_key is not null
      union all
      select gone.fact_key, gone.row_key from {{ restated_relation(ref(resource ~ '_version')) }} gone where gone.row_key is not null
    ) said on said.fact_key = change_log.fact_key
    join {{ ref(resource ~ '_version') }} elsewhere on elsewhere.row_key = said.row_key
    where change_log.object = '{{ resource }}_version' and {{ unseen(resource) }}
    {%- endif %}
    {%- if resource == 'patient' %}
    union
    select distinct coalesce(change_log.new_subject_key, change_log.old_subject_key), change_log.facility_id, change_log.batch_date
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = 'patient_link' and {{ unseen(resource) }}
    {%- elif resource in parts_of() %}
    union
    select distinct part.fact_key, change_log.facility_id, change_log.batch_date
    from {{ source('control', 'change_log') }} change_log
    join {{ ref(resource ~ '_version') }} part on part.{{ parts_of()[resource][1] }} = change_log.fact_key
    where change_log.object = '{{ parts_of()[resource][0] }}' and {{ unseen(resource) }}
    {%- endif %}
    {%- if resource not in awaited_resources() %}
    union
    select distinct waiting.fact_key, waiting.facility_id, coalesce(change_log.batch_date, waiting.batch_date)
    from {{ source('control', 'change_log') }} change_log
    join {{ ref(resource ~ '_version') }} waiting on waiting.awaits_key = change_log.fact_key
    where change_log.object in ('patient', 'patient_survivor') and {{ unseen(resource) }}
    {%- endif %}
{%- endmacro %}

{#- CTEs `carried_row` (row_key, fact_key: the source row carries that fact now) and `carried_fact`. A source row carries what its newest
    version names, unless that is a deletion; a fact that some row carries is not deleted with another one. -#}
{% macro carried_rows(resource) -%}
row_version as (
  select said.row_key, said.fact_key, said.is_deleted, said.source, said.source_time, said.source_order, said.row_hash, said.record_id, unit.unit_kind
  from (select distinct candidate.row_key from candidate where candidate.row_key is not null) asked
  join {{ ref(resource ~ '_version') }} said on said.row_key = asked.row_key
  join {{ ref('unit') }} unit on unit.unit_id = said.unit_id
  where {{ not_held('said') }}
    and not exists (select 1 from {{ ref('unit_conflict') }} conflict where conflict.unit_id = said.unit_id)
),
row_ordered as (
  select row_version.row_key, row_version.fact_key, row_version.is_deleted, row_version.source_order, row_version.row_hash, row_version.record_id,
    {{ order_time('row_version', ['row_key']) }} as order_time
  from row_version
),
row_newest as (
  select row_ordered.row_key, row_ordered.fact_key, row_ordered.is_deleted,
    row_number() over (partition by row_ordered.row_key order by row_ordered.order_time desc nulls last, row_ordered.source_order desc nulls last,
      row_ordered.row_hash desc nulls last, row_ordered.record_id) as recency
  from row_ordered
),
carried_row as (
  select row_newest.row_key, row_newest.fact_key from row_newest where row_newest.recency = 1 and row_newest.is_deleted = false
),
carried_fact as (
  select distinct carried_row.fact_key from carried_row
)
{%- endmacro %}

{#- What holds now: versions of partitions that are not held and of units without conflict, folded. `derive` maps a column to an
    expression over the folded row. -#}
{% macro current_model(resource, derive={}) %}
  {%- set header = column_names(header_columns()) -%}
  {%- set folds_with = {'encounter': {'service_date': 'period_start', 'service_end_date': 'period_end'}}.get(resource, {}) -%}
  {%- set names = header + column_names(resource_contract(resource)) -%}
  {%- set is_folded = mark_groups(resource) | length > 0 -%}
  {#- Where nothing is folded, only what orders the versions is sorted, and the rest of the newest is fetched by its key. -#}
  {%- set ranked = column_names(header_columns() + content_columns(resource)) if is_folded else
    ['record_id', 'fact_key', 'row_key', 'source', 'source_time', 'source_order', 'maintains', 'batch_date', 'delivery_id', 'record_locator'] -%}
  {%- set is_row_keyed = resource in row_keyed_resources() -%}
  {#- And a fact of one version is that version: it is neither sorted nor fetched again. -#}
  {%- set parts_alone = not is_folded and not is_row_keyed -%}
  {%- set may_count -%}
  {{ not_held('said') }}
    and said.unit_id not in (select conflict.unit_id from {{ ref('unit_conflict') }} conflict)
  {%- if resource not in awaited_resources() %}
    and (said.awaits_key is null or said.awaits_key in (select known.patient_key from {{ ref('known_patient') }} known))
  {%- endif %}
  {%- endset -%}
  {%- set deleted = derive.get('is_deleted', 'fold.is_deleted') -%}
  {%- if is_row_keyed -%}{%- set derive = dict(derive, is_deleted='case when fold.is_carried = 0 then true else ' ~ deleted ~ ' end') -%}{%- endif -%}
with changed as (
  select distinct cause.fact_key from ({{ changed_fact_keys(resource) }}) cause
),
{%- if parts_alone %}
history as (
  select said.fact_key from {{ ref(resource ~ '_version') }} said
  join changed on changed.fact_key = said.fact_key
  group by said.fact_key having count(*) > 1
),
{%- endif %}
candidate as (
  select {% for name in ranked %}said.{{ name }}, {% endfor %}said.row_hash, unit.unit_kind,
    {# A unit received again brings nothing: of equal units the first counts, whatever new message time the copy bears. #}
    dense_rank() over (partition by said.fact_key, unit.content_hash
      order by unit.source_time, unit.batch_date, unit.delivery_id, unit.unit_ordinal) as copy
  from {{ ref(resource ~ '_version') }} said
  join {{ 'history changed' if parts_alone else 'changed' }} on changed.fact_key = said.fact_key
  join {{ ref('unit') }} unit on unit.unit_id = said.unit_id
  where {{ may_count }}
),
{%- if is_row_keyed %}
{{ carried_rows(resource) }},
{%- endif %}
version as (
  select {% for name in ranked %}candidate.{{ name }}, {% endfor %}candidate.row_hash, {{ order_time('candidate') }} as order_time
    {%- if is_row_keyed %},
    case when candidate.row_key is null or carried_fact.fact_key is not null then 1 else 0 end as is_carried
    {%- endif %}
  from candidate
  {%- if is_row_keyed %}
  left join carried_row on carried_row.row_key = candidate.row_key and carried_row.fact_key = candidate.fact_key
  left join carried_fact on carried_fact.fact_key = candidate.fact_key
  {%- endif %}
  {#- Change rows repeat a state on purpose (A, B, A); only equal neighbours are copies, and those fold to the same. #}
  where (candidate.copy = 1 or candidate.unit_kind = 'cdc.row')
  {%- if is_row_keyed %}
    and (candidate.row_key is null or carried_row.row_key is not null or carried_fact.fact_key is null)
  {%- endif %}
),
{%- if is_folded %}
fold as (
  select
    {% for column in header_columns() -%}
      {%- if column[0] in folds_with %}{{ folded(column[0], column[1], folds_with[column[0]]) }} as {{ column[0] }},
      {% else %}version.{{ column[0] }},
      {% endif -%}
    {%- endfor %}
    {%- for column in resource_contract(resource) -%}
      {%- if column | length > 2 %}{{ folded(column[0], column[1], column[2]) }} as {{ column[0] }},
      {% else %}version.{{ column[0] }},
      {% endif -%}
    {%- endfor %}
    {%- if is_row_keyed %}
    version.is_carried,
    {%- endif %}
    row_number() over (partition by version.fact_key order by {{ newest_first('version') }}) as recency
  from version
),
{%- else %}
newest as (
  select version.fact_key, version.record_id,{{ ' version.is_carried,' if is_row_keyed }}
    row_number() over (partition by version.fact_key order by {{ newest_first('version') }}) as recency,
    case when lead(version.record_id) over (partition by version.fact_key order by {{ newest_first('version') }}) = version.record_id then 1 else 0 end as is_twice
  from version
),
{#- A partition whose rows share a key can be released all the same: of such equal rows one holds. -#}
fold as (
  {%- for is_twice in [0, 1] %}
  select {{ 'distinct ' if is_twice }}{% for name in names %}said.{{ name }}, {% endfor %}said.row_hash, {{ 'newest.is_carried, ' if is_row_keyed }}newest.recency
  from newest
  join {{ ref(resource ~ '_version') }} said on said.fact_key = newest.fact_key and said.record_id = newest.record_id
  where newest.recency = 1 and newest.is_twice = {{ is_twice }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
  {%- if parts_alone %}
  union all
  select {% for name in names %}said.{{ name }}, {% endfor %}said.row_hash, 1 as recency
  from {{ ref(resource ~ '_version') }} said
  join changed on changed.fact_key = said.fact_key
  left join history on history.fact_key = said.fact_key
  where history.fact_key is null and said.unit_id in (select unit.unit_id from {{ ref('unit') }} unit) and {{ may_count }}
  {%- endif %}
),
{%- endif %}
derived as (
  select {% for name in names %}{{ derive.get(name, 'fold.' ~ name) }} as {{ name }}, {% endfor %}{{ 'null' if is_folded else 'fold.row_hash' }} as row_hash
  from fold
  where fold.recency = 1
)
{#- What a version says is in its hash already: the row's own adds where it comes from and what was derived. -#}
{%- set told_by_version = [] -%}
{%- for name in names if not is_folded and name not in provenance_columns() and name not in derive -%}{%- do told_by_version.append(name) -%}{%- endfor %}
select {% for name in names %}derived.{{ name }}, {% endfor %}
  {{ md5_key(hash_parts(header_columns() + resource_contract(resource), 'derived', left_out=told_by_version) + ([] if is_folded else ['derived.row_hash'])) }} as current_hash
from derived
{% endmacro %}
