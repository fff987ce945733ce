{#-
  Which encounter a fact belongs to. A fact names its encounter by key; where feeds of one facility name encounters differently (an EMR's
  export by its own ids, a laboratory's extract by visit number), that key is no encounter's, and the visit number tells: the one
  encounter of the facility that bears it. Where several bear it, none is meant; nothing is guessed.
-#}

{#- Facts of the relation `facts` (fact_key, facility_id, encounter_key, encounter_identifier_value) with their encounter; those of none
    are left out. -#}
{% macro encounters_of(facts) -%}
(
  select fact.fact_key, named.fact_key as encounter_key
  from {{ facts }} fact join {{ ref('encounter') }} named on named.fact_key = fact.encounter_key
  union all
  select fact.fact_key, min(numbered.fact_key)
  from {{ facts }} fact
  join {{ ref('encounter') }} numbered
    on numbered.facility_id = fact.facility_id and numbered.identifier_value = fact.encounter_identifier_value and numbered.is_deleted = false
  left join {{ ref('encounter') }} named on named.fact_key = fact.encounter_key
  where named.fact_key is null
  group by fact.fact_key
  having count(numbered.fact_key) = 1
)
{%- endmacro %}

{#- Facts of a resource that may belong to an encounter of the relation `encounters` (fact_key, facility_id, identifier_value), by key or
    by number, with `columns` besides what `encounters_of` needs. -#}
{% macro facts_naming(encounters, resource, columns=[]) -%}
(
  {%- for condition in ['fact.encounter_key = encounter.fact_key',
                        'fact.facility_id = encounter.facility_id and fact.encounter_identifier_value = encounter.identifier_value'] %}
  select fact.fact_key, fact.facility_id, fact.encounter_key, fact.encounter_identifier_value
    {%- for column in columns %}, fact.{{ column }}{% endfor %}
  from {{ encounters }} encounter join {{ ref(resource) }} fact on {{ condition }}
  where fact.is_deleted = false
  {{ 'union' if not loop.last }}
  {%- endfor %}
)
{%- endmacro %}

{#- Keys and numbers by which facts may name, or named before, the encounters of the relation `changes` (fact_key, facility_id,
    batch_date), with the partition that caused the change. -#}
{% macro names_of_encounters(changes) -%}
(
  select change.fact_key, change.facility_id, cast(null as varchar) as identifier_value, change.batch_date
  from {{ changes }} change
  union
  select change.fact_key, change.facility_id, said.identifier_value, change.batch_date
  from {{ changes }} change join {{ ever_said('encounter', ['identifier_value'], changes) }} said on said.fact_key = change.fact_key
)
{%- endmacro %}
