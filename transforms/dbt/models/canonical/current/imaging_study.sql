{{ config(materialized='view') }}
{#- Studies: counted over the instances received, and stated by an archive (FHIR ImagingStudy). Of a study of which instances came they decide what it holds,
    the statement its status and what they leave open; any other study stands as stated. Instances that disagree on what the study is: the smallest SOP
    Instance UID decides. Of several statements of one study the newest counts. -#}
with instance as (
  select said.facility_id, said.study_identifier_value, said.series_identifier_value, said.identifier_value, said.modality, said.accession_identifier_value, said.started,
    said.description, said.subject_key, said.service_date, said.source_time, said.received_time, said.status,
    row_number() over (partition by said.facility_id, said.study_identifier_value order by said.identifier_value) as place
  from {{ ref('imaging_instance') }} said
  where said.is_deleted = false
),
modality as (
  select distinct instance.facility_id, instance.study_identifier_value, instance.modality from instance where instance.modality is not null
),
modalities as (
  select modality.facility_id, modality.study_identifier_value, {{ dbt.listagg('modality.modality', "','", 'order by modality.modality') }} as modalities
  from modality group by modality.facility_id, modality.study_identifier_value
),
counted as (
  select instance.facility_id, instance.study_identifier_value, count(distinct instance.series_identifier_value) as number_of_series, count(*) as number_of_instances,
    max(instance.source_time) as source_time, max(instance.received_time) as received_time
  from instance group by instance.facility_id, instance.study_identifier_value
),
statement as (
  select said.fact_key, said.facility_id, said.id, said.study_identifier_value, said.identifier_system, said.identifier_value, said.subject_key, said.encounter_key,
    said.encounter_identifier_value, said.status, said.source_time, said.received_time, said.service_date, said.number_of_series, said.number_of_instances,
    said.modalities, said.accession_identifier_value, said.started, said.description,
    row_number() over (partition by said.facility_id, coalesce(said.study_identifier_value, said.fact_key)
      order by said.source_time desc nulls last, said.fact_key) as recency
  from {{ ref('imaging_statement') }} said
  where said.is_deleted = false
)
select {{ fact_key('imaging_study', 'counted.facility_id', ['counted.study_identifier_value']) }} as fact_key,
  counted.facility_id, statement.id, 'urn:dicom:uid' as identifier_system, counted.study_identifier_value as identifier_value,
  coalesce(instance.subject_key, statement.subject_key) as subject_key, statement.encounter_key, statement.encounter_identifier_value,
  coalesce(statement.status, instance.status) as status, false as is_deleted, counted.source_time, counted.received_time,
  coalesce(instance.service_date, statement.service_date) as service_date, cast(counted.number_of_series as integer) as number_of_series,
  cast(counted.number_of_instances as integer) as number_of_instances, coalesce(modalities.modalities, statement.modalities) as modalities,
  coalesce(instance.accession_identifier_value, statement.accession_identifier_value) as accession_identifier_value,
  coalesce(instance.started, statement.started) as started, coalesce(instance.description, statement.description) as description
from counted
join instance on instance.facility_id = counted.facility_id and instance.study_identifier_value = counted.study_identifier_value and instance.place = 1
left join modalities on modalities.facility_id = counted.facility_id and modalities.study_identifier_value = counted.study_identifier_value
left join statement on statement.facility_id = counted.facility_id and statement.study_identifier_value = counted.study_identifier_value and statement.recency = 1
union all
select case when statement.study_identifier_value is null then statement.fact_key
    else {{ fact_key('imaging_study', 'statement.facility_id', ['statement.study_identifier_value']) }} end,
  statement.facility_id, statement.id, case when statement.study_identifier_value is null then statement.identifier_system else 'urn:dicom:uid' end,
  coalesce(statement.study_identifier_value, statement.identifier_value), statement.subject_key, statement.encounter_key, statement.encounter_identifier_value,
  statement.status, false, statement.source_time, statement.received_time, statement.service_date, statement.number_of_series, statement.number_of_instances,
  statement.modalities, statement.accession_identifier_value, statement.started, statement.description
from statement
left join counted on counted.facility_id = statement.facility_id and counted.study_identifier_value = statement.study_identifier_value
where statement.recency = 1 and counted.facility_id is null
