{{ config(materialized='view') }}
{#- Studies, counted over the instances received. Instances that disagree on what the study is: the smallest SOP Instance UID decides. -#}
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
)
select {{ fact_key('imaging_study', 'counted.facility_id', ['counted.study_identifier_value']) }} as fact_key,
  counted.facility_id, 'urn:dicom:uid' as identifier_system, counted.study_identifier_value as identifier_value, instance.subject_key, instance.status, false as is_deleted,
  counted.source_time, counted.received_time, instance.service_date, cast(counted.number_of_series as integer) as number_of_series,
  cast(counted.number_of_instances as integer) as number_of_instances, modalities.modalities, instance.accession_identifier_value, instance.started, instance.description
from counted
join instance on instance.facility_id = counted.facility_id and instance.study_identifier_value = counted.study_identifier_value and instance.place = 1
left join modalities on modalities.facility_id = counted.facility_id and modalities.study_identifier_value = counted.study_identifier_value
