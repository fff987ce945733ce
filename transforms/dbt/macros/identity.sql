{#- Identity: normalised text, the changed keys of its tables, and the strategy `merge_keys`. -#}

{#- Every match of a pattern, replaced. -#}
{% macro regexp_replace_all(text, pattern, by) %}{{ return(adapter.dispatch('regexp_replace_all', 'lakehouse')(text, pattern, by)) }}{% endmacro %}
{% macro duckdb__regexp_replace_all(text, pattern, by) -%} regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g') {%- endmacro %}
{% macro snowflake__regexp_replace_all(text, pattern, by) -%} regexp_replace({{ text }}, '{{ pattern | replace("\\", "\\\\") }}', '{{ by }}') {%- endmacro %}

{#- Latin letters with diacritics, and the letter that remains. Letters of other scripts are left as they are: dropping them would
    make every such name empty, and so equal. -#}
{% macro base_letters() %}{{ return([
  ['ÀÁÂÃÄÅĀĂĄǍẠẢẤẦẨẪẬẮẰẲẴẶ', 'A'], ['ÇĆĈĊČ', 'C'], ['ĎĐÐ', 'D'], ['ÈÉÊËĒĔĖĘĚẸẺẼẾỀỂỄỆ', 'E'], ['ĜĞĠĢ', 'G'], ['ĤĦ', 'H'],
  ['ÌÍÎÏĨĪĬĮİỈỊ', 'I'], ['Ĵ', 'J'], ['Ķ', 'K'], ['ĹĻĽĿŁ', 'L'], ['ÑŃŅŇ', 'N'], ['ÒÓÔÕÖØŌŎŐƠỌỎỐỒỔỖỘỚỜỞỠỢ', 'O'], ['ŔŖŘ', 'R'],
  ['ŚŜŞŠȘ', 'S'], ['ŢŤŦȚ', 'T'], ['ÙÚÛÜŨŪŬŮŰŲƯỤỦỨỪỬỮỰ', 'U'], ['Ŵ', 'W'], ['ÝŶŸỲỴỶỸ', 'Y'], ['ŹŻŽ', 'Z']
]) }}{% endmacro %}

{#- Text in capitals without diacritics; apostrophes, question marks (lost letters) and combining marks go, other punctuation becomes
    one space; null where nothing is left. Most text is plain already. Translating costs the most of all normalisation, and by the length of its
    table: text in ASCII has no letter to be looked up. -#}
{% macro plain_text(text) -%}
  {%- set letters = namespace(before='', after='') -%}
  {%- for row in base_letters() -%}
    {%- set letters.before = letters.before ~ row[0] -%}{%- set letters.after = letters.after ~ row[1] * (row[0] | length) -%}
  {%- endfor -%}
  {%- set ascii = {'spaced': '-_,./\\()[]{}";:&+*|=<>', 'dropped': "''`?"} -%}
  {%- set spaced = ascii.spaced ~ '‐‑–—“”' -%}
  {%- set dropped = ascii.dropped ~ "’‘´ʻʼ\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u031b\u0323\u0327\u0328" -%}
  case when {{ regexp_full(text, '[A-Za-z0-9]+( [A-Za-z0-9]+)*') }} then upper({{ text }})
    when {{ regexp_full(text, '[ -~]*') }} then {{ translated("upper(" ~ text ~ ")", '', '', ascii.spaced, ascii.dropped) }}
    else {{ translated("replace(replace(replace(upper(replace(" ~ text ~ ", 'ß', 'ss')), 'Æ', 'AE'), 'Œ', 'OE'), 'Þ', 'TH')",
                       letters.before, letters.after, spaced, dropped) }} end
{%- endmacro %}

{#- Text with letters put for others, `spaced` become one space and `dropped` gone; null where nothing is left. -#}
{% macro translated(text, before, after, spaced, dropped) -%}
  nullif(trim({{ regexp_replace_all(
    "translate(" ~ text ~ ", '" ~ before ~ spaced | replace('\\', backslash()) ~ dropped ~ "', '" ~ after ~ ' ' * (spaced | length) ~ "')",
    '[ ]+', ' ') }}), '')
{%- endmacro %}

{#- One backslash inside a text literal. -#}
{% macro backslash() %}{{ return(adapter.dispatch('backslash', 'lakehouse')()) }}{% endmacro %}
{% macro duckdb__backslash() %}{{ return('\\') }}{% endmacro %}
{% macro snowflake__backslash() %}{{ return('\\\\') }}{% endmacro %}

{#- Generation part of a name: the only suffix that tells two humans apart (MD, PHD and the like say nothing). -#}
{% macro generation(text) -%}
  case trim({{ text }})
    when 'JR' then 'JR' when 'JUNIOR' then 'JR' when 'SR' then 'SR' when 'SENIOR' then 'SR' when 'II' then 'II' when '2ND' then 'II'
    when 'III' then 'III' when '3RD' then 'III' when 'IV' then 'IV' when '4TH' then 'IV' end
{%- endmacro %}

{#- What is compared of a given name, of an address line, of an e-mail, of a number of any kind, and of one in which only digits count: said
    here once, since features and the rules that take values for nothing must read the same text. -#}
{% macro given_text(text) -%} {{ plain_text("replace(" ~ text ~ ", '-', '')") }} {%- endmacro %}
{% macro address_text(text) -%} {{ plain_text("replace(" ~ text ~ ", '#', ' UNIT ')") }} {%- endmacro %}
{% macro email_text(text) -%} lower(trim({{ text }})) {%- endmacro %}
{% macro number_text(text) -%} upper(trim({{ text }})) {%- endmacro %}
{% macro digits(text) -%} {{ regexp_replace_all(text, '[^0-9]', '') }} {%- endmacro %}

{#- The part of a phone, a postal code and an address (as `address_text` gives it) that two records are compared by. -#}
{% macro phone_number(text) -%} right({{ digits(text) }}, 10) {%- endmacro %}
{% macro postal_area(text) -%} nullif(left({{ regexp_replace_all('upper(' ~ text ~ ')', '[^A-Z0-9]', '') }}, 5), '') {%- endmacro %}
{% macro house_number(text) -%}
  coalesce({{ regexp_first(text, '^[0-9]+') }}, replace({{ regexp_first(text, '^P ?O BOX [0-9]+') }}, 'P O BOX', 'PO BOX'))
{%- endmacro %}

{#- Where a home in a house is named (APT 12, UNIT 4 B, what address_text makes of #12), and its number without these words, in one piece. -#}
{% macro unit_pattern() %}{{ return(' (APT|APARTMENT|UNIT|STE|SUITE|LOT|RM|ROOM|TRLR)( .*)?$') }}{% endmacro %}
{% macro unit_number(text) -%}
  nullif(replace({{ regexp_replace_all(regexp_first(text, unit_pattern()),
                                       ' (APT|APARTMENT|UNIT|STE|SUITE|LOT|RM|ROOM|TRLR|NO)( UNIT)?( |$)', '') }}, ' ', ''), '')
{%- endmacro %}

{#- Joins the rule that says that a value is nothing: a placeholder, or a facility's own; `alias`.value is null for a real one. -#}
{% macro join_rule(alias, kind, value) -%}
  left join {{ ref('feature_rule') }} {{ alias }} on {{ alias }}.kind = '{{ kind }}' and {{ alias }}.value = {{ value }}
{%- endmacro %}

{#- Patient records whose content or identifiers changed since the consumer's watermark, or of which a rule speaks that came or went. -#}
{% macro changed_patients(consumer) -%}
    select change_log.fact_key as patient_key
    from {{ source('control', 'change_log') }} change_log
    where change_log.object in ('patient', 'feature_rule') and {{ unseen(consumer) }}
    union
    select change_log.old_subject_key
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = 'patient_identifier' and change_log.old_subject_key is not null and {{ unseen(consumer) }}
    union
    select change_log.new_subject_key
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = 'patient_identifier' and change_log.new_subject_key is not null and {{ unseen(consumer) }}
{%- endmacro %}

{#- Persons whose records came, went or changed since the consumer's watermark. -#}
{% macro changed_persons(consumer) -%}
    select change_log.old_subject_key as person_id
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = 'link' and change_log.old_subject_key is not null and {{ unseen(consumer) }}
    union
    select change_log.new_subject_key
    from {{ source('control', 'change_log') }} change_log
    where change_log.object = 'link' and change_log.new_subject_key is not null and {{ unseen(consumer) }}
    union
    select link.person_id
    from {{ source('control', 'change_log') }} change_log
    join {{ source('identity', 'link') }} link on link.patient_key = change_log.fact_key
    where change_log.object in ('patient', 'feature_rule') and {{ unseen(consumer) }}
{%- endmacro %}

{#- The first rows of a table of strategy `merge_keys`: nothing to replace. -#}
{% macro first_keys_sql(target, sql, columns) %}
  {%- set dml -%}
    {{ insert_rows(target, columns, '(' ~ sql ~ ')', 'said') }};
    {{ move_watermark(config.require('consumer')) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}

{#- Strategy `merge_keys`: the rows of the changed keys are replaced, a key without a new row leaves, the watermark moves. Config: `key`,
    `consumer`, `changed`, the name of the macro that lists the changed keys, and `refills`, the consumers that see all changes again when
    the table gains a column: its own, so that no old row stays without, and those that read it by the same changes. -#}
{% macro scoped_merge_keys_sql(target_relation, temp_relation, columns) %}
  {%- set key = config.get('key', 'patient_key') -%}
  {%- set consumer = config.require('consumer') -%}
  {%- set dml -%}
    delete from {{ target_relation }}
    where {{ target_relation }}.{{ key }} in (
    {{ context[config.get('changed', 'changed_patients')](consumer) }}
    );
    {{ insert_rows(target_relation, columns, temp_relation) }};
    {{ move_watermark(consumer) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
