{#- What an archive states of a study, keyed by its logical id. The study itself is named by its Study Instance UID, an identifier of system urn:dicom:uid
    written as `urn:oid:…`; the accession number is the identifier of type ACSN (R4 imagingstudy.html, notes). -#}
{%- set fields = {
  'status': ['status'], 'identifiers': ['identifier'], 'started': ['started'], 'series_count': ['numberOfSeries'], 'instance_count': ['numberOfInstances'],
  'description': ['description'], 'modality': ['modality'], 'series': ['series']} -%}
with {{ fhir_record('ImagingStudy', fields, dates=['started'], subject='subject', encounter='encounter', service=['started']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
listed_identifier as (
  select record.record_id, cast({{ array_place('one') }} as integer) as place, {{ json_text(array_value('one'), ['system']) }} as system,
    {{ json_text(array_value('one'), ['value']) }} as value, {{ json_text(array_value('one'), ['type', 'coding', 0, 'code']) }} as type_code
  from record{{ unnest_array('one', json_parse('record.identifiers')) }}
),
identifier as (
  select listed_identifier.record_id,
    min(case when listed_identifier.system = 'urn:dicom:uid' then replace(listed_identifier.value, 'urn:oid:', '') end) as study_uid,
    min(case when listed_identifier.type_code = 'ACSN' then listed_identifier.value end) as accession
  from listed_identifier group by listed_identifier.record_id
),
{#- Modalities of the study, else of its series. #}
stated_modality as (
  select record.record_id, {{ json_text(array_value('one'), ['code']) }} as code
  from record{{ unnest_array('one', json_parse('record.modality')) }}
  union
  select record.record_id, {{ json_text(array_value('one'), ['modality', 'code']) }}
  from record{{ unnest_array('one', json_parse('record.series')) }}
),
modality as (
  select stated_modality.record_id, {{ dbt.listagg('stated_modality.code', "','", 'order by stated_modality.code') }} as modalities
  from stated_modality where stated_modality.code is not null group by stated_modality.record_id
)
select
  {{ staging_select('imaging_statement', fhir_columns({
    'study_identifier_value': 'identifier.study_uid', 'accession_identifier_value': 'identifier.accession',
    'number_of_series': 'try_cast(record.series_count as integer)', 'number_of_instances': 'try_cast(record.instance_count as integer)',
    'modalities': 'modality.modalities', 'started': 'record.started', 'description': 'record.description',
  }, references=['subject', 'encounter'], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], days=['service']) }}
left join identifier on identifier.record_id = record.record_id
left join modality on modality.record_id = record.record_id
