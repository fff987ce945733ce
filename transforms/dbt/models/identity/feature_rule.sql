{{ config(materialized='scoped', strategy='replace_rules', consumes=['reference'], tags=['current']) }}
{#- What features take for nothing: placeholders, and what a facility registered as its own says where a record was made, never who it is of:
    at any facility, on any day. Here they are kept as features last followed them, so that a rule that comes or goes reaches the records that
    it speaks of. -#}
-- depends_on: {{ ref('patient') }}, {{ ref('patient_identifier') }}
with own_contact as (
  select contact.kind, case when contact.kind = 'phone' then {{ phone_number('contact.value') }} end as phone,
    {{ address_text('contact.value') }} as address_text, {{ postal_area('contact.postal_code') }} as postal_code
  from {{ source('ref', 'facility_contact') }} contact
),
said as (
  select placeholder.kind, placeholder.value, cast(null as varchar) as postal_code from {{ ref('identity_placeholder') }} placeholder
  union
  select 'own_phone', own_contact.phone, cast(null as varchar) from own_contact where own_contact.kind = 'phone'
  union
  select 'own_address', {{ house_number('own_contact.address_text') }}, own_contact.postal_code from own_contact where own_contact.kind = 'address'
)
select said.kind, said.value, said.postal_code
from said
where said.value is not null
