"""The records under comparison, in an in-memory DuckDB of their own.

Identity is computed beside the warehouse, not in it, so that both targets get the same engine, the same functions and the
same floating point. Nothing is spilled in the clear and nothing is kept.

Tables: `base` (as given, until the full blocks are known), `block` (id, block_rule, block_key), `record` (base without the values
of full blocks, with what the model knows of the names).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import duckdb
import pyarrow as pa
import pyarrow.csv

from transforms.batches import in_batches
from transforms.identity.blocking import RULES, BlockRule, block_key_sql, blocks_sql
from transforms.identity.model import IdentityModel

# columns of identity.patient_features that the engine reads
FEATURE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("patient_key", "facility_id", "authority", "family", "given", "middle", "suffix")]
    + [("is_newborn", pa.bool_()), ("is_unidentified", pa.bool_()), ("gender", pa.string()), ("birth_date", pa.date32())]
    + [(name, pa.string()) for name in (
        "birth_text", "phone", "email", "address_number", "address_unit", "postal_code", "ssn", "ssn_last4", "identifiers", "members")]
)
FULL_BLOCK_SCHEMA = pa.schema([("block_rule", pa.string()), ("block_key", pa.int64())])

# words of a family name that many unrelated names share
PARTICLES = (
    "DEL", "LOS", "LAS", "VAN", "VON", "DER", "DEN", "DOS", "DAS", "SAN", "SANTA", "MAC", "ABU", "BIN", "BEN", "IBN", "BINT", "TER",
)

# spellings of one sound: STEPHANIE and STEFANIE, YULIA and IULIIA, MOHAMMED and MOHAMED, YEONGSU and YOUNGSOO (Revised Romanization and
# what passports say)
SPELLINGS = ("YEO YU", "EONG UNG", "PH F", "CK K", "CE SE", "CI SI", "CY SI", "C K", "Q K", "Y I", "Z S", "V B", "W B", "KH K", "OO U",
             "OU U", *(f"{letter}{letter} {letter}" for letter in "ABDFGIKLMNOPRSTU"))


def _sound(name: str) -> str:
    for spelling in SPELLINGS:
        name = "replace({}, '{}', '{}')".format(name, *spelling.split())
    return name


# what follows from a name alone is worked out once for each name, not for each who bears it
_BASE = f"""
create or replace table base as
with root as (
  select nickname as short, list(name order by name) as names from nickname group by nickname
),
given_name as (
  select said.given, {_sound("said.given")} as given_sound,
    -- XIAOMING ("little Ming") is how MING is called
    coalesce(root.names, []) || case when said.given like 'XIAO___%' then [substr(said.given, 5)] else [] end || [said.given] as given_roots
  from (select distinct given from feature) said left join root on root.short = said.given
),
next_name as (
  select said.word, {_sound("said.word")} as sound from (select distinct split_part(middle, ' ', 1) as word from feature) said
),
family_name as (
  select said.family as family_text, replace(said.family, ' ', '') as family,
    list_filter(string_split(said.family, ' '), lambda part: length(part) >= 3 and part not in {PARTICLES}) as family_parts,
    case when len(family_parts) > 0 then family_parts when said.family is not null then [replace(said.family, ' ', '')] end as family_words
  from (select distinct family from feature) said
)
select row_number() over (order by feature.patient_key) as id, feature.patient_key, feature.facility_id, feature.authority,
  family_name.family, family_name.family_parts, family_name.family_words,
  feature.given, given_name.given_sound, given_name.given_sound || next_name.sound as joined_sound,
  coalesce(given_name.given_roots, [null]) as given_roots,
  replace(feature.middle, ' ', '') as middle, string_split(feature.middle, ' ') as middle_words,
  list_transform(string_split(feature.middle, ' '), lambda word: left(word, 1)) as middle_initials,
  feature.suffix, feature.is_newborn, feature.is_unidentified, feature.gender,
  feature.birth_date, feature.birth_text, feature.phone, feature.email, feature.address_number, feature.address_unit, feature.postal_code,
  feature.ssn, feature.ssn_last4,
  string_split(feature.identifiers, ',') as identifier_list, string_split(feature.members, ',') as member_list
