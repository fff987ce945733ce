{#- One row for each encounter activity (template 4.49); one of another mood than an event's is planned. -#}
{%- set status = "case when said.status_code = 'nullified' then 'entered-in-error' when said.is_negated or said.status_code = 'cancelled' then 'cancelled' when coalesce(said.mood_code, 'EVN') <> 'EVN' then 'planned' when said.status_code in ('active', 'aborted') then 'in-progress' else 'finished' end" -%}
select
  {{ staging_select('encounter', ccda_columns({
    'status': status, 'status_stated': status,
    'class_code': "case when coded.local_system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' then coded.local_code end", 'class_local_code': 'coalesce(coded.local_code, coded.code)',
    'period_start': 'said.start_text', 'period_end': 'said.end_text'})) }}
{{ ccda_from('encounter', 'code') }}
