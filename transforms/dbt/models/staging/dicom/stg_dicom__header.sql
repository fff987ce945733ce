{#- One row for each instance: the elements that the mapping reads, empty ones null, with the patient by the issuer's authority (PS3.3 C.7.1.1). -#}
with element as (
  select sent.unit_id, sent.delivery_id, sent.payload_id, sent.facility_id, sent.batch_date, sent.received_time, sent.source, sent.record_id, sent.record_locator,
    sent.tag, nullif(trim(split_part(sent.value, chr(92), 1)), '') as value
  from {{ source('raw', 'raw_dicom__element') }} sent
  where sent.path = sent.tag and {{ in_scope('sent') }}
),
said as (
  select element.unit_id, min(element.delivery_id) as delivery_id, min(element.payload_id) as payload_id, min(element.facility_id) as facility_id,
    min(element.batch_date) as batch_date, min(element.received_time) as received_time, min(element.source) as source,
    max(case when element.tag = '00080018' then element.record_id end) as record_id, max(case when element.tag = '00080018' then element.record_locator end) as record_locator
    {%- for name, tag in dicom_tags().items() %},
    max(case when element.tag = '{{ tag }}' then element.value end) as {{ name }}
    {%- endfor %}
  from element group by element.unit_id
)
select said.unit_id, said.delivery_id, said.payload_id, said.facility_id, said.batch_date, said.received_time, said.source, said.record_id, said.record_locator,
  {% for name in dicom_tags() %}said.{{ name }}, {% endfor %}facility.timezone,
  case when said.patient_id is not null then case when said.issuer is null then facility.default_system else coalesce(issued.system, named.system, said.issuer) end end as patient_system,
  case when said.patient_id is not null then {{ patient_key('said.facility_id',
    'case when said.issuer is null then facility.default_system else coalesce(issued.system, named.system, said.issuer) end', 'said.patient_id') }} end as patient_key,
  case when said.patient_id is not null and said.issuer is not null and coalesce(issued.system, named.system) is null then 'identity.unknown_authority' end as flags
from said
join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'said') }}
left join {{ source('ref', 'issuer') }} issued on {{ in_force('issued', 'said') }} and issued.issuer = said.issuer
left join {{ source('ref', 'authority') }} named on {{ in_force('named', 'said') }} and named.namespace = said.issuer
