{%- set texts = ['name_family', 'name_given', 'name_suffix', 'telecom_phone', 'telecom_email', 'address_line', 'address_city', 'address_state',
                 'address_postal_code', 'race_text'] -%}
{%- set dates = ['birth_date', 'deceased_datetime'] -%}
{%- set coded = ['gender', 'active', 'marital_status_code', 'race_omb_codes', 'ethnicity_omb_code', 'birth_sex'] -%}
{%- set genders = ['male', 'female', 'other', 'unknown'] -%}
with {{ extract_record('patient', texts, dates, coded, by_identifier=true) }}
select
  {{ staging_select('patient', extract_columns('patient', {
    'active': "case when record.is_deleted then null else coalesce(try_cast(record.active as boolean), true) end",
    'name_family': 'record.name_family', 'name_given': 'record.name_given', 'name_suffix': 'record.name_suffix', 'gender': coded_value('gender', genders),
    'birth_date': 'record.birth_date_text', 'telecom_phone': 'record.telecom_phone', 'telecom_email': 'record.telecom_email',
    'address_line': 'record.address_line', 'address_city': 'record.address_city', 'address_state': 'record.address_state',
    'address_postal_code': 'record.address_postal_code', 'marital_status_code': 'record.marital_status_code',
    'race_omb_codes': 'record.race_omb_codes', 'race_text': 'record.race_text', 'ethnicity_omb_code': 'record.ethnicity_omb_code',
    'birth_sex': 'record.birth_sex', 'deceased_datetime': 'record.deceased_datetime_text',
  }, texts + dates + coded, flags=[[[is_unmapped('gender', genders), is_unmapped('marital_status_code'), is_unmapped('race_omb_codes'),
     is_unmapped('ethnicity_omb_code'), is_unmapped('birth_sex')] | join(' or '), 'code.unmapped_local']]), full_record=false) }}
from record
