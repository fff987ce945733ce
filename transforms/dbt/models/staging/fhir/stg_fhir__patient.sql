{%- set fields = {'active': ['active'], 'name': ['name'], 'gender': ['gender'], 'birth_date': ['birthDate'], 'telecom': ['telecom'],
                  'address': ['address'], 'marital': ['maritalStatus'], 'extension': ['extension'], 'deceased_datetime': ['deceasedDateTime']} -%}
with {{ fhir_record('Patient', fields, dates=['birth_date', 'deceased_datetime'], kinds={'birth_date': 'date'}) }},
{{ fhir_concepts({'marital': {'maps': ['patient_marital_status', 'marital_status'], 'kind': 'marital'}}) }},
{#- The name in use: official, then usual, then any that is not former (R4 s2.24.0.17 HumanName.use). -#}
name_listed as (
  select record.record_id, {{ array_place('listed') }} as place, {{ json_text(array_value('listed'), ['use']) }} as name_use,
    coalesce({{ json_text(array_value('listed'), ['family']) }}, {{ json_text(array_value('listed'), ['text']) }}) as family,
    {{ json_joined(array_value('listed'), 'given', ' ') }} as given, {{ json_joined(array_value('listed'), 'suffix', ' ') }} as suffix
  from record{{ unnest_array('listed', json_parse('record.name')) }}
),
name_chosen as (
  select name_listed.record_id, name_listed.family, name_listed.given, name_listed.suffix,
    row_number() over (partition by name_listed.record_id order by
      case name_listed.name_use when 'official' then 0 when 'usual' then 1 when 'old' then 4 when 'maiden' then 4 when 'anonymous' then 4
        when 'nickname' then 3 else 2 end, name_listed.place) as choice
  from name_listed
),
address_listed as (
  select record.record_id, {{ array_place('listed') }} as place, {{ json_text(array_value('listed'), ['use']) }} as address_use,
    {{ json_joined(array_value('listed'), 'line', ', ') }} as line, {{ json_text(array_value('listed'), ['city']) }} as city,
    {{ json_text(array_value('listed'), ['state']) }} as state, {{ json_text(array_value('listed'), ['postalCode']) }} as postal_code
  from record{{ unnest_array('listed', json_parse('record.address')) }}
),
address_chosen as (
  select address_listed.record_id, address_listed.line, address_listed.city, address_listed.state, address_listed.postal_code,
    row_number() over (partition by address_listed.record_id order by
      case address_listed.address_use when 'home' then 0 when 'old' then 3 when 'billing' then 2 else 1 end, address_listed.place) as choice
  from address_listed
),
{#- The first phone and e-mail by rank, then home before other uses; former ones never (ContactPoint.use). -#}
telecom_listed as (
  select record.record_id, {{ array_place('listed') }} as place, {{ json_text(array_value('listed'), ['system']) }} as system,
    {{ json_text(array_value('listed'), ['use']) }} as telecom_use, {{ json_text(array_value('listed'), ['value']) }} as value,
    try_cast({{ json_text(array_value('listed'), ['rank']) }} as integer) as preference
  from record{{ unnest_array('listed', json_parse('record.telecom')) }}
),
telecom_chosen as (
  select telecom_listed.record_id, telecom_listed.system, telecom_listed.value,
    row_number() over (partition by telecom_listed.record_id, telecom_listed.system order by coalesce(telecom_listed.preference, 999),
      case telecom_listed.telecom_use when 'home' then 0 when 'mobile' then 1 else 2 end, telecom_listed.place) as choice
  from telecom_listed
  where telecom_listed.system in ('phone', 'email') and coalesce(telecom_listed.telecom_use, '') <> 'old' and telecom_listed.value is not null
),
contact as (
  select telecom_chosen.record_id, max(case when telecom_chosen.system = 'phone' then telecom_chosen.value end) as phone,
    max(case when telecom_chosen.system = 'email' then telecom_chosen.value end) as email
  from telecom_chosen where telecom_chosen.choice = 1 group by telecom_chosen.record_id
),
{#- US Core race and ethnicity are complex extensions: OMB categories, detailed codes (left out here) and a text. -#}
extension_listed as (
  select record.record_id, {{ json_text(array_value('listed'), ['url']) }} as url, {{ json_text(array_value('listed'), ['valueCode']) }} as code,
    {{ json_text(array_value('listed'), ['extension']) }} as parts
  from record{{ unnest_array('listed', json_parse('record.extension')) }}
),
extension_part as (
  select extension_listed.record_id, extension_listed.url, {{ json_text(array_value('listed'), ['url']) }} as part,
    {{ json_text(array_value('listed'), ['valueCoding', 'code']) }} as code, {{ json_text(array_value('listed'), ['valueString']) }} as text
  from extension_listed{{ unnest_array('listed', json_parse('extension_listed.parts')) }}
  where extension_listed.url in ('http://hl7.org/fhir/us/core/StructureDefinition/us-core-race', 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity')
),
{#- Categories once each; a code outside the OMB value sets is no category, as in the other dialects. -#}
omb_category as (
  select distinct extension_part.record_id, case when extension_part.url like '%-race' then 'race' else 'ethnicity' end as kind, extension_part.code
  from extension_part where extension_part.part = 'ombCategory' and extension_part.code is not null
),
omb_judged as (
  select omb_category.record_id, omb_category.kind, omb_category.code,
    case when omb_category.code in ('UNK', 'ASKU')
        or omb_category.kind = 'race' and omb_category.code in ('1002-5', '2028-9', '2054-5', '2076-8', '2106-3')
        or omb_category.kind = 'ethnicity' and omb_category.code in ('2135-2', '2186-5') then 1 else 0 end as is_category
  from omb_category
),
described as (
  select extension_part.record_id, max(case when extension_part.url like '%-race' and extension_part.part = 'text' then extension_part.text end) as race_text
  from extension_part group by extension_part.record_id
),
demographics as (
  select omb_judged.record_id,
    nullif({{ dbt.listagg("case when omb_judged.kind = 'race' and omb_judged.is_category = 1 then omb_judged.code end", "','", 'order by omb_judged.code') }}, '') as race_omb_codes,
    max(case when omb_judged.kind = 'ethnicity' and omb_judged.is_category = 1 then omb_judged.code end) as ethnicity_omb_code,
    max(1 - omb_judged.is_category) as has_other
  from omb_judged group by omb_judged.record_id
),
birth_sex as (
  select extension_listed.record_id, max(extension_listed.code) as code
  from extension_listed where extension_listed.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex' group by extension_listed.record_id
),
own_identifier as (
  select identifier.record_id, identifier.system, identifier.value
  from {{ ref('stg_fhir__identifier') }} identifier where identifier.choice = 1
)
select
  {{ staging_select('patient', fhir_columns({
    'identifier_system': 'own_identifier.system', 'identifier_value': 'own_identifier.value',
    'active': "case when record.is_deleted then null else coalesce(record.active, 'true') end",
    'name_family': 'name_chosen.family', 'name_given': 'name_chosen.given', 'name_suffix': 'name_chosen.suffix',
    'gender': "case when record.gender in ('male', 'female', 'other', 'unknown') then record.gender end", 'birth_date': 'record.birth_date',
    'telecom_phone': 'contact.phone', 'telecom_email': 'contact.email',
    'address_line': 'address_chosen.line', 'address_city': 'address_chosen.city', 'address_state': 'address_chosen.state',
    'address_postal_code': 'address_chosen.postal_code', 'marital_status_code': 'marital_concept.code',
    'race_omb_codes': "nullif(demographics.race_omb_codes, '')", 'race_text': 'described.race_text',
    'ethnicity_omb_code': 'demographics.ethnicity_omb_code', 'birth_sex': 'birth_sex.code', 'deceased_datetime': 'record.deceased_datetime',
  }, references=[], concepts=['marital'], status=none,
     flags=[["record.gender is not null and record.gender not in ('male', 'female', 'other', 'unknown') or demographics.has_other = 1", 'code.unmapped_local']])) }}
{{ fhir_from([], ['marital']) }}
left join own_identifier on own_identifier.record_id = record.record_id
left join name_chosen on name_chosen.record_id = record.record_id and name_chosen.choice = 1
left join address_chosen on address_chosen.record_id = record.record_id and address_chosen.choice = 1
left join contact on contact.record_id = record.record_id
left join demographics on demographics.record_id = record.record_id
left join described on described.record_id = record.record_id
left join birth_sex on birth_sex.record_id = record.record_id
