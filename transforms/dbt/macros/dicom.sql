{#- Reading DICOM elements (PS3.3, PS3.5): values of the data set itself, by tag. -#}

{#- Elements of the general study, series, patient and SOP common modules that the mapping reads: column -> tag. -#}
{% macro dicom_tags() %}{{ return({
  'sop_instance_uid': '00080018', 'study_date': '00080020', 'study_time': '00080030', 'accession_number': '00080050', 'modality': '00080060',
  'timezone_offset': '00080201', 'study_description': '00081030', 'patient_name': '00100010', 'patient_id': '00100020', 'issuer': '00100021',
  'patient_birth_date': '00100030', 'patient_sex': '00100040', 'study_instance_uid': '0020000D', 'series_instance_uid': '0020000E'
}) }}{% endmacro %}

{#- Component n of a person name (PN, PS3.5 s6.2.1: groups by =, components by ^): of the alphabetic group; where that is empty, of the ideographic, else
    of the phonetic one. -#}
{% macro dicom_name(name, number) -%}
  {%- set groups -%}
    coalesce({% for group in [1, 2, 3] %}nullif(trim(split_part({{ name }}, '=', {{ group }}), ' ^'), ''){{ ', ' if not loop.last }}{% endfor %})
  {%- endset -%}
  nullif(trim(split_part({{ groups }}, '^', {{ number }})), '')
{%- endmacro %}

{#- Date and time as one text of the form of HL7 v2 DTM, with a fraction of six digits (TM, PS3.5 s6.2). Marks between the parts are of ACR-NEMA 300. -#}
{% macro dicom_moment(day, clock, utc_offset) -%}
  replace({{ day }}, '.', '') || case when {{ clock }} is null then '' else
    left(replace({{ clock }}, ':', ''), 13) || coalesce({{ utc_offset }}, '') end
{%- endmacro %}
