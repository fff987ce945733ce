{#- One row for each identifier that PID-3 (this patient) or MRG-1 (the prior one) lists, with its authority resolved. -#}
with holder as (
  select pid.unit_id, pid.segment_ordinal, pid.patient_group, 'pid' as segment_name
  from {{ source('raw', 'raw_hl7v2__pid') }} pid where {{ in_scope('pid') }}
  union all
  select mrg.unit_id, mrg.segment_ordinal, mrg.patient_group, 'mrg' as segment_name
  from {{ source('raw', 'raw_hl7v2__mrg') }} mrg where {{ in_scope('mrg') }}
),
listed as (
  select listing.record_id, listing.record_locator, listing.unit_id, listing.facility_id, listing.batch_date,
    holder.patient_group, holder.segment_name, listing.repetition, {{ hl7_value('listing.c1') }} as value, {{ hl7_value('listing.c5') }} as type_code,
    {{ hl7_value('listing.c4') }} as authority,
    case when listing.c4_1 is null and listing.c4_2 is null then {{ hl7_value('listing.c4') }} else {{ hl7_value('listing.c4_1') }} end as namespace,
    {{ hd_uri('listing.c4_2', 'listing.c4_3') }} as own_uri
  from {{ source('raw', 'raw_hl7v2__repetition') }} listing
  join holder on holder.unit_id = listing.unit_id and holder.segment_ordinal = listing.segment_ordinal
    and listing.field = case holder.segment_name when 'pid' then 'pid_3' else 'mrg_1' end
  where {{ in_scope('listing') }} and listing.field in ('pid_3', 'mrg_1') and trim({{ hl7_value('listing.c1') }}) <> ''
),
registered_system as (
  select distinct authority.facility_id, authority.valid_from, authority.valid_to, authority.system from {{ source('ref', 'authority') }} authority
),
resolved as (
  select listed.record_id, listed.record_locator, listed.unit_id, listed.patient_group, listed.segment_name, listed.repetition, listed.value, listed.type_code,
    case when listed.authority is null then message.default_system else coalesce(named.system, listed.own_uri) end as system,
    listed.namespace, listed.facility_id, listed.batch_date, message.default_system
  from listed
  join {{ ref('stg_hl7v2__message') }} message on message.unit_id = listed.unit_id and message.reason is null
  left join {{ source('ref', 'authority') }} named on {{ in_force('named', 'listed') }} and named.namespace = listed.namespace
),
ranked as (
  select resolved.record_id, resolved.record_locator, resolved.unit_id, resolved.patient_group, resolved.segment_name, resolved.repetition,
    resolved.value, resolved.type_code, resolved.system, coalesce(resolved.system, resolved.namespace) as numbering,
    resolved.system is null as is_unknown_authority,
    {#- The facility's own number first, then another registered one's; a number of the facility without a type is taken for one. Laboratories
        know no record number: they send their own internal identifier (table 0203: PI), which serves where nothing else does. -#}
    case when resolved.system = resolved.default_system and resolved.type_code = 'MR' then 1
      when registered_system.system is not null and resolved.type_code = 'MR' then 2
      when resolved.system = resolved.default_system and resolved.type_code is null then 3
      when registered_system.system is not null and resolved.type_code = 'PI' then 4 end as preference
  from resolved
  left join registered_system on {{ in_force('registered_system', 'resolved') }} and registered_system.system = resolved.system
)
select ranked.record_id, ranked.record_locator, ranked.unit_id, ranked.patient_group, ranked.segment_name, ranked.repetition, ranked.value, ranked.type_code,
  ranked.system, ranked.numbering, ranked.is_unknown_authority, ranked.preference,
  case when ranked.preference is not null then
    row_number() over (partition by ranked.unit_id, ranked.segment_name, ranked.patient_group order by ranked.preference nulls last, ranked.repetition)
  end as place
from ranked
