{#- Links between patients. A40: the prior one is replaced by the one that remains, and the reverse. A24: each sees the other until A37 (s3.3.24,
    s3.3.37), which undoes no merge: the type is part of the key. A47: the prior number was never another patient; `renamed-to` leads
    facts to the new number and is no FHIR link. The number that remains stands: what an older message said the other way round, that the one
    which remains is replaced by the prior one, is taken back. -#}
with turned as (
  select false as is_turned union all select true as is_turned
),
{#- The prior one to the one that remains, and turned about. -#}
directed as (
  select retired.record_id, retired.record_locator, retired.subject_record_id, retired.kind, turned.is_turned,
    case when turned.is_turned then subject.patient_key else retired.prior_key end as from_key,
    case when turned.is_turned then subject.patient_system else retired.system end as from_system,
    case when turned.is_turned then subject.patient_value else retired.value end as from_value,
    case when turned.is_turned then retired.prior_key else subject.patient_key end as to_key,
    case when turned.is_turned then retired.value else subject.patient_value end as to_value
  from {{ ref('stg_hl7v2__prior_patient') }} retired
  join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = retired.subject_record_id
  cross join turned
),
pair as (
  select directed.record_id, directed.record_locator, directed.subject_record_id, directed.from_key, directed.from_system, directed.from_value,
    directed.to_key, directed.to_value, case directed.kind when 'merge' then 'replaced-by' else 'renamed-to' end as type,
    directed.is_turned as is_deleted
  from directed
  union all
  select directed.record_id, directed.record_locator, directed.subject_record_id, directed.from_key, directed.from_system, directed.from_value,
    directed.to_key, directed.to_value, 'replaces' as type, not directed.is_turned as is_deleted
  from directed where directed.kind = 'merge'
  union all
  select subject.record_id, subject.record_locator, subject.record_id as subject_record_id, subject.patient_key as from_key,
    subject.patient_system as from_system, subject.patient_value as from_value, other.patient_key as to_key, other.patient_value as to_value,
    'seealso' as type, subject.kind = 'unlink' as is_deleted
  from {{ ref('stg_hl7v2__subject') }} subject
  join {{ ref('stg_hl7v2__subject') }} other on other.unit_id = subject.unit_id and other.patient_group <> subject.patient_group
  where subject.kind in ('link', 'unlink') and subject.patient_key is not null and other.patient_key is not null
    and other.patient_key <> subject.patient_key
)
select
  {{ staging_select('patient_link', hl7_header('subject', 'pair', {
    'fact_key': fact_key('patient_link', 'subject.facility_id', ['pair.from_key', 'pair.to_key', 'pair.type']),
    'subject_key': 'pair.from_key', 'identifier_system': 'pair.from_system', 'identifier_value': 'pair.from_value',
    'is_deleted': 'pair.is_deleted', 'is_fact': 'true', 'maintains': '1',
    'type': 'pair.type', 'other_key': 'pair.to_key', 'other_identifier_value': 'pair.to_value'}), full_record=false) }}
from pair
join {{ ref('stg_hl7v2__subject') }} subject on subject.record_id = pair.subject_record_id
