{#- One row for each document: the patient of its recordTarget, a by-product known by the identifier of the facility's default authority, else by one of a
    registered authority, else by the first. -#}
with listed as (
  select sent.record_id, sent.unit_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date, sent.received_time, sent.source,
    sent.id_root, sent.id_extension, sent.name_family, sent.name_given, sent.name_suffix, sent.gender_code, sent.birth_time, sent.marital_status_code, sent.race_code,
    sent.ethnic_group_code, sent.telecom, sent.street_address_line, sent.city, sent.state, sent.postal_code,
    document.effective_time, facility.timezone,
    coalesce(named.system, {{ ccda_system('sent.id_root', 'sent.id_extension') }}) as system,
    row_number() over (partition by sent.delivery_id order by case when named.system = facility.default_system then 0 when named.system is not null then 1 else 2 end,
      sent.id_ordinal) as choice
  from {{ source('raw', 'raw_ccda__record_target') }} sent
  join {{ source('raw', 'raw_ccda__document') }} document on document.delivery_id = sent.delivery_id
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  left join {{ source('ref', 'authority_by_oid') }} named on {{ in_force('named', 'sent') }} and named.oid = sent.id_root
  where {{ in_scope('sent') }} and {{ in_scope('document') }}
),
{{ hl7_times('born', 'listed', 'birth_time') }},
{{ hl7_times('made', 'listed', 'effective_time') }},
said as (
  select listed.record_id, listed.unit_id, listed.delivery_id, listed.payload_id, listed.record_locator, listed.facility_id, listed.batch_date, listed.received_time, listed.source, listed.name_family, listed.name_given, listed.name_suffix, listed.gender_code, listed.birth_time, listed.marital_status_code, listed.race_code, listed.ethnic_group_code, listed.telecom, listed.street_address_line, listed.city, listed.state, listed.postal_code, listed.effective_time, listed.timezone, listed.system,
    {{ ccda_value('listed.id_root', 'listed.id_extension') }} as value from listed where listed.choice = 1
)
select
  {{ staging_select('patient', {
    'record_id': 'said.record_id', 'unit_id': 'said.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'coalesce(made.moment, said.received_time)', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'false', 'maintains': '0',
    'fact_key': patient_key('said.facility_id', 'said.system', 'said.value'), 'subject_key': patient_key('said.facility_id', 'said.system', 'said.value'),
    'identifier_system': 'said.system', 'identifier_value': 'said.value', 'active': 'true',
    'name_family': 'said.name_family', 'name_given': 'said.name_given', 'name_suffix': 'said.name_suffix', 'birth_date': 'born.date_text',
    'gender': "case said.gender_code when 'F' then 'female' when 'M' then 'male' when 'UN' then 'other' end",
    'telecom_phone': "case when said.telecom like 'tel:%' then substr(said.telecom, 5) end", 'telecom_email': "case when said.telecom like 'mailto:%' then substr(said.telecom, 8) end",
    'address_line': 'said.street_address_line', 'address_city': 'said.city', 'address_state': 'said.state', 'address_postal_code': 'said.postal_code',
    'marital_status_code': "case when said.marital_status_code in ('A', 'D', 'I', 'L', 'M', 'C', 'P', 'T', 'U', 'W', 'S') then said.marital_status_code end",
    'race_omb_codes': "case when said.race_code in ('1002-5', '2028-9', '2054-5', '2076-8', '2106-3') then said.race_code end",
    'ethnicity_omb_code': "case when said.ethnic_group_code in ('2135-2', '2186-5') then said.ethnic_group_code end"}) }}
from said
{{ hl7_time_join('born', 'said.timezone', 'said.birth_time') }}
{{ hl7_time_join('made', 'said.timezone', 'said.effective_time') }}
