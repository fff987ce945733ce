{{ config(materialized='view') }}
{#- What a discharge disposition means for the readmission measure. Codes: UB-04 patient status (form locator 17), the suggested values
    of HL7 v2 table 0112, with and without the leading zero, and FHIR R4 value set encounter-discharge-disposition. A code that is
    not here is an ordinary discharge. -#}
{%- set groups = {
  'died': ['20', '40', '41', '42', 'exp'],
  'transferred': ['02', '2', '05', '5', '43', '66', 'other-hcf'],
  'planned_return': ['81', '82', '83', '84', '85', '86', '87', '88', '89', '90', '91', '92', '93', '94', '95'],
  'still_patient': ['09', '9', '30'],
  'left_against_advice': ['07', '7', 'aadvice']
} %}
{%- for group, codes in groups.items() %}{% set last_group = loop.last %}
{%- for code in codes %}
select '{{ code }}' as disposition_code, '{{ group }}' as disposition_group{{ ' union all' if not (last_group and loop.last) }}
{%- endfor %}
{%- endfor %}
