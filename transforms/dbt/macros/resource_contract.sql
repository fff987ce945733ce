{#-
  The column contract of the canonical resources, in one place.

  A staging model yields exactly these columns (`staging_columns`), the version table holds them plus `row_hash`, the
  current table holds them after the fold. Names are FHIR R4 element paths in snake_case. Dates and instants are FHIR
  lexical text: instants in UTC with `Z`, partial dates as sent (FHIR R4 s2.24.0.1).
  `version_key` names the version itself where the source says that a version never changes (FHIR versionId, a CSV version column): two
  contents under one name contradict each other. `row_key` names the source row of a record whose fact is a business identifier that
  several rows may carry.
  `mark` names the source field group that a column belongs to (HL7 v2.5.1 s2.10.4: empty = no change, "" = null,
  a valued field replaces the whole field): groups `g` have a companion column `g_mark` with 'V' valued, 'N' null,
  and SQL null for absent. A column without a mark is not folded: the newest version's value counts.
-#}
{% macro header_columns() %}{{ return([
  ['record_id', 'varchar'], ['unit_id', 'varchar'], ['delivery_id', 'varchar'], ['payload_id', 'varchar'],
  ['record_locator', 'varchar'], ['facility_id', 'varchar'], ['batch_date', 'date'], ['received_time', 'timestamp'],
  ['source', 'varchar'], ['fact_key', 'varchar'], ['source_time', 'timestamp'], ['source_order', 'varchar'],
  ['is_deleted', 'boolean'], ['is_fact', 'boolean'], ['maintains', 'integer'], ['awaits_key', 'varchar'],
  ['id', 'varchar'], ['identifier_system', 'varchar'], ['identifier_value', 'varchar'],
  ['subject_key', 'varchar'], ['encounter_key', 'varchar'], ['encounter_identifier_value', 'varchar'],
  ['status', 'varchar'], ['service_date', 'date'], ['service_end_date', 'date'],
  ['version_key', 'varchar'], ['row_key', 'varchar']
]) }}{% endmacro %}

{% macro resource_contract(resource) %}
{%- set code = [['code_code', 'varchar'], ['code_system', 'varchar'], ['code_text', 'varchar'],
                ['code_local_code', 'varchar'], ['code_local_system', 'varchar'], ['code_translations', 'varchar']] -%}
{%- set contract = {
  'patient': [
    ['active', 'boolean'],
    ['name_family', 'varchar', 'name'], ['name_given', 'varchar', 'name'], ['name_suffix', 'varchar', 'name'],
    ['gender', 'varchar', 'gender'], ['birth_date', 'varchar', 'birth_date'],
    ['telecom_phone', 'varchar', 'telecom'], ['telecom_email', 'varchar', 'telecom'],
    ['address_line', 'varchar', 'address'], ['address_city', 'varchar', 'address'],
    ['address_state', 'varchar', 'address'], ['address_postal_code', 'varchar', 'address'],
    ['marital_status_code', 'varchar', 'marital'],
    ['race_omb_codes', 'varchar', 'race'], ['race_text', 'varchar', 'race'],
    ['ethnicity_omb_code', 'varchar', 'ethnicity'], ['birth_sex', 'varchar', 'birth_sex'],
    ['deceased_datetime', 'varchar', 'deceased']],
  'patient_identifier': [
    ['system', 'varchar'], ['value', 'varchar'], ['type_code', 'varchar'], ['use', 'varchar']],
  'patient_link': [
    ['type', 'varchar'], ['other_key', 'varchar'], ['other_identifier_value', 'varchar']],
  'encounter': [
    ['status_stated', 'varchar'], ['status_event', 'varchar', 'status_event'],
    ['class_code', 'varchar', 'class'], ['class_local_code', 'varchar', 'class'],
    ['period_start', 'varchar', 'period_start'], ['period_end', 'varchar', 'period_end'],
    ['location_point_of_care', 'varchar', 'location'], ['location_room', 'varchar', 'location'],
    ['location_bed', 'varchar', 'location'],
    ['discharge_disposition_code', 'varchar', 'disposition'], ['practitioner_key', 'varchar', 'practitioner']],
  'condition': code + [
    ['clinical_status', 'varchar'], ['verification_status', 'varchar'],
    ['onset_datetime', 'varchar'], ['abatement_datetime', 'varchar'], ['recorded_date', 'varchar']],
  'procedure': code + [['performed_datetime', 'varchar']],
  'observation': code + [
    ['effective_datetime', 'varchar'], ['issued', 'varchar'],
    ['value_quantity_value', 'decimal(28,9)'], ['value_quantity_value_source', 'varchar'],
    ['value_quantity_comparator', 'varchar'], ['value_quantity_unit', 'varchar'], ['value_quantity_unit_source', 'varchar'],
    ['value_string', 'varchar'], ['value_codeable_concept_code', 'varchar'], ['value_codeable_concept_system', 'varchar'],
    ['value_codeable_concept_text', 'varchar'], ['value_datetime', 'varchar'],
    ['value_ratio_numerator_value', 'decimal(28,9)'], ['value_ratio_denominator_value', 'decimal(28,9)'],
    ['value_range_low_value', 'decimal(28,9)'], ['value_range_high_value', 'decimal(28,9)'],
    ['data_absent_reason_code', 'varchar'], ['performer_display', 'varchar'],
    ['report_identifier_value', 'varchar'], ['based_on_identifier_value', 'varchar']],
  'observation_component': code + [
    ['observation_key', 'varchar'], ['observation_id', 'varchar'],
    ['value_quantity_value', 'decimal(28,9)'], ['value_quantity_value_source', 'varchar'],
    ['value_quantity_comparator', 'varchar'], ['value_quantity_unit', 'varchar'], ['value_quantity_unit_source', 'varchar'],
    ['value_string', 'varchar'], ['value_codeable_concept_code', 'varchar'], ['value_codeable_concept_system', 'varchar'],
    ['value_codeable_concept_text', 'varchar'], ['data_absent_reason_code', 'varchar']],
  'diagnostic_report': code + [
    ['based_on_identifier_value', 'varchar'], ['effective_datetime', 'varchar'], ['issued', 'varchar'],
    ['performer_display', 'varchar']],
  'service_request': code + [
    ['authored_on', 'varchar'], ['priority', 'varchar'], ['requester_display', 'varchar']],
  'medication_request': [
    ['medication_code_code', 'varchar'], ['medication_code_system', 'varchar'], ['medication_text', 'varchar'],
    ['medication_local_code', 'varchar'], ['do_not_perform', 'boolean'], ['authored_on', 'varchar'],
    ['dosage_text', 'varchar'], ['dosage_period_start', 'varchar'], ['dosage_period_end', 'varchar']],
  'practitioner': [['name_family', 'varchar'], ['name_given', 'varchar']],
  'organization': [['name', 'varchar'], ['type_code', 'varchar']],
  'location': [['name', 'varchar'], ['location_point_of_care', 'varchar']],
  'coverage': [
    ['subscriber_id', 'varchar'], ['payor_display', 'varchar'], ['type_code', 'varchar'],
    ['period_start', 'varchar'], ['period_end', 'varchar']],
  'claim': [
    ['type', 'varchar'], ['total_value', 'decimal(18,2)'], ['subscriber_id', 'varchar'], ['diagnosis_code', 'varchar'],
    ['item_count', 'integer'], ['billable_period_start', 'varchar'], ['billable_period_end', 'varchar'],
    ['frequency_code', 'varchar'], ['related_claim_reference', 'varchar']],
  'explanation_of_benefit': [
    ['claim_identifier_value', 'varchar'], ['payer_claim_control_number', 'varchar'], ['claim_status_code', 'varchar'],
    ['submitted_amount', 'decimal(18,2)'], ['payment_amount', 'decimal(18,2)'], ['patient_responsibility_amount', 'decimal(18,2)'],
    ['trace_number', 'varchar'], ['payment_date', 'varchar']],
  'payment_reconciliation': [
    ['payment_identifier_value', 'varchar'], ['payment_amount_value', 'decimal(18,2)'], ['payment_date', 'varchar']],
  'payment_reconciliation_detail': [
    ['payment_identifier_value', 'varchar'], ['type_code', 'varchar'], ['amount_value', 'decimal(18,2)'], ['date', 'varchar']],
  'coverage_eligibility': [
    ['kind', 'varchar'], ['trace_number', 'varchar'], ['subscriber_id', 'varchar'], ['serviced_date', 'varchar'],
    ['eligibility_code', 'varchar'], ['outcome', 'varchar']],
  'imaging_instance': [
    ['study_identifier_value', 'varchar'], ['series_identifier_value', 'varchar'], ['modality', 'varchar'], ['accession_identifier_value', 'varchar'],
    ['started', 'varchar'], ['description', 'varchar']],
  'imaging_statement': [
    ['study_identifier_value', 'varchar'], ['number_of_series', 'integer'], ['number_of_instances', 'integer'], ['modalities', 'varchar'],
    ['accession_identifier_value', 'varchar'], ['started', 'varchar'], ['description', 'varchar']],
  'medication_administration': [
    ['medication_code_code', 'varchar'], ['medication_code_system', 'varchar'], ['medication_text', 'varchar'], ['medication_local_code', 'varchar'],
    ['effective_datetime', 'varchar'], ['effective_period_end', 'varchar'], ['dosage_text', 'varchar'],
    ['dosage_dose_value', 'decimal(28,9)'], ['dosage_dose_value_source', 'varchar'], ['dosage_dose_unit', 'varchar'], ['dosage_dose_unit_source', 'varchar'],
    ['request_key', 'varchar']],
  'immunization': [
    ['vaccine_code_code', 'varchar'], ['vaccine_code_system', 'varchar'], ['vaccine_text', 'varchar'], ['vaccine_local_code', 'varchar'],
    ['occurrence_datetime', 'varchar']],
  'document_reference': [
    ['type_code', 'varchar'], ['date', 'varchar'], ['content_attachment_content_type', 'varchar'], ['content_attachment_size', 'bigint']],
  'allergy_intolerance': code + [['clinical_status', 'varchar'], ['verification_status', 'varchar'], ['onset_datetime', 'varchar']]
} -%}
{{ return(contract[resource]) }}
{% endmacro %}

{% macro mark_groups(resource) %}
  {%- set groups = [] -%}
  {%- for column in resource_contract(resource) if column | length > 2 and column[2] not in groups -%}
    {%- do groups.append(column[2]) -%}
  {%- endfor -%}
  {{ return(groups) }}
{% endmacro %}

{#- Content columns of a resource: contract columns, then one mark column for each field group. -#}
{% macro content_columns(resource) %}
  {%- set columns = [] -%}
  {%- for column in resource_contract(resource) -%}{%- do columns.append([column[0], column[1]]) -%}{%- endfor -%}
  {%- for group in mark_groups(resource) -%}{%- do columns.append([group ~ '_mark', 'varchar']) -%}{%- endfor -%}
  {{ return(columns) }}
{% endmacro %}

{#-
  The final select list of a staging model: header, content, `reject_code`, `flags`, each cast to its contract type.
  A column that the source has not is given as SQL null: `values` maps column -> SQL expression; a column named in
  `from_alias` is taken under its own name. Use:
    select {{ staging_select('observation', {'status': "case ... end", ...}) }} from ...
  A mark left out defaults to 'V'/'N' of the group's first column when `full_record` is true (FHIR, CSV, CDC: a record
  states all its fields), else to null (absent).
-#}
{% macro staging_select(resource, values, full_record=true) %}
  {%- set lines = [] -%}
  {%- for column in header_columns() -%}
    {%- do lines.append('cast(' ~ values.get(column[0], 'null') ~ ' as ' ~ column[1] ~ ') as ' ~ column[0]) -%}
  {%- endfor -%}
  {%- for column in resource_contract(resource) -%}
    {%- do lines.append('cast(' ~ values.get(column[0], 'null') ~ ' as ' ~ column[1] ~ ') as ' ~ column[0]) -%}
  {%- endfor -%}
  {%- for group in mark_groups(resource) -%}
    {%- set members = [] -%}
    {%- for column in resource_contract(resource) if column | length > 2 and column[2] == group -%}
      {%- do members.append('cast(' ~ values.get(column[0], 'null') ~ ' as varchar)') -%}
    {%- endfor -%}
    {%- set default = "case when coalesce(" ~ members | join(', ') ~ ", null) is null then 'N' else 'V' end" if full_record else 'null' -%}
    {%- do lines.append('cast(' ~ values.get(group ~ '_mark', default) ~ ' as varchar) as ' ~ group ~ '_mark') -%}
  {%- endfor -%}
  {%- do lines.append('cast(' ~ values.get('reject_code', 'null') ~ ' as varchar) as reject_code') -%}
  {%- do lines.append('cast(' ~ values.get('flags', 'null') ~ ' as varchar) as flags') -%}
  {{ lines | join(',\n  ') }}
{% endmacro %}
