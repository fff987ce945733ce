{#- One row for each document: its patient, a by-product. Of the races listed those count that OMB names; detailed ones are left out. -#}
{%- set races -%}
  nullif(ltrim({% for code in ['1002-5', '2028-9', '2054-5', '2076-8', '2106-3'] %}case when contains(',' || said.race_code || ',', ',{{ code }},') then ',{{ code }}' else '' end
    {{- ' || ' if not loop.last }}{% endfor %}, ','), '')
{%- endset %}
{#- A document states the sex given at birth in an observation (template 4.200, LOINC 76689-9; C-CDA on FHIR, patient). #}
with birth_sex as (
  select said.delivery_id, min(answer.local_code) as code
  from {{ ref('stg_ccda__statement') }} said
  join {{ ref('stg_ccda__code') }} answer on answer.unit_id = said.unit_id and answer.statement_ordinal = said.statement_ordinal and answer.coded_element = 'value'
  where {{ ccda_follows('said.template_ids', ['200']) }} and not said.is_negated and answer.local_code in ('F', 'M')
    and answer.local_system = 'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender'
  group by said.delivery_id
)
select
  {{ staging_select('patient', {
    'record_id': 'said.record_id', 'unit_id': 'carrier.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'said.source_time', 'source_order': "''", 'is_deleted': 'false', 'is_fact': 'false', 'maintains': '0',
    'fact_key': 'said.patient_key', 'subject_key': 'said.patient_key',
    'identifier_system': 'said.system', 'identifier_value': 'said.value', 'active': 'true',
    'name_family': 'said.name_family', 'name_given': 'said.name_given', 'name_suffix': 'said.name_suffix', 'birth_date': 'said.birth_date',
    'gender': "case said.gender_code when 'F' then 'female' when 'M' then 'male' when 'UN' then 'other' end",
    'telecom_phone': 'substr(' ~ regexp_first('said.telecom', 'tel:[^|]*') ~ ', 5)', 'telecom_email': 'substr(' ~ regexp_first('said.telecom', 'mailto:[^|]*') ~ ', 8)',
    'address_line': 'said.street_address_line', 'address_city': 'said.city', 'address_state': 'said.state', 'address_postal_code': 'said.postal_code',
    'marital_status_code': "case when said.marital_status_code in ('A', 'D', 'I', 'L', 'M', 'C', 'P', 'T', 'U', 'W', 'S') then said.marital_status_code end",
    'race_omb_codes': races,
    'ethnicity_omb_code': "case when said.ethnic_group_code in ('2135-2', '2186-5') then said.ethnic_group_code end",
    'birth_sex': 'birth_sex.code'}) }}
from {{ ref('stg_ccda__subject') }} said
join {{ ref('stg_ccda__carrier') }} carrier on carrier.delivery_id = said.delivery_id
left join birth_sex on birth_sex.delivery_id = said.delivery_id
