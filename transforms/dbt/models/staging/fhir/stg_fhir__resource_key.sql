{#- Keys of resources that can be meant by a fullUrl, or that have no logical id: then the business identifier, else the fullUrl, else
    the content. -#}
with keyed as (
  select sent.record_id, sent.delivery_id, sent.facility_id, sent.id, sent.full_url, sent.resource,
    {{ fhir_resource_name('sent.resource_type') }} as resource_name
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where (sent.id is null or sent.full_url is not null) and {{ in_scope('sent') }}
)
select keyed.record_id, keyed.delivery_id, keyed.full_url, keyed.resource_name,
  case
    when keyed.id is not null then {{ fhir_id_key('keyed.facility_id', 'keyed.resource_name', 'keyed.id') }}
    when identifier.value is not null then {{ md5_key(['keyed.facility_id', 'keyed.resource_name', 'identifier.system', 'identifier.value']) }}
    else {{ fhir_id_key('keyed.facility_id', 'keyed.resource_name', 'coalesce(keyed.full_url, md5(keyed.resource))') }}
  end as fact_key
from keyed
left join {{ ref('stg_fhir__identifier') }} identifier on identifier.record_id = keyed.record_id and identifier.choice = 1
where keyed.resource_name is not null
