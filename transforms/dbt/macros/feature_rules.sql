{#- The rules that features follow: a rule that comes or goes reaches the records that it speaks of. -#}

{#- Family name without its generation part, and the first given name, of text as `plain_text` gives it. -#}
{% macro family_words(text) -%} {{ regexp_replace_all(text, ' (JR|JUNIOR|SR|SENIOR|II|III|IV|2ND|3RD|4TH)$', '') }} {%- endmacro %}
{% macro first_given(text) -%} split_part({{ text }}, ' ', 1) {%- endmacro %}

{#- What a patient record says that rules of each kind speak of: (kind, expression over `patient`), before anything is taken for nothing. -#}
{% macro ruled_values() %}
  {%- set family = family_words(plain_text('patient.name_family')) -%}
  {%- set given = first_given(given_text('patient.name_given')) -%}
  {{ return([
    ('family', family), ('given', given), ('name', family ~ " || ' ' || " ~ given), ('newborn', given),
    ('birth_date', 'left(patient.birth_date, 10)'), ('phone', phone_number('patient.telecom_phone')), ('own_phone', phone_number('patient.telecom_phone')),
    ('email', email_text('patient.telecom_email')), ('identifier', number_text('patient.identifier_value')),
    ('own_address', house_number(address_text('patient.address_line')))
  ]) }}
{% endmacro %}

{#- Records that one of the `rules` (a query: kind, value, postal_code) speaks of. -#}
{% macro ruled_patients(rules) -%}
    with rule_moved as ({{ rules }})
    {%- for kind, value in ruled_values() %}
    select patient.fact_key as patient_key, patient.facility_id
    from {{ ref('patient') }} patient
    join rule_moved on rule_moved.kind = '{{ kind }}' and rule_moved.value = {{ value }}
    {%- if kind == 'own_address' %} and rule_moved.postal_code = {{ postal_area('patient.address_postal_code') }}{% endif %}
    where patient.is_deleted = false
    union
    {%- endfor %}
    {%- for kinds, value in [("'ssn', 'ssn_last4'", digits('identifier.value')), ("'identifier'", number_text('identifier.value'))] %}
    select patient.fact_key, patient.facility_id
    from {{ ref('patient_identifier') }} identifier
    join rule_moved on rule_moved.kind in ({{ kinds }}) and rule_moved.value = {{ value }}
    join {{ ref('patient') }} patient on patient.fact_key = identifier.subject_key
    where identifier.is_deleted = false and patient.is_deleted = false
    {{- ' union' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Strategy `replace_rules`: the rules are replaced whole where one came or went, and the records that it speaks of go to the change log as
    `feature_rule`. Where no features were made yet, there is nobody to tell. Nothing is asked of the records where no rule moved. -#}
{% macro scoped_replace_rules_sql(target, staged, columns) %}
  {%- set object = target.identifier | lower -%}
  {%- set listed = columns | join(', ') -%}
  {%- set moved -%}
    (select {{ listed }} from {{ staged }} except select {{ listed }} from {{ target }})
    union all
    (select {{ listed }} from {{ target }} except select {{ listed }} from {{ staged }})
  {%- endset -%}
  {%- call statement('moved', fetch_result=True) -%}
    select count(*) from ({{ moved }}) rule_moved
  {%- endcall -%}
  {%- call statement('followed', fetch_result=True) -%}
    select count(*) from {{ source('control', 'consumer') }} consumer where consumer.consumer = 'patient_features'
  {%- endcall -%}
  {%- set dml -%}
    {%- if load_result('moved')['data'][0][0] > 0 %}
    {%- if load_result('followed')['data'][0][0] > 0 %}
    insert into {{ source('control', 'change_log') }} (run_seq, object, fact_key, facility_id)
    select {{ run_seq() }}, '{{ object }}', ruled.patient_key, ruled.facility_id from (
    {{ ruled_patients(moved) }}
    ) ruled;
    {%- endif %}
    delete from {{ target }};
    {{ insert_rows(target, columns, staged) }};
    {%- endif %}
    {{ move_watermark(object) }}
  {%- endset -%}
  {{ return(dml) }}
{% endmacro %}
