{#-
  The common part of a FHIR staging model: raw rows of one type in the run's scope, each document parsed once, the named
  fields as text, dates in canonical form, keys and judgements of the record itself. Gives CTEs that end in `record`.

  fields     column -> path of the element; a path to an object or array gives its JSON text
  dates      columns of `fields` that hold a date, dateTime or instant
  subject    element that refers to the patient; null for resources that are about none
  encounter  element that refers to the encounter
  service    columns of `dates` of which the first that is stated says when it happened; service_end likewise when it ended
  exact      numbers are wanted digit by digit
  kinds      column of `dates` -> 'date' or 'instant' where its element is no dateTime
-#}
{% macro fhir_record(resource_type, fields, dates=[], subject=none, encounter=none, service=[], service_end=[], exact=false, kinds={}) %}
  {%- do config(told_by=[resource_type]) -%}
  {%- set resource = fhir_resources()[resource_type] -%}
  {%- set paths = {'document_type': ['resourceType']} -%}
  {%- for place in [0, 1] -%}
    {%- do paths.update({'identifier_system_' ~ place: ['identifier', place, 'system'], 'identifier_value_' ~ place: ['identifier', place, 'value']}) -%}
  {%- endfor -%}
  {%- set references = {} -%}
  {%- if subject -%}{%- do references.update({'subject': subject}) -%}{%- endif -%}
  {%- if encounter -%}{%- do references.update({'encounter': encounter}) -%}{%- endif -%}
  {%- for name, element in references.items() -%}
    {%- set path = element if element is not string else [element] -%}
    {%- do paths.update({name ~ '_element': path, name ~ '_literal': path + ['reference'],
                         name ~ '_logical_system': path + ['identifier', 'system'], name ~ '_logical_value': path + ['identifier', 'value']}) -%}
  {%- endfor -%}
  {%- do paths.update(fields) -%}
document as (
  select sent.record_id, sent.unit_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date,
    sent.received_time, sent.source, sent.id, sent.version_id, sent.last_updated, sent.full_url, sent.is_deleted,
    facility.timezone, facility.default_system,
    {{ json_texts(json_parse_exact('sent.resource') if exact else json_parse('sent.resource'), paths.values() | list) }} as texts
  from {{ source('raw', 'raw_fhir__resource') }} sent
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  where sent.resource_type = '{{ resource_type }}' and {{ in_scope('sent') }}
),
said as (
  select document.record_id, document.unit_id, document.delivery_id, document.payload_id, document.record_locator, document.facility_id,
    document.batch_date, document.received_time, document.source, document.id, document.version_id, document.full_url, document.is_deleted,
    document.timezone, document.default_system,
    document.last_updated as last_updated_source, {{ fhir_datetime('document.last_updated', 'instant') }} as last_updated
    {%- for name in paths %},
    {{ list_element('document.texts', loop.index) }} as {{ name }}{{ '_source' if name in dates }}
    {%- endfor %}
  from document
),
dated as (
  select said.record_id, said.unit_id, said.delivery_id, said.payload_id, said.record_locator, said.facility_id, said.batch_date, said.received_time,
    said.source, said.id, said.version_id, said.full_url, said.is_deleted, said.timezone, said.default_system, said.last_updated, said.last_updated_source
    {%- for name in paths %}, said.{{ name }}{{ '_source' if name in dates }}{% if name in dates %}, {{ fhir_datetime('said.' ~ name ~ '_source', kinds.get(name, 'dateTime')) }} as {{ name }}{% endif %}
    {%- endfor %}
  from said
),
record as (
  select dated.record_id, dated.unit_id, dated.delivery_id, dated.payload_id, dated.record_locator, dated.facility_id, dated.batch_date,
    dated.received_time, dated.source, dated.id, dated.is_deleted, dated.timezone, dated.default_system,
    case when dated.id is not null then {{ fhir_id_key('dated.facility_id', "'" ~ resource ~ "'", 'dated.id') }} else own_key.fact_key end as fact_key,
    coalesce({{ instant('dated.last_updated') }}, dated.received_time) as source_time,
    case when {{ regexp_full('dated.version_id', '[0-9]{1,20}') }} then lpad(dated.version_id, 20, '0') else coalesce(dated.version_id, '') end as source_order,
    dated.version_id || '|' || coalesce(dated.last_updated, '') as version_key,
    case when dated.identifier_value_0 is not null then dated.identifier_system_0 else dated.identifier_system_1 end as identifier_system,
    coalesce(dated.identifier_value_0, dated.identifier_value_1) as identifier_value,
    {%- for name in references %}
    {{ fhir_reference_text('dated.' ~ name, 'Patient' if name == 'subject' else 'Encounter', is_required=(name == 'subject')) }} as {{ name }}_reference,
    dated.{{ name }}_logical_value as {{ name }}_identifier_value,
    {%- endfor %}
    case
      when dated.document_type is null and dated.is_deleted = false then 'fhir.invalid_json'
      when dated.last_updated_source is not null and dated.last_updated is null
        {%- for name in dates %} or dated.{{ name }}_source is not null and dated.{{ name }} is null{% endfor %} then 'fhir.invalid_datetime'
      when extension.has_unregistered_modifier = 1 then 'fhir.unregistered_modifier_extension'
    end as reject_code,
    case when extension.has_unknown_extension = 1 then 1 else 0 end as has_unknown_extension,
    extension.effect_status
    {%- for name, found in {'service': service, 'service_end': service_end}.items() if found %},
    coalesce({{ prefixed(found, 'dated') | join(', ') }}, null) as {{ name }}_text
    {%- endfor %}
    {%- for name in fields %},
    dated.{{ name }}
    {%- endfor %}
  from dated
  left join {{ ref('stg_fhir__resource_key') }} own_key on own_key.record_id = dated.record_id and dated.id is null
  left join {{ ref('stg_fhir__extension') }} extension on extension.record_id = dated.record_id
)
{%- if service %},
{%- set days = [] -%}
{%- for name, found in {'service': service, 'service_end': service_end}.items() if found -%}
  {%- do days.append('select record.timezone as zone, try_cast(left(record.' ~ name ~ '_text, 10) as date) as day from record where length(record.' ~ name ~ '_text) > 10') -%}
{%- endfor %}
{{ zone_days(days) }}
{%- endif %}
{%- endmacro %}

{#- Header columns of a FHIR staging model, from `record`; `values` adds the resource's own and `flags` a list of [condition, code]. -#}
{% macro fhir_columns(values, references=['subject'], concepts=[], flags=[], status='record.status', days=[]) %}
  {%- set columns = {} -%}
  {%- for name in ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source',
                   'fact_key', 'version_key', 'source_time', 'source_order', 'is_deleted', 'id', 'identifier_system', 'identifier_value', 'reject_code'] -%}
    {%- do columns.update({name: 'record.' ~ name}) -%}
  {%- endfor -%}
  {%- set found = [['record.has_unknown_extension = 1', 'fhir.unknown_extension']] + flags -%}
  {%- if concepts -%}
    {%- set unmapped = [] -%}
    {%- for concept in concepts -%}{%- do unmapped.append(concept ~ '_concept.is_unmapped = 1') -%}{%- endfor -%}
    {%- do found.append([unmapped | join(' or '), 'code.unmapped_local']) -%}
  {%- endif -%}
  {%- do columns.update({'is_fact': 'true', 'maintains': '1', 'flags': flag_list(found)}) -%}
  {%- if status -%}{%- do columns.update({'status': 'coalesce(record.effect_status, ' ~ status ~ ')'}) -%}{%- endif -%}
  {%- if 'subject' in references -%}
    {%- do columns.update({'subject_key': 'subject_target.target_key', 'awaits_key': 'subject_target.target_key'}) -%}
  {%- endif -%}
  {%- if 'encounter' in references -%}
    {%- do columns.update({'encounter_key': 'encounter_target.target_key', 'encounter_identifier_value': 'record.encounter_identifier_value'}) -%}
  {%- endif -%}
  {%- if days -%}{%- do columns.update(service_dates('service_end' in days)) -%}{%- endif -%}
  {%- do columns.update(values) -%}
  {{ return(columns) }}
{% endmacro %}

{#- Facility-local dates of what a record states, for the columns of the contract. -#}
{% macro service_dates(ends=false) %}
  {%- set columns = {'service_date': local_date_of('record.service_text', 'service_zone')} -%}
  {%- if ends -%}{%- do columns.update({'service_end_date': local_date_of('record.service_end_text', 'service_end_zone')}) -%}{%- endif -%}
  {{ return(columns) }}
{% endmacro %}

{#- `record` with the targets of its references, the meaning of its codes and the offsets of its dates (`service`, `service_end`) beside it. -#}
{% macro fhir_from(references=['subject'], concepts=[], days=[]) -%}
from record
{%- for name in references %}
left join reference {{ name }}_target on {{ name }}_target.delivery_id = record.delivery_id and {{ name }}_target.reference = record.{{ name }}_reference
{%- endfor %}
{%- for name in concepts %}
left join concept {{ name }}_concept on {{ name }}_concept.element = '{{ name }}' and {{ name }}_concept.facility_id = record.facility_id
  and {{ name }}_concept.batch_date = record.batch_date and {{ name }}_concept.concept = record.{{ name }}
{%- endfor %}
{%- for name in days %}
left join zone_day {{ name }}_zone on {{ name }}_zone.zone = record.timezone and {{ name }}_zone.day = try_cast(left(record.{{ name }}_text, 10) as date)
{%- endfor %}
{%- endmacro %}

{#- Display of the first of an encounter's three first places whose kind satisfies a condition (`?` is the kind; R4 lists places with
    their physicalType: wa ward, ro room, bd bed). -#}
{% macro fhir_place(condition) -%}
  coalesce({% for place in [0, 1, 2] %}case when {{ condition | replace('?', 'record.location_type_' ~ place) }} then record.location_{{ place }} end
    {{- ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
