{#-
  Reading HL7 v2 columns (HL7 v2.5.1 chapters 2 and 2A): null against empty, DTM, authorities, coded elements, tables.
  Column names follow `transforms/decode/hl7v2/segments.py`: `pid_5` the whole field as sent, `pid_5_1` a component, `pid_5_1_1` its subcomponent.
-#}

{#- Value of a component: `""` (delete, s2.10.4) is no value. -#}
{% macro hl7_value(column) -%} nullif({{ column }}, '""') {%- endmacro %}
{#- Presence of a field: 'V' valued, 'N' to be deleted, null absent (no change). -#}
{% macro hl7_mark(column) -%} case when {{ column }} = '""' then 'N' when {{ column }} is not null then 'V' end {%- endmacro %}
{#- First subcomponent of a component, divided or not. -#}
{% macro hl7_first(column) -%} {{ hl7_value('coalesce(' ~ column ~ '_1, ' ~ column ~ ')') }} {%- endmacro %}

{#- Columns that every row of a staging model takes from its message (alias), its segment (alias) and its subject's keys. -#}
{% macro hl7_header(message, segment, values) %}
  {%- set header = {} -%}
  {%- for name in ['unit_id', 'delivery_id', 'payload_id', 'facility_id', 'batch_date', 'received_time', 'source', 'source_time', 'source_order'] -%}
    {%- do header.update({name: message ~ '.' ~ name}) -%}
  {%- endfor -%}
  {%- do header.update({'record_id': segment ~ '.record_id', 'record_locator': segment ~ '.record_locator', 'is_deleted': 'false',
                        'is_fact': 'false', 'maintains': '0'}) -%}
  {%- do header.update(values) -%}
  {{ return(header) }}
{% endmacro %}

{#-
  DTM: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ] (ch. 2A). CTEs `<name>_read`, `<name>_offset`, `<name>`: one row for each distinct
  text of a column in a zone: zone, text, date_text (the date as written), value (FHIR lexical: partial date as sent, else UTC instant), moment (timestamp, the start of
  a partial date), local_day (facility-local date), doubt ('invalid', 'gap', 'overlap' or null). Written times repeat a hundredfold, and zone
  arithmetic is the dearest part. Join by `hl7_time_join`. `digits`: how many a fraction may have, four in a DTM.
-#}
{% macro hl7_times(name, relation, column, zone='timezone', digits=4) %}
{%- set stem = "split_part(split_part(written.text, '+', 1), '-', 1)" -%}
{%- set shape = '[0-9]{4}((0[1-9]|1[0-2])((0[1-9]|[12][0-9]|3[01])(([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9]([.][0-9]{1,' ~ digits ~ '})?)?)?)?)?)?([+-](0[0-9]|1[0-4])[0-5][0-9])?' %}
{{ name }}_text as (
  select distinct {{ relation }}.{{ zone }} as zone, {{ hl7_value(relation ~ '.' ~ column) }} as text
  from {{ relation }} where {{ relation }}.{{ column }} is not null
),
{{ name }}_read as (
  select written.zone, written.text, {{ stem }} as stem,
    case when {{ regexp_full('written.text', shape) }} and left(written.text, 4) <> '0000' then
      left(written.text, 4) || case when length({{ stem }}) >= 6 then '-' || substr(written.text, 5, 2) else '' end
        || case when length({{ stem }}) >= 8 then '-' || substr(written.text, 7, 2) else '' end end as date_text,
    substr({{ stem }}, 9) as clock, substr(written.text, length({{ stem }}) + 1) as offset_text
  from {{ name }}_text written where written.text is not null
),
{{ name }}_local as (
  select seen.zone, seen.text, seen.date_text,
    try_cast(left(seen.date_text || '-01-01', 10) as date) as local_day,
    case when seen.clock <> '' then try_cast(seen.date_text || ' ' || left(seen.clock, 2) || ':' || case when length(seen.clock) >= 4 then substr(seen.clock, 3, 2)
      else '00' end || ':' || case when length(seen.clock) >= 6 then substr(seen.clock, 5) else '00' end as timestamp) end as local_time,
    case when seen.offset_text <> '' and seen.date_text is not null then
      cast(left(seen.offset_text, 1) || '1' as integer) * (cast(substr(seen.offset_text, 2, 2) as integer) * 3600 + cast(substr(seen.offset_text, 4, 2) as integer) * 60)
    end as own_offset
  from {{ name }}_read seen
),
{{ name }}_offset as (
  select seen.zone, seen.text, seen.date_text, seen.local_day, seen.local_time, seen.own_offset,
    coalesce(seen.own_offset, {{ offset_before('seen.local_time', 'seen.zone') }}) as offset_before,
    coalesce(seen.own_offset, {{ offset_after('seen.local_time', 'seen.zone') }}) as offset_after
  from {{ name }}_local seen
),
{{ name }}_utc as (
  select seen.zone, seen.text, seen.date_text, seen.local_day, seen.local_time, seen.own_offset,
    {{ local_to_utc_between('seen.local_time', 'seen.offset_before', 'seen.offset_after', 'seen.zone') }} as utc,
    case when {{ is_gap_between('seen.local_time', 'seen.offset_before', 'seen.offset_after', 'seen.zone') }} then 'gap'
      when {{ is_overlap_between('seen.local_time', 'seen.offset_before', 'seen.offset_after', 'seen.zone') }} then 'overlap'
      when seen.local_day is null then 'invalid' end as doubt
  from {{ name }}_offset seen
),
{{ name }} as (
  select seen.zone, seen.text, seen.date_text, seen.doubt,
    case when seen.utc is not null then {{ instant_text('seen.utc') }} when seen.local_day is not null then seen.date_text end as value,
    coalesce(seen.utc, cast(seen.local_day as timestamp)) as moment,
    case when seen.own_offset is not null and seen.utc is not null then cast({{ utc_to_zone('seen.utc', 'seen.zone') }} as date) else seen.local_day end as local_day
  from {{ name }}_utc seen
)
{%- endmacro %}
{% macro hl7_time_join(name, zone, text) -%}
  left join {{ name }} on {{ name }}.text = {{ text }} and {{ name }}.zone = {{ zone }}
{%- endmacro %}

{#- Flags and reject code of the times joined under these names. -#}
{% macro time_flags(names) %}
  {%- set gaps = [] -%}{%- set overlaps = [] -%}
  {%- for name in names -%}
    {%- do gaps.append("coalesce(" ~ name ~ ".doubt, '') = 'gap'") -%}{%- do overlaps.append("coalesce(" ~ name ~ ".doubt, '') = 'overlap'") -%}
  {%- endfor -%}
  {{ return([[gaps | join(' or '), 'time.nonexistent_local'], [overlaps | join(' or '), 'time.ambiguous_local']]) }}
{% endmacro %}
{% macro time_reject(names) -%}
  case when {% for name in names %}{{ name }}.doubt = 'invalid'{{ ' or ' if not loop.last }}{% endfor %} then 'time.invalid' end
{%- endmacro %}

{#-
  Assigning authority (HD, s2.A.33) -> URI. `namespace`, `universal`, `universal_type` are columns of the three parts. The registered namespace
  first, then an ISO object identifier or UUID as URN; an authority that is none of these is unknown. None at all: the facility's default.
-#}
{% macro hd_uri(universal, universal_type) -%}
  case when {{ universal_type }} = 'ISO' then 'urn:oid:' || {{ universal }}
    when {{ universal_type }} in ('UUID', 'GUID') then 'urn:uuid:' || lower({{ universal }})
    when {{ universal_type }} = 'URI' then {{ universal }} end
{%- endmacro %}

{#- Codes of an HL7 table, joined under an alias (seed `hl7_code`). -#}
{% macro join_hl7_table(coded, hl7_table, code) -%}
  left join {{ ref('hl7_code') }} {{ coded }} on {{ coded }}.hl7_table = '{{ hl7_table }}' and {{ coded }}.code = {{ code }}
{%- endmacro %}

{#-
  CE, CWE (ch. 2A): the standard coding wherever it stands, primary before alternate before second alternate (components 10 to 12, v2.7); else the facility's code map for the primary's or the
  alternate's local code; else null with the local code kept. Joins for a coded element of `alias` whose columns begin with `base`;
  `coding_system` is the primary's system where it stands elsewhere. Then `coded_columns` gives the contract's code columns.
-#}
{% macro join_coded(name, alias, base, map_name, coding_system=none) -%}
  {%- set column = alias ~ '.' ~ base -%}
  left join {{ ref('hl7_coding_system') }} {{ name }}_1 on {{ name }}_1.coding_system = upper({{ coding_system or column ~ '_3' }})
  left join {{ ref('hl7_coding_system') }} {{ name }}_2 on {{ name }}_2.coding_system = upper({{ column }}_6)
  left join {{ ref('hl7_coding_system') }} {{ name }}_3 on {{ name }}_3.coding_system = upper({{ column }}_12)
  {{ join_code_map(name ~ '_map_1', alias, map_name, column ~ '_1') }}
  {{ join_code_map(name ~ '_map_2', alias, map_name, column ~ '_4') }}
{%- endmacro %}
{% macro coded_columns(name, alias, base, coding_system=none) %}
  {%- set column = alias ~ '.' ~ base -%}
  {%- set primary = name ~ '_1.is_standard and ' ~ column ~ '_1 is not null' -%}
  {%- set alternate = name ~ '_2.is_standard and ' ~ column ~ '_4 is not null' -%}
  {%- set second = name ~ '_3.is_standard and ' ~ column ~ '_10 is not null' -%}
  {%- set primary_system = "coalesce(" ~ name ~ "_1.system, " ~ (coding_system or column ~ '_3') ~ ")" -%}
  {%- set alternate_system = "coalesce(" ~ name ~ "_2.system, " ~ column ~ "_6)" -%}
  {{ return({
    'code': "case when " ~ primary ~ " then " ~ icd_10_cm(name ~ '_1.system', column ~ '_1') ~ " when " ~ alternate ~ " then "
            ~ icd_10_cm(name ~ '_2.system', column ~ '_4') ~ " when " ~ second ~ " then " ~ icd_10_cm(name ~ '_3.system', column ~ '_10')
            ~ " else coalesce(" ~ name ~ "_map_1.code, " ~ name ~ "_map_2.code) end",
    'system': "case when " ~ primary ~ " then " ~ name ~ "_1.system when " ~ alternate ~ " then " ~ name ~ "_2.system when "
              ~ second ~ " then " ~ name ~ "_3.system else coalesce(" ~ name ~ "_map_1.system, " ~ name ~ "_map_2.system) end",
    'text': hl7_value("coalesce(case when " ~ primary ~ " then " ~ column ~ "_2 when " ~ alternate ~ " then "  ~ column ~ "_5 when "
            ~ second ~ " then " ~ column ~ "_11 end, " ~ column ~ "_2, " ~ column ~ "_5)"),
    'local_code': "case when not coalesce(" ~ primary ~ ", false) and " ~ column ~ "_1 is not null then " ~ column
                  ~ "_1 when not coalesce(" ~ alternate ~ ", false) then " ~ column ~ "_4 end",
    'local_system': "case when not coalesce(" ~ primary ~ ", false) and " ~ column ~ "_1 is not null then " ~ primary_system
                    ~ " when not coalesce(" ~ alternate ~ ", false) and " ~ column ~ "_4 is not null then " ~ alternate_system ~ " end",
    'translations': "case when " ~ primary ~ " then " ~ alternate_system ~ " || '|' || " ~ column ~ "_4 when (" ~ alternate ~ ") or ("
                    ~ second ~ ") then " ~ primary_system ~ " || '|' || " ~ column ~ "_1 end",
    'is_unmapped': "(not coalesce(" ~ primary ~ ", false) and not coalesce(" ~ alternate ~ ", false) and not coalesce(" ~ second
                   ~ ", false) and " ~ name ~ "_map_1.code is null and " ~ name ~ "_map_2.code is null and coalesce(" ~ column ~ "_1, "
                   ~ column ~ "_2, " ~ column ~ "_4, " ~ column ~ "_5) is not null)"
  }) }}
{% endmacro %}

{#- Name of a person as it is shown: given, then family (XCN, ch. 2A); null where neither is given. -#}
{% macro person_display(column) -%}
  nullif(trim(coalesce({{ hl7_value(column ~ '_3') }}, '') || ' ' || coalesce({{ hl7_first(column ~ '_2') }}, '')), '')
{%- endmacro %}

{#- Flags of a row beside flags that are already a text. -#}
{% macro more_flags(flags, text) -%}
  nullif(ltrim(coalesce({{ flag_list(flags) }}, '') || coalesce(',' || {{ text }}, ''), ','), '')
{%- endmacro %}

{#- Text of a value that should have one component: others are kept behind their separator, never dropped. -#}
{% macro joined_components(column, first, last) -%}
  case when coalesce({% for n in range(first + 1, last + 1) %}{{ column }}{{ n }}{{ ', ' if not loop.last }}{% endfor %}) is null then {{ column }}{{ first }}
    else rtrim({% for n in range(first, last + 1) %}coalesce({{ column }}{{ n }}, ''){{ " || '^' || " if not loop.last }}{% endfor %}, '^') end
{%- endmacro %}

{#- Numbering of staff and places: null stands for the facility's own, as in its extracts, named or not. -#}
{% macro own_numbering(system, subject) -%} nullif({{ system }}, coalesce({{ subject }}.default_system, '')) {%- endmacro %}

{#- One coded or named person (XCN) of a segment as a row: number, names, the three parts of its authority (2.3.1 on: component 9). -#}
{% macro xcn_row(segment, field) -%}
  {%- set column = segment ~ '.' ~ field -%}
  select {{ segment }}.record_id, {{ segment }}.record_locator, {{ segment }}.unit_id, {{ segment }}.facility_id, {{ segment }}.batch_date, {{ segment }}.patient_group,
    {{ hl7_value(column ~ '_1') }} as number, {{ hl7_first(column ~ '_2') }} as name_family, {{ hl7_value(column ~ '_3') }} as name_given,
    case when {{ column }}_9_2 is null then coalesce({{ column }}_9_1, {{ column }}_9) else {{ column }}_9_1 end as namespace,
    {{ hd_uri(column ~ '_9_2', column ~ '_9_3') }} as own_uri
  from {{ source('raw', 'raw_hl7v2__' ~ segment) }} {{ segment }}
  where {{ in_scope(segment) }} and {{ hl7_value(column ~ '_1') }} is not null
{%- endmacro %}

{#- What an OBX observed, for keys: code and system, never the wording, which a correction may change. -#}
{% macro observed_test(obx) -%}
  case when {{ obx }}.obx_3_1 is not null then {{ obx }}.obx_3_1 || '^' || coalesce({{ obx }}.obx_3_3, '')
    when {{ obx }}.obx_3_4 is not null then {{ obx }}.obx_3_4 || '^' || coalesce({{ obx }}.obx_3_6, '') else coalesce({{ obx }}.obx_3_2, {{ obx }}.obx_3_5, '') end
{%- endmacro %}
