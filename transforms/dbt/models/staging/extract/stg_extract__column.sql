{#- Columns of each delivered file, bound by name to the feed's contract in force: never by position, never by likeness of names.
    Columns of the change mechanism (operation, sequence, before images) belong to no contract. -#}
select header.delivery_id, header.facility_id, header.batch_date, header.source, header.source_table, feed.kind, feed.resource,
  header.column_ordinal, header.column_name, contract.maps_to, contract.type, contract.pattern, contract.code_system, contract.datetime_format,
  contract.timezone, contract.key_ordinal,
  case when contract.column_name is not null then 1 else 0 end as is_contracted,
  case when header.column_name = feed.op_column or header.column_name = feed.sequence_column
    or left(header.column_name, length(feed.before_image_prefix)) = feed.before_image_prefix then 1 else 0 end as is_control,
  case when header.column_name = feed.version_column then 1 else 0 end as is_version,
  before_image.key_ordinal as before_key_ordinal
from {{ source('raw', 'raw_extract__column') }} header
join {{ source('ref', 'source') }} feed on {{ in_force('feed', 'header') }} and feed.source = header.source
left join {{ source('ref', 'source_column') }} contract on {{ in_force('contract', 'header') }} and contract.source = header.source
  and contract.column_name = header.column_name
left join {{ source('ref', 'source_column') }} before_image on {{ in_force('before_image', 'header') }} and before_image.source = header.source
  and feed.before_image_prefix || before_image.column_name = header.column_name
where {{ in_scope('header') }}
