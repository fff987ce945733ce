{#- One row for each document: the fact itself of an unstructured one, else a by-product of the unit that carries it. -#}
with document as (
  select sent.record_id, sent.unit_id, sent.delivery_id, sent.payload_id, sent.record_locator, sent.facility_id, sent.batch_date, sent.received_time, sent.source,
    sent.id_root, sent.id_extension, sent.type_code, sent.effective_time, sent.size, carrier.kind, carrier.media_type, carrier.attachment_size, facility.timezone
  from {{ source('raw', 'raw_ccda__document') }} sent
  join {{ source('raw', 'raw_ccda__entry') }} carrier on carrier.unit_id = sent.unit_id
  join {{ source('ref', 'facility') }} facility on {{ in_force('facility', 'sent') }}
  where {{ in_scope('sent') }} and {{ in_scope('carrier') }}
),
{{ hl7_times('made', 'document', 'effective_time', digits=9) }}
select
  {{ staging_select('document_reference', {
    'record_id': 'said.record_id', 'unit_id': 'carrier.unit_id', 'delivery_id': 'said.delivery_id', 'payload_id': 'said.payload_id',
    'record_locator': 'said.record_locator', 'facility_id': 'said.facility_id', 'batch_date': 'said.batch_date', 'received_time': 'said.received_time',
    'source': 'said.source', 'source_time': 'coalesce(made.moment, said.received_time)', 'source_order': "''", 'is_deleted': 'false',
    'is_fact': "said.kind = 'nonXMLBody'", 'maintains': '1',
    'fact_key': md5_key(['said.facility_id', "'document_reference'", ccda_system('said.id_root', 'said.id_extension'),
      'coalesce(' ~ ccda_value('said.id_root', 'said.id_extension') ~ ', said.payload_id)']),
    'identifier_system': ccda_system('said.id_root', 'said.id_extension'), 'identifier_value': ccda_value('said.id_root', 'said.id_extension'),
    'subject_key': 'subject.patient_key', 'status': "'current'", 'service_date': 'made.local_day', 'service_end_date': 'made.local_day',
    'type_code': 'said.type_code', 'date': 'made.value',
    'content_attachment_content_type': "case when said.kind = 'nonXMLBody' then said.media_type else 'text/xml' end",
    'content_attachment_size': "case when said.kind = 'nonXMLBody' then said.attachment_size else said.size end",
    'reject_code': time_reject(['made']), 'flags': flag_list(time_flags(['made']))}) }}
from document said
join {{ ref('stg_ccda__carrier') }} carrier on carrier.delivery_id = said.delivery_id
left join {{ ref('stg_ccda__subject') }} subject on subject.delivery_id = said.delivery_id
{{ hl7_time_join('made', 'said.timezone', 'said.effective_time') }}
