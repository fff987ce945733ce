{#- One row for each document: whom its recordTarget speaks of, known by the identifier of the facility's default authority, else by one of a registered
    authority, else by the first. -#}
{%- set carried = ['record_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source', 'name_family', 'name_given', 'name_suffix',
                  'gender_code', 'marital_status_code', 'race_code', 'ethnic_group_code', 'telecom', 'street_address_line', 'city', 'state', 'postal_code', 'system'] -%}
with listed as (
  select sent.record_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date, sent.received_time, sent.source,
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
{{ hl7_times('born', 'listed', 'birth_time', digits=9) }},
{{ hl7_times('made', 'listed', 'effective_time', digits=9) }},
said as (
  select {% for name in carried %}listed.{{ name }}, {% endfor %}listed.birth_time, listed.effective_time, listed.timezone,
    {{ ccda_value('listed.id_root', 'listed.id_extension') }} as value
  from listed where listed.choice = 1
)
select {% for name in carried %}said.{{ name }}, {% endfor %}said.value, born.date_text as birth_date, coalesce(made.moment, said.received_time) as source_time,
  {{ patient_key('said.facility_id', 'said.system', 'said.value') }} as patient_key
from said
{{ hl7_time_join('born', 'said.timezone', 'said.birth_time') }}
{{ hl7_time_join('made', 'said.timezone', 'said.effective_time') }}
