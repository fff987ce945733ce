{#- Test interchanges (ISA15 T) are accounted for by a rule. -#}
select sent.unit_id, sent.facility_id, sent.batch_date, 'x12.non_production' as reason, 'ignore' as reason_kind
from {{ source('raw', 'raw_x12__unit') }} sent
where sent.isa_15 = 'T' and {{ in_scope('sent') }}