from feature
left join given_name on given_name.given = feature.given
left join next_name on next_name.word = split_part(feature.middle, ' ', 1)
left join family_name on family_name.family_text = feature.family
"""

# tf_: registered share of a name; rarity: bits that a full name is worth; is_family_like: the given name is rather a family name;
# has_family_middle: so is a word of the middle name
_NAMED = """
create table record as
with voided as ({voided}),
family_middle as (
  select distinct word.id
  from (select id, unnest(middle_words) as family from base) word
  join frequency_family using (family) anti join frequency_given on frequency_given.given = word.family
),
shared as (
  select voided.*, coalesce(g.tf_given, {given!r}) as tf_given, coalesce(f.tf_family, {family!r}) as tf_family,
    coalesce(x.tf_family, 0) > coalesce(g.tf_given, 0) as is_family_like, family_middle.id is not null as has_family_middle
  from voided left join frequency_given g on g.given = voided.given left join frequency_family f on f.family = voided.family
  left join frequency_family x on x.family = voided.given left join family_middle on family_middle.id = voided.id
)
select shared.*, case when given is not null and family is not null then round(-log2(tf_family * tf_given), 3) end as rarity from shared
"""


def open_records(features: pa.Table, full_blocks: pa.Table, model: IdentityModel | None = None, memory: str = "2GB",
                 spill: str = "") -> duckdb.DuckDBPyConnection:
    """Open the comparison of some records whose full blocks are known: an engine, `load_base`, then `complete`."""
    connection = open_engine(memory, spill)
    load_base(connection, features)
    complete(connection, full_blocks, model)
    return connection


def open_engine(memory: str = "2GB", spill: str = "") -> duckdb.DuckDBPyConnection:
    """Open an engine without records. `spill`: folder for what does not fit into `memory`, encrypted; without one nothing is spilled."""
    connection = duckdb.connect(":memory:", config={
        "temp_file_encryption": "true", "temp_directory": spill, "memory_limit": memory, "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false", "preserve_insertion_order": "false",
    })
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    return connection


def load_base(connection: duckdb.DuckDBPyConnection, features: pa.Table, more: Sequence[BlockRule] = ()) -> None:
    """Make tables `base` and `block` of some records, in the place of those that are there.

    `features`: FEATURE_SCHEMA, one row a record, keys unique. `more`: blocking rules of the policy.
    """
    connection.register("feature", in_batches(features))
    connection.register("nickname", nicknames())
    connection.execute(_BASE)
    connection.unregister("feature")
    connection.unregister("nickname")
    connection.execute(f"create or replace table block as {blocks_sql('base', more)}")


def complete(connection: duckdb.DuckDBPyConnection, full_blocks: pa.Table, model: IdentityModel | None = None) -> None:
    """Make table `record` of table `base`, which goes: the records are ready to be compared.

    `full_blocks`: FULL_BLOCK_SCHEMA. `model`: whose term frequencies the records get (columns tf_given, tf_family, rarity); without one the
    records can only be trained on.
    """
    connection.register("full_block_given", full_blocks)
    connection.execute("create table full_block as select block_rule, block_key from full_block_given")
    connection.unregister("full_block_given")
    # twelve million blocks are read once for what few of them say
    connection.execute("create table full_member as select id, block_rule, block_key from block semi join full_block using (block_key)")
    if model is None:
        connection.execute(f"create table record as {_voided_sql()}")
    else:
        for column in ("given", "family"):
            shares = pa.table({column: list(model.frequencies[column]), f"tf_{column}": list(model.frequencies[column].values())})
            connection.register("shares", shares)
            connection.execute(f"create table frequency_{column} as select {column}, tf_{column} from shares")
            connection.unregister("shares")
        connection.execute(_NAMED.format(voided=_voided_sql(), **model.default_frequency))
    connection.execute("drop table base")
    connection.execute("drop table full_member")


def blocks_of(connection: duckdb.DuckDBPyConnection, retired: pa.Table) -> pa.Table:
    """Give the blocks of the records of `load_base` but the retired ones (KEY_SCHEMA): patient_key, block_rule, block_key.

    They come as `block` holds them, those of a record nearly together: so they take less room, and few records are found without reading
    all of them. Nothing but speed hangs on their order.
    """
    connection.register("retired_key", retired)
    blocks: pa.Table = connection.execute("""
        select base.patient_key, block.block_rule, block.block_key
        from block join base using (id) anti join retired_key on retired_key.patient_key = base.patient_key
    """).to_arrow_table()
    connection.unregister("retired_key")
    return blocks


def nicknames() -> pa.Table:
    """Give the shipped nickname table: columns nickname, name."""
    with resources.files("transforms.identity").joinpath("nickname.csv").open("rb") as file:
        return pa.csv.read_csv(file)


def _voided_sql() -> str:
    """Give the query of `base` where a value whose block is full is null, of a list only the element; a counted block that is full is
    marked."""
    columns, joins, marks = [], [], []
    for rule in RULES:
        if rule.marks is not None:
            full = f"select id from full_member where block_rule = '{rule.name}'"
            marks.append(f"base.id in ({full}) as {rule.marks}")
        if rule.voids is None:
            continue
        void = f"void_{rule.name}"
        full = f"select id, block_key from full_member where block_rule = '{rule.name}'"
        if rule.list_column is None:
            joins.append(f"left join (select distinct id from ({full})) {void} on {void}.id = base.id")
            columns.append(f"case when {void}.id is null then base.{rule.voids} end as {rule.voids}")
        else:
            joins.append(f"left join ({_kept_elements(rule, full)}) {void} on {void}.id = base.id")
            columns.append(f"case when {void}.id is null then base.{rule.voids} else {void}.kept end as {rule.voids}")
    return f"select base.* replace ({', '.join(columns)}), {', '.join(marks)} from base {' '.join(joins)}"


def _kept_elements(rule: BlockRule, full: str) -> str:
    return (f"select id, list(element order by element) filter (where block_key not in (select block_key from ({full}))) as kept "
            f"from (select *, {block_key_sql(rule)} as block_key from (select *, unnest({rule.list_column}) as element from base) "
            f"where id in (select id from ({full}))) group by id")
