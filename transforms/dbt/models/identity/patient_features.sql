{{ config(materialized='scoped', strategy='merge_keys', consumer='patient_features',
          refills=['patient_features', 'identity', 'person'], tags=['current']) }}
{#- What identity compares, normalised: only here, so that both engines, the scorer and the steward see the same text. -#}
with changed as (
  {{ changed_patients('patient_features') }}
),
record as (
  select patient.fact_key as patient_key, patient.facility_id, coalesce(patient.active, true) as is_active,
    patient.identifier_system, patient.identifier_value,
    {{ plain_text('patient.name_family') }} as family_text,
    {{ given_text('patient.name_given') }} as given_text,
    {{ plain_text('patient.name_suffix') }} as suffix_text,
    case when patient.gender in ('male', 'female') then patient.gender end as gender,
    patient.birth_date as birth_date_text,
    {{ digits('patient.telecom_phone') }} as phone_digits,
    nullif({{ email_text('patient.telecom_email') }}, '') as email_text,
    {{ address_text('patient.address_line') }} as address_text,
    {{ postal_area('patient.address_postal_code') }} as postal_area
  from {{ ref('patient') }} patient
  join changed on changed.patient_key = patient.fact_key
  where patient.is_deleted = false
),
{#- one stream from here: what is worked out stays beside the record, so that no table of all records is joined with another -#}
named as (
  select record.*,
    coalesce({{ generation('record.suffix_text') }}, {{ generation(regexp_first('record.family_text', ' [A-Z0-9]+$')) }}) as suffix,
    {{ family_words('record.family_text') }} as family_said,
    {{ first_given('record.given_text') }} as given_said,
    nullif(trim(substr(record.given_text, length({{ first_given('record.given_text') }}) + 1)), '') as middle_said,
    case when length(record.phone_digits) >= 10 and right(record.phone_digits, 7) <> '0000000' then right(record.phone_digits, 10) end as phone_said,
    case when record.email_text like '%_@_%._%' then record.email_text end as email_said,
    {{ house_number('record.address_text') }} as address_number,
    nullif(trim({{ regexp_replace_all(regexp_replace_all('record.address_text', unit_pattern(), ''), '^([0-9]+|P ?O BOX [0-9]+)', '') }}), '')
      as address_street,
    {{ unit_number('record.address_text') }} as address_unit,
    case when record.postal_area not in ('00000', '99999') then record.postal_area end as postal_code
  from record
),
judged as (
  select named.patient_key, named.facility_id, named.is_active, named.identifier_system, named.suffix, named.middle_said, named.gender,
    named.address_number, named.address_street, named.address_unit, named.postal_code,
    case when no_family.value is null then named.family_said end as family_said,
    case when no_given.value is null then nullif(named.given_said, '') end as given_said,
    newborn.value is not null as is_newborn,
    no_family.value is not null or no_given.value is not null or no_name.value is not null as is_unidentified,
    case when no_date.value is null and length(named.birth_date_text) >= 10 then try_cast(left(named.birth_date_text, 10) as date) end as birth_date,
    case when no_date.value is null and length(named.birth_date_text) in (4, 7) then named.birth_date_text end as partial_text,
    case when no_phone.value is null and own_phone.value is null then named.phone_said end as phone,
    case when no_email.value is null then named.email_said end as email,
    own_address.value is null as is_their_own
  from named
  {{ join_rule('no_family', 'family', 'named.family_said') }}
  {{ join_rule('no_given', 'given', 'named.given_said') }}
  {{ join_rule('no_name', 'name', "named.family_said || ' ' || named.given_said") }}
  {{ join_rule('newborn', 'newborn', 'named.given_said') }}
  {{ join_rule('no_date', 'birth_date', 'left(named.birth_date_text, 10)') }}
  {{ join_rule('no_phone', 'phone', 'named.phone_said') }}
  {{ join_rule('no_email', 'email', 'named.email_said') }}
  {{ join_rule('own_phone', 'own_phone', 'named.phone_said') }}
  {{ join_rule('own_address', 'own_address', 'named.address_number') }} and own_address.postal_code = named.postal_code
),
identified as (
  select identifier.subject_key as patient_key, identifier.system, identifier.type_code,
    {#- always so: what needs both sides of the join is computed after it, not of each identifier that there is -#}
    case when record.patient_key is not null then nullif({{ number_text('identifier.value') }}, '') end as value,
    case when record.patient_key is not null and (identifier.type_code = 'SS' or identifier.system = 'http://hl7.org/fhir/sid/us-ssn')
         then {{ digits('identifier.value') }} end as ssn_digits
  from {{ ref('patient_identifier') }} identifier
  join record on record.patient_key = identifier.subject_key
  where identifier.is_deleted = false
  union all
  select record.patient_key, record.identifier_system, 'MR', nullif({{ number_text('record.identifier_value') }}, ''), cast(null as varchar)
  from record
),
security as (
  select identified.patient_key,
    {#- two numbers on one record say that one of them is wrong, not which -#}
    case when min(case when length(identified.ssn_digits) = 9 then identified.ssn_digits end)
            = max(case when length(identified.ssn_digits) = 9 then identified.ssn_digits end)
         then max(case when length(identified.ssn_digits) = 9 then identified.ssn_digits end) end as ssn,
    case when min(right(identified.ssn_digits, 4)) = max(right(identified.ssn_digits, 4)) then max(right(identified.ssn_digits, 4)) end as ssn_last4
  from identified
  {{ join_rule('no_ssn', 'ssn', 'identified.ssn_digits') }}
  {{ join_rule('no_last4', 'ssn_last4', 'identified.ssn_digits') }}
  where length(identified.ssn_digits) in (4, 9)
    {#- SSA: no area 000, 666 or 900 to 999, no group 00, no serial 0000 -#}
    and right(identified.ssn_digits, 4) <> '0000'
    and (length(identified.ssn_digits) = 4
         or (left(identified.ssn_digits, 3) not in ('000', '666') and left(identified.ssn_digits, 1) <> '9' and substr(identified.ssn_digits, 4, 2) <> '00'))
    and no_ssn.value is null and no_last4.value is null
  group by identified.patient_key
),
numbered as (
  {#- HL7 table 0203: numbers that name one human to their authority, and numbers that a family may share -#}
  select distinct identified.patient_key,
    case when identified.type_code in ('MR', 'PI', 'PT', 'EI', 'MC', 'NI', 'JHN') then {{ md5_key(['identified.system', 'identified.value']) }} end as identifier,
    case when identified.type_code in ('MB', 'SN', 'MA', 'HC')
         then {{ md5_key([regexp_replace_all('identified.value', '-[0-9]+$', '')]) }} end as member
  from identified
  {{ join_rule('no_number', 'identifier', 'identified.value') }}
  where identified.value is not null
    and (identified.system is not null or identified.type_code in ('MB', 'SN', 'MA', 'HC', 'MC'))
    and no_number.value is null
),
{#- nearly everybody has one number or two: sorting them for everybody would take a third of the time -#}
number_count as (
  select numbered.patient_key,
    {%- for name in ['identifier', 'member'] %}
    count(numbered.{{ name }}) as {{ name }}_count, min(numbered.{{ name }}) as first_{{ name }}, max(numbered.{{ name }}) as last_{{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
  from numbered
  group by numbered.patient_key
),
number_many as (
  select numbered.patient_key,
    {{ dbt.listagg('numbered.identifier', "','", 'order by numbered.identifier') }} as identifiers,
    {{ dbt.listagg('numbered.member', "','", 'order by numbered.member') }} as members
  from numbered
  join number_count on number_count.patient_key = numbered.patient_key
  where number_count.identifier_count > 2 or number_count.member_count > 2
  group by numbered.patient_key
),
number_list as (
  select number_count.patient_key,
    {%- for name in ['identifier', 'member'] %}
    case when number_count.{{ name }}_count > 2 then number_many.{{ name }}s
         when number_count.{{ name }}_count = 2 then number_count.first_{{ name }} || ',' || number_count.last_{{ name }}
         else number_count.first_{{ name }} end as {{ name }}s
    {{- ',' if not loop.last }}
    {%- endfor %}
  from number_count
  left join number_many on number_many.patient_key = number_count.patient_key
),
feature as (
  select judged.patient_key, judged.facility_id, judged.is_active, judged.identifier_system as authority,
    case when not judged.is_unidentified then judged.family_said end as family,
    case when not judged.is_unidentified and not judged.is_newborn then judged.given_said end as given,
    case when not judged.is_unidentified and not judged.is_newborn then judged.middle_said end as middle,
    judged.suffix, judged.is_newborn, judged.is_unidentified, judged.gender,
    judged.birth_date, coalesce(cast(judged.birth_date as varchar), judged.partial_text) as birth_text,
    case when judged.birth_date is not null then 'day' when length(judged.partial_text) = 7 then 'month'
         when length(judged.partial_text) = 4 then 'year' end as birth_precision,
    judged.phone, judged.email,
    {% for column in ['address_number', 'address_street', 'address_unit', 'postal_code'] %}case when judged.is_their_own then judged.{{ column }} end as {{ column }}, {% endfor %}
    security.ssn, security.ssn_last4, nullif(number_list.identifiers, '') as identifiers,
    nullif(number_list.members, '') as members
  from judged
  left join security on security.patient_key = judged.patient_key
  left join number_list on number_list.patient_key = judged.patient_key
)
{%- set columns = ['facility_id', 'is_active', 'authority', 'family', 'given', 'middle', 'suffix', 'is_newborn', 'is_unidentified', 'gender', 'birth_date',
  'birth_text', 'birth_precision', 'phone', 'email', 'address_number', 'address_street', 'address_unit', 'postal_code', 'ssn', 'ssn_last4', 'identifiers', 'members'] %}
select feature.patient_key, {% for column in columns %}feature.{{ column }}, {% endfor %}
  {{ md5_key(prefixed(columns, 'feature')) }} as features_hash
from feature
