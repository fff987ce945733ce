"""What expressions give on the service: texts of semi-structured values, moments in formats, numbers in hexadecimal.

Corrected are expressions of a parsed statement, before fakesnow turns them into DuckDB's. `MACROS` are the DuckDB functions that
the corrected expressions call.
"""

from __future__ import annotations

from typing import Any

from fakesnow import cursor, macros, transforms
from sqlglot import exp

TEXT_TYPES = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)
# Elements of the formats that the product uses, longest first, and DuckDB's names for them.
FORMAT_ELEMENTS = (("YYYY", "%Y"), ("HH24", "%H"), ("FF6", "%f"), ("FF9", "%n"), ("MM", "%m"), ("DD", "%d"), ("MI", "%M"), ("SS", "%S"))

MACROS = """
create or replace macro {catalog}._lh_get_text(list, place) as (case when place >= 0 then to_json(list) ->> cast(place as bigint) end);
create or replace macro {catalog}._lh_array_to_string(list, separator) as (
  array_to_string(list_transform(json_extract_string(to_json(list), '$[*]'), lambda one: coalesce(one, '')), separator));
create or replace macro {catalog}._lh_text(value) as (
  case typeof(value) when 'TIMESTAMP' then strftime(try_cast(value as timestamp), '%Y-%m-%d %H:%M:%S.%g') when 'JSON' then to_json(value) ->> '$'
    else cast(value as varchar) end);
create or replace macro {catalog}._lh_only_text(value) as (
  case when typeof(value) in ('VARCHAR', '"NULL"') then cast(value as varchar) else error('TRY_CAST takes text, not ' || typeof(value)) end);
create or replace macro {catalog}._lh_flatten(input) as table
  select hash(to_json(input)) as seq, case json_type(to_json(input)) when 'OBJECT' then one.key end as key, ltrim(one.fullkey, '$.') as path,
    case json_type(to_json(input)) when 'ARRAY' then cast(one.key as bigint) end as index, one.value as value, to_json(input) as this
  from json_each(to_json(input)) one where json_type(to_json(input)) in ('ARRAY', 'OBJECT');
create or replace macro {catalog}._lh_flatten_recursive(input) as table
  select hash(to_json(input)) as seq, case when not ends_with(one.fullkey, ']') then one.key end as key, ltrim(one.fullkey, '$.') as path,
    case when ends_with(one.fullkey, ']') then cast(one.key as bigint) end as index, one.value as value, to_json(input) as this
  from json_tree(to_json(input)) one where one.key is not null;
"""


def text_of_element(node: exp.Expr) -> exp.Expr:
    """Service: `get(array, place)::varchar` is the element's bare text, null for a JSON null. Double: JSON text with its quotes."""
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.GetExtract) and node.to.this in TEXT_TYPES:
        return exp.Anonymous(this="_lh_get_text", expressions=[node.this.this, node.this.expression])
    return node


def text_of_path(node: exp.Expr) -> exp.Expr:
    """Service: `(document:path)::varchar` is bare text, as without the parentheses. Double: JSON text with its quotes."""
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Paren) and isinstance(node.this.unnest(), exp.JSONExtract):
        node.set("this", node.this.unnest())
    return node


def text_of_column(node: exp.Expr) -> exp.Expr:
    """Service: a timestamp becomes text in TIMESTAMP_NTZ_OUTPUT_FORMAT, always with milliseconds; a JSON string becomes its bare text.

    Double: a timestamp as short as may be, a JSON string with its quotes. Corrected for columns: nothing else that the product turns
    into text is a timestamp.
    """
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast) and isinstance(node.this, exp.Column) and node.to.this in TEXT_TYPES:
        return exp.Anonymous(this="_lh_text", expressions=[node.this])
    return node


def joined_array(node: exp.Expr) -> exp.Expr:
    """Service: `array_to_string` joins the bare texts of a JSON array, a null as empty. Double: takes lists only, not JSON."""
    if isinstance(node, exp.ArrayToString):
        return exp.Anonymous(this="_lh_array_to_string", expressions=[node.this, node.expression])
    return node


def formatted_text(node: exp.Expr) -> exp.Expr:
    """Service: `to_char(moment, format)` follows the format, `to_char(number, 'XXX')` is hexadecimal. Double: ignores the format."""
    if not isinstance(node, exp.ToChar) or not isinstance(node.args.get("format"), exp.Literal):
        return node
    wanted = node.args["format"].this
    if set(wanted) == {"X"}:
        return exp.Anonymous(this="printf", expressions=[exp.Literal.string(f"%{len(wanted) + 1}X"), node.this])
    return exp.Anonymous(this="strftime", expressions=[node.this, exp.Literal.string(strftime_format(wanted))])


def strftime_format(wanted: str) -> str:
    """Give a Snowflake date format as DuckDB's. Raises NotImplementedError for an element that the product does not use."""
    rest, written = wanted, ""
    while rest:
        known = next(((element, name) for element, name in FORMAT_ELEMENTS if rest.startswith(element)), None)
        if known:
            element, name = known
            rest, written = rest[len(element):], written + name
        elif rest.startswith('"') and '"' in rest[1:]:
            quoted, rest = rest[1:].split('"', 1)
            written += quoted
        elif not rest[0].isalnum():
            rest, written = rest[1:], written + rest[0]
        else:
            raise NotImplementedError(f"format element {rest!r}")
    return written


