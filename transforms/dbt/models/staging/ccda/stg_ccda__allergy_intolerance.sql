{#- One row for each allergy observation (template 4.7): its participant is the substance. Negated without a substance it says that no allergy of the
    value's kind is known, which is a code of its own; with one, coded in whatever system or only named, that allergy is refuted (C-CDA on FHIR,
    allergies). -#}
{%- set is_none = "(said.is_negated and coded.code is null and coded.local_code is null and coded.text is null and coalesce(coded.null_flavor, 'NA') = 'NA')" -%}
{#- AllergyIntolerance knows neither a return nor a remission (FHIR R4, allergyintolerance-clinical). -#}
{%- set clinical = ccda_clinical_status() -%}
{%- set none_known -%}
case kind.code when '416098002' then '409137002' when '414285001' then '429625007' when '419511003' then '409137002' when '418471000' then '429625007'
  when '426232007' then '428607008' when '232347008' then '428607008' else '716186003' end
{%- endset %}
select
  {{ staging_select('allergy_intolerance', ccda_columns({
    'code_code': "case when " ~ is_none ~ " then " ~ none_known ~ " else coded.code end",
    'code_system': "case when " ~ is_none ~ " then 'http://snomed.info/sct' else coded.system end",
    'clinical_status': "case " ~ clinical ~ " when 'remission' then 'inactive' when 'recurrence' then 'active' when 'relapse' then 'active' else " ~ clinical ~ " end",
    'verification_status': "case when " ~ ccda_is_nullified() ~ " then 'entered-in-error' when said.is_negated and not " ~ is_none ~ " then 'refuted' else 'confirmed' end",
    'onset_datetime': 'said.start_text'})) }}
{{ ccda_from('allergy_intolerance', 'participant', {'kind': 'value'}) }}
