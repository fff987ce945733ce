{#- One row for each procedure activity (templates 4.12, 4.13, 4.14). Negated: not done. -#}
select
  {{ staging_select('procedure', ccda_columns({
    'status': "case when said.is_negated or said.status_code = 'cancelled' then 'not-done' when said.mood_code <> 'EVN' then 'preparation' when said.status_code = 'completed' then 'completed' "
      ~ "when said.status_code = 'active' then 'in-progress' when said.status_code = 'aborted' then 'stopped' when said.status_code = 'nullified' then 'entered-in-error' else 'unknown' end",
    'performed_datetime': 'said.start_text'})) }}
{{ ccda_from('procedure', 'code') }}