def hexadecimal_number(node: exp.Expr) -> exp.Expr:
    """Service: `to_number(text, 'XXX')` reads hexadecimal. Double: no formats."""
    wanted = node.args.get("format") if isinstance(node, exp.ToNumber) else None
    if isinstance(wanted, exp.Literal) and set(wanted.this) == {"X"}:
        digits = exp.DPipe(this=exp.Literal.string("0x"), expression=node.this)
        return exp.Cast(this=exp.Paren(this=digits), to=exp.DataType.build("bigint"))
    return node


def moment_of_text(node: exp.Expr) -> exp.Expr:
    """Service: `try_to_timestamp_…(text)` without a format gives null for what is no moment. Double: raises, or does not know it."""
    name = node.name.upper() if isinstance(node, exp.Anonymous) else ""
    if len(node.expressions) == 1 and name in ("TRY_TO_TIMESTAMP", "TRY_TO_TIMESTAMP_NTZ", "TRY_TO_TIMESTAMP_TZ"):
        kind = "timestamptz" if name.endswith("TZ") and not name.endswith("NTZ") else "timestamp"
        return exp.TryCast(this=node.expressions[0], to=exp.DataType.build(kind, dialect="duckdb"))
    return node


def joined_group(node: exp.Expr) -> exp.Expr:
    """Service: `listagg` over nothing but nulls is an empty text. Double: null."""
    if isinstance(node, exp.GroupConcat) and not isinstance(node.parent, (exp.Window, exp.Filter)):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    return node


def tried_cast(node: exp.Expr) -> exp.Expr:
    """Service: `try_cast` refuses a statement in which it is given anything but text. Double: takes all."""
    if isinstance(node, exp.TryCast) or (isinstance(node, exp.ToBoolean) and node.args.get("safe")):
        node.set("this", exp.Anonymous(this="_lh_only_text", expressions=[node.this]))
    return node


EXPRESSIONS = (
    text_of_element, text_of_path, text_of_column, joined_array, formatted_text, hexadecimal_number, moment_of_text,
    joined_group, tried_cast,
)


def corrected_statement(statement: exp.Expr) -> exp.Expr:
    """Apply `EXPRESSIONS` to every node of a statement, the inner ones first."""
    for node in reversed(list(statement.walk())):
        corrected = node
        for correct in EXPRESSIONS:
            corrected = correct(corrected)
        if corrected is not node:
            node.replace(corrected)
    return statement


def correct_expressions() -> None:
    """Put `EXPRESSIONS` before fakesnow's own transformations, and their macros into each new database."""
    transform, creation_sql = cursor.FakeSnowflakeCursor._transform, macros.creation_sql

    def corrected(self: Any, expression: exp.Expr, params: Any) -> exp.Expr:
        return transform(self, corrected_statement(expression), params)

    cursor.FakeSnowflakeCursor._transform = corrected
    macros.creation_sql = lambda catalog: creation_sql(catalog) + MACROS.format(catalog=catalog)


def try_casts_to_timestamps() -> None:
    """Service: `try_cast(text as timestamp)` gives null for what is no moment. Double: a cast that raises."""
    to_timestamp = transforms.to_timestamp
    transforms.to_timestamp = lambda node: node if isinstance(node, exp.TryCast) else to_timestamp(node)


def flatten_as_the_service() -> None:
    """Service: `flatten` gives the places of elements in order, and with `recursive => true` those of every depth.

    Double: numbers the elements as they come, and knows no recursion.
    """
    def corrected(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, (exp.Lateral, exp.TableFromRows)) or not isinstance(node.this, exp.Explode):
            return node
        named = {one.this.name.lower(): one.expression for one in (node.this.this, *node.this.expressions) if isinstance(one, exp.Kwarg)}
        if set(named) - {"input", "recursive"}:
            raise NotImplementedError(f"flatten with {sorted(named)}")
        is_recursive = isinstance(named.get("recursive"), exp.Boolean) and named["recursive"].this
        name = "_lh_flatten_recursive" if is_recursive else "_lh_flatten"
        called = exp.Anonymous(this=name, expressions=[named.get("input", node.this.this)])
        return exp.Table(this=called, alias=node.args.get("alias"))

    transforms.flatten = corrected


def sum_exactly() -> None:
    """Service: `sum` and `avg` of numbers are exact numbers. Double: doubles, for the sake of texts, which the product never sums."""
    transforms.numeric_agg_implicit_cast = lambda node: node


def trim_named_characters() -> None:
    """Service: `ltrim(text, characters)` removes these. Double: forgets them, and which side, where the text is no bare cast."""
    transforms.trim_cast_varchar = lambda node: node


CORRECTIONS = (correct_expressions, try_casts_to_timestamps, flatten_as_the_service, sum_exactly, trim_named_characters)
