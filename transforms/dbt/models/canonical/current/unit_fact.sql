{{ config(materialized='view') }}
{#- The facts that decide a unit's outcome: version rows of the fact itself, never by-products. `outcome_key` is what the unit counts by: its
    source row where it has one, else the fact. -#}
{%- set resources = stagings() | list -%}
{%- for resource in resources %}
select '{{ resource }}' as resource, version.unit_id, version.fact_key, coalesce(version.row_key, version.fact_key) as outcome_key, version.facility_id,
  version.batch_date, version.delivery_id, version.source, version.record_locator, version.record_id, version.maintains, version.source_time,
  version.source_order, version.row_hash, version.awaits_key, version.version_key, version.subject_key
from {{ ref(resource ~ '_version') }} version where version.is_fact
{{ 'union all' if not loop.last }}
{%- endfor %}
