{#- One row for each coded element of a statement: the first coding of a standard system is the code, wherever it stands; the system decides, by its
    object identifier, never the name beside it. Else the facility's map; else the local code is kept. -#}
with coding as (
  select sent.unit_id, sent.statement_ordinal, sent.coded_element, sent.coding_ordinal, sent.code, sent.code_system, sent.display_name, sent.null_flavor, sent.original_text,
    sent.facility_id, sent.batch_date, said.resource, known.system as known_system,
    coalesce(known.system, 'urn:oid:' || sent.code_system) as system,
    case when sent.code is not null and known.system in {{ text_list(fhir_systems('clinical')) }} then 1 else 0 end as is_standard
  from {{ source('raw', 'raw_ccda__coding') }} sent
  join {{ ref('stg_ccda__statement') }} said on said.unit_id = sent.unit_id and said.statement_ordinal = sent.statement_ordinal
  left join {{ ref('ccda_code_system') }} known on known.oid = sent.code_system
  where {{ in_scope('sent') }}
),
mapped as (
  select coding.unit_id, coding.statement_ordinal, coding.coded_element, coding.coding_ordinal, coding.display_name, coding.null_flavor, coding.original_text,
    coding.system, coding.is_standard, {{ icd_10_cm('coding.system', 'coding.code') }} as code,
    case when coding.code is not null and coding.code_system is not null and coding.known_system is null then 1 else 0 end as is_unknown_system,
    local_map.code as mapped_code, local_map.system as mapped_system,
    row_number() over (partition by coding.unit_id, coding.statement_ordinal, coding.coded_element
      order by coding.is_standard desc nulls last, case when local_map.code is null then 1 else 0 end, coding.coding_ordinal) as choice,
    row_number() over (partition by coding.unit_id, coding.statement_ordinal, coding.coded_element
      order by coding.is_standard, case when coding.code is null then 1 else 0 end, coding.coding_ordinal) as local_choice
  from coding
  left join {{ source('ref', 'code_map') }} local_map on {{ in_force('local_map', 'coding') }} and local_map.local_code = coding.code
    and local_map.map_name in (coding.resource, coding.resource || '_' || coding.coded_element) and coding.is_standard = 0
),
chosen as (
  select mapped.unit_id, mapped.statement_ordinal, mapped.coded_element,
    max(case when mapped.choice = 1 then case when mapped.is_standard = 1 then mapped.code else mapped.mapped_code end end) as code,
    max(case when mapped.choice = 1 then case when mapped.is_standard = 1 then mapped.system else mapped.mapped_system end end) as system,
    coalesce(max(mapped.original_text), max(case when mapped.choice = 1 then mapped.display_name end)) as text,
    max(case when mapped.local_choice = 1 and mapped.is_standard = 0 then mapped.code end) as local_code,
    max(case when mapped.local_choice = 1 and mapped.is_standard = 0 and mapped.code is not null then mapped.system end) as local_system,
    max(case when mapped.coding_ordinal = 1 then mapped.null_flavor end) as null_flavor,
    max(case when mapped.coding_ordinal = 1 then mapped.code end) as main_code,
    max(mapped.is_unknown_system) as has_unknown_system,
    {{ dbt.listagg("case when mapped.choice > 1 and mapped.code is not null then mapped.system || '|' || mapped.code end", "','", "order by mapped.system || '|' || mapped.code") }} as translations
  from mapped
  group by mapped.unit_id, mapped.statement_ordinal, mapped.coded_element
)
select chosen.unit_id, chosen.statement_ordinal, chosen.coded_element, chosen.code, chosen.system, chosen.text, chosen.local_code, chosen.local_system,
  nullif(chosen.translations, '') as translations, chosen.null_flavor, chosen.main_code, chosen.has_unknown_system,
  case when chosen.code is null and (chosen.local_code is not null or chosen.text is not null) then 1 else 0 end as is_unmapped
from chosen
