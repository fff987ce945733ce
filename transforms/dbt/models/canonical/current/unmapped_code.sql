{{ config(materialized='view') }}
{#- Local codes and units that no map leads to a standard one, among the facts that hold now, with who answers: the owner of the feed that sends most of
    them. What has a text and no code stands under a null code: texts may name people and are not listed. -#}
with
{%- for resource, element, code, local_code, local_system, text in unmappable_columns() %}
{{ resource }}_{{ element }} as (
  select said.facility_id, said.batch_date, said.source, '{{ resource }}' as resource, '{{ element }}' as element,
    cast({{ 'said.' ~ local_system if local_system != 'null' else 'null' }} as varchar) as local_system, said.{{ local_code }} as local_code
  from {{ ref(resource) }} said
  where said.is_deleted = false and said.{{ code }} is null
    and (said.{{ local_code }} is not null{{ ' or said.' ~ text ~ ' is not null' if text != 'null' }})
),
{%- endfor %}
unmapped as (
  {%- for resource, element, code, local_code, local_system, text in unmappable_columns() %}
  select said.facility_id, said.batch_date, said.source, said.resource, said.element, said.local_system, said.local_code from {{ resource }}_{{ element }} said
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
by_feed as (
  select unmapped.facility_id, unmapped.resource, unmapped.element, unmapped.local_system, unmapped.local_code, unmapped.source, count(*) as facts,
    min(unmapped.batch_date) as first_batch_date, max(unmapped.batch_date) as batch_date
  from unmapped
  group by unmapped.facility_id, unmapped.resource, unmapped.element, unmapped.local_system, unmapped.local_code, unmapped.source
),
ranked as (
  select by_feed.facility_id, by_feed.resource, by_feed.element, by_feed.local_system, by_feed.local_code, by_feed.source, by_feed.batch_date,
    sum(by_feed.facts) over (partition by by_feed.facility_id, by_feed.resource, by_feed.element, by_feed.local_system, by_feed.local_code) as facts,
    min(by_feed.first_batch_date) over (partition by by_feed.facility_id, by_feed.resource, by_feed.element, by_feed.local_system, by_feed.local_code)
      as first_batch_date,
    max(by_feed.batch_date) over (partition by by_feed.facility_id, by_feed.resource, by_feed.element, by_feed.local_system, by_feed.local_code)
      as last_batch_date,
    row_number() over (partition by by_feed.facility_id, by_feed.resource, by_feed.element, by_feed.local_system, by_feed.local_code
      order by by_feed.facts desc nulls last, by_feed.source) as place
  from by_feed
)
select ranked.facility_id, ranked.resource, ranked.element, ranked.local_system, ranked.local_code, cast(ranked.facts as bigint) as facts,
  ranked.first_batch_date, ranked.last_batch_date, ranked.source, coalesce(feed.owner, facility.owner) as owner
from ranked
left join {{ source('ref', 'source') }} feed on {{ in_force('feed', 'ranked') }} and feed.source = ranked.source
left join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'ranked') }}
where ranked.place = 1
