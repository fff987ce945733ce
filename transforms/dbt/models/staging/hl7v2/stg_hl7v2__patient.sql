{#- One row for each PID: what the message says of that patient. ADT maintains the patient; orders and results only name one (by-product).
    A40 and A47 add the prior patient of MRG-1: retired, or gone because the number was wrong (s3.3.40, s3.3.47). -#}
with said as (
  select pid.record_id, pid.unit_id, pid.facility_id, pid.batch_date, subject.timezone, subject.patient_group, subject.patient_system, subject.patient_value,
    subject.patient_key, subject.is_adt, subject.kind,
    pid.pid_5, pid.pid_5_1, pid.pid_5_1_1, pid.pid_5_2, pid.pid_5_3, pid.pid_5_4, pid.pid_7_1, pid.pid_8, pid.pid_8_1, pid.pid_10, pid.pid_10_2,
    pid.pid_11, pid.pid_11_1, pid.pid_11_1_1, pid.pid_11_3, pid.pid_11_4, pid.pid_11_5, pid.pid_13, pid.pid_13_1, pid.pid_13_2, pid.pid_13_3, pid.pid_13_4,
    pid.pid_13_6, pid.pid_13_7, pid.pid_13_12, pid.pid_14, pid.pid_14_1, pid.pid_16, pid.pid_16_1, pid.pid_22, pid.pid_22_1, pid.pid_29_1
  from {{ source('raw', 'raw_hl7v2__pid') }} pid
  join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = pid.record_id and subject.patient_key is not null
  where {{ in_scope('pid') }}
),
{{ hl7_times('birth', 'said', 'pid_7_1') }},
{{ hl7_times('death', 'said', 'pid_29_1') }},
{#- Repetitions that the first one does not tell: all races, and the first address for electronic mail. -#}
repeated as (
  select listing.unit_id, listing.segment_ordinal, listing.field, listing.repetition, listing.c1, listing.c2, listing.c3, listing.c4
  from {{ source('raw', 'raw_hl7v2__repetition') }} listing
  where {{ in_scope('listing') }} and (listing.field = 'pid_10' or (listing.field = 'pid_13' and (listing.c3 = 'Internet' or listing.c2 = 'NET')))
),
holder as (
  select pid.unit_id, pid.segment_ordinal, pid.record_id from {{ source('raw', 'raw_hl7v2__pid') }} pid where {{ in_scope('pid') }}
),
race as (
  select distinct holder.record_id, race_coded.fhir_code
  from repeated
  join holder on holder.unit_id = repeated.unit_id and holder.segment_ordinal = repeated.segment_ordinal
  {{ join_hl7_table('race_coded', '0005', 'repeated.c1') }}
  where repeated.field = 'pid_10' and race_coded.fhir_code is not null
),
races as (
  select race.record_id, {{ dbt.listagg('race.fhir_code', "','", 'order by race.fhir_code') }} as omb_codes from race group by race.record_id
),
electronic as (
  select holder.record_id, coalesce(repeated.c4, repeated.c1) as address,
    row_number() over (partition by holder.record_id order by repeated.repetition) as place
  from repeated
  join holder on holder.unit_id = repeated.unit_id and holder.segment_ordinal = repeated.segment_ordinal
  where repeated.field = 'pid_13'
),
described as (
  select said.record_id, said.patient_key, said.pid_5, said.pid_8_1, said.pid_10, said.pid_11, said.pid_13, said.pid_16, said.pid_16_1, said.pid_22, said.pid_22_1,
    said.pid_7_1, said.pid_29_1, said.pid_14,
    {{ hl7_first('said.pid_5_1') }} as name_family,
    nullif(trim(coalesce({{ hl7_value('said.pid_5_2') }}, '') || ' ' || coalesce({{ hl7_value('said.pid_5_3') }}, '')), '') as name_given,
    {{ hl7_value('said.pid_5_4') }} as name_suffix,
    coalesce(sex.fhir_code, sex_mapped.code) as gender, birth.date_text as birth_date,
    {#- Contact: the text as sent, else area code and number (XTN, ch. 2A); the business number where there is no home number. -#}
    case when said.pid_13 = '""' then null else coalesce(case when said.pid_13_3 = 'Internet' or said.pid_13_2 = 'NET' then null else coalesce({{ hl7_value('said.pid_13_1') }}, said.pid_13_12,
      case when said.pid_13_7 is not null then coalesce(said.pid_13_6 || '-', '') || said.pid_13_7 end) end, {{ hl7_value('said.pid_14_1') }}) end as telecom_phone,
    electronic.address as telecom_email,
    {{ hl7_first('said.pid_11_1') }} as address_line, {{ hl7_value('said.pid_11_3') }} as address_city, {{ hl7_value('said.pid_11_4') }} as address_state,
    {{ hl7_value('said.pid_11_5') }} as address_postal_code,
    coalesce(marital.fhir_code, marital_mapped.code) as marital_status_code,
    races.omb_codes as race_omb_codes, {{ hl7_value('said.pid_10_2') }} as race_text,
    coalesce(ethnicity.fhir_code, ethnicity_mapped.code) as ethnicity_omb_code,
    death.value as deceased_datetime,
    {{ time_reject(['birth', 'death']) }} as reject_code,
    {{ flag_list([["sex.fhir_code is null and sex_mapped.code is null and " ~ hl7_value('said.pid_8_1') ~ " is not null or (marital.fhir_code is null and marital_mapped.code is null and "
                   ~ hl7_value('said.pid_16_1') ~ " is not null)", 'code.unmapped_local']]
                 + time_flags(['death'])) }} as flags
  from said
  {{ hl7_time_join('birth', 'said.timezone', 'said.pid_7_1') }}
  {{ hl7_time_join('death', 'said.timezone', 'said.pid_29_1') }}
  {{ join_hl7_table('sex', '0001', 'said.pid_8_1') }}
  {{ join_hl7_table('marital', '0002', 'said.pid_16_1') }}
  {{ join_hl7_table('ethnicity', '0189', 'said.pid_22_1') }}
  {{ join_code_map('sex_mapped', 'said', 'patient_gender', 'said.pid_8_1') }}
  {{ join_code_map('marital_mapped', 'said', 'patient_marital_status', 'said.pid_16_1') }}
  {{ join_code_map('ethnicity_mapped', 'said', 'patient_ethnicity', 'said.pid_22_1') }}
  left join races on races.record_id = said.record_id
  left join electronic on electronic.record_id = said.record_id and electronic.place = 1
)
select
  {{ staging_select('patient', hl7_header('subject', 'subject', {
    'fact_key': 'subject.patient_key', 'subject_key': 'subject.patient_key', 'is_deleted': "subject.kind = 'person_deleted'",
    'is_fact': 'subject.is_adt', 'maintains': 'case when subject.is_adt then 1 else 0 end',
    'identifier_system': 'subject.patient_system', 'identifier_value': 'subject.patient_value', 'active': 'true',
    'name_family': 'described.name_family', 'name_given': 'described.name_given', 'name_suffix': 'described.name_suffix',
    'name_mark': hl7_mark('described.pid_5'), 'gender': 'described.gender', 'gender_mark': hl7_mark('described.pid_8_1'),
    'birth_date': 'described.birth_date', 'birth_date_mark': hl7_mark('described.pid_7_1'),
    'telecom_phone': 'described.telecom_phone', 'telecom_email': 'described.telecom_email', 'telecom_mark': hl7_mark('coalesce(described.pid_13, described.pid_14)'),
    'address_line': 'described.address_line', 'address_city': 'described.address_city', 'address_state': 'described.address_state',
    'address_postal_code': 'described.address_postal_code', 'address_mark': hl7_mark('described.pid_11'),
    'marital_status_code': 'described.marital_status_code', 'marital_mark': hl7_mark('described.pid_16'),
    'race_omb_codes': 'described.race_omb_codes', 'race_text': 'described.race_text', 'race_mark': hl7_mark('described.pid_10'),
    'ethnicity_omb_code': 'described.ethnicity_omb_code', 'ethnicity_mark': hl7_mark('described.pid_22'),
    'deceased_datetime': 'described.deceased_datetime', 'deceased_mark': hl7_mark('described.pid_29_1'),
    'reject_code': 'described.reject_code', 'flags': 'described.flags'}), full_record=false) }}
from {{ ref('stg_hl7v2__subject') }} subject
join described on described.record_id = subject.record_id
union all
select
  {{ staging_select('patient', hl7_header('subject', 'retired', {
    'fact_key': 'retired.prior_key', 'subject_key': 'retired.prior_key', 'is_deleted': "subject.kind = 'rename'", 'is_fact': 'true', 'maintains': '1',
    'identifier_system': 'retired.system', 'identifier_value': 'retired.value', 'active': 'false'}), full_record=false) }}
from {{ ref('stg_hl7v2__prior_patient') }} retired
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = retired.subject_record_id
