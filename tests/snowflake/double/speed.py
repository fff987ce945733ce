"""Makes the double faster on the product's large statements, without another answer: no statement is parsed or searched in vain."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

from fakesnow import cursor, transforms
from sqlglot import exp

server: Any = importlib.import_module("fakesnow.server")

# fakesnow searches every node of every statement for constructs that can only be a whole statement of its own. In statements that
# read, change or store rows there are none.
ROW_STATEMENTS = (exp.Select, exp.SetOperation, exp.Insert, exp.Delete, exp.Update)
WHOLE_STATEMENT_STEPS = frozenset({
    "alter_session", "alter_table_strip_cluster_by", "create_clone", "create_database", "create_file_format", "create_stage", "create_user",
    "drop_schema_cascade", "extract_comment_on_columns", "extract_comment_on_table", "list_stage", "put_stage", "set_schema", "show_columns",
    "show_databases", "show_functions", "show_keys", "show_parameters", "show_procedures", "show_schemas", "show_sequences", "show_stages",
    "show_tables_etc", "show_users", "show_warehouses", "tag", "update_variables",
})


def is_about_rows(statement: exp.Expr) -> bool:
    """Whether a statement reads, changes or stores rows, and sets no comment beside it."""
    if isinstance(statement, exp.Create):
        return isinstance(statement.expression, (exp.Query, exp.Paren)) and statement.find(exp.SchemaCommentProperty) is None
    return isinstance(statement, ROW_STATEMENTS)


@cache
def sought_classes(code: CodeType) -> tuple[type, ...]:
    """Give the classes of nodes that a step asks its own node for, as its source says; none where it asks for none, and must see all."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError):  # no text of its own: a function within an expression
        return ()
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return ()
    node = function.args.args[0].arg
    asked = [
        call.args[1] for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance"
        and isinstance(call.args[0], ast.Name) and call.args[0].id == node
    ]
    names = {one.attr for said in asked for one in ast.walk(said) if isinstance(one, ast.Attribute)}
    return tuple(getattr(exp, name) for name in sorted(names) if hasattr(exp, name))


class Steps:
    """Stands for a statement about rows while fakesnow passes it from step to step."""

    def __init__(self, statement: exp.Expr) -> None:
        """Begin with a parsed statement."""
        self.statement = statement
        self.present = {type(node) for node in statement.walk()}

    def transform(self, step: Callable[..., Any], *arguments: Any, **options: Any) -> Steps:
        """Apply one step, unless it looks for another kind of statement or for nodes of which this one has none."""
        code = step.__code__
        names = {step.__name__, *code.co_names} if step.__name__ == "<lambda>" else {step.__name__}
        if not names & WHOLE_STATEMENT_STEPS:
            sought = sought_classes(code)
            if not sought or any(issubclass(one, sought) for one in self.present):
                self.statement = self.statement.transform(step, *arguments, **options)
                # nodes that the step may have made
                self.present.update(made for name in code.co_names if isinstance(made := getattr(exp, name, None), type))
        return self


def skip_steps_of_other_statements() -> None:
    """Apply only the steps that a statement can need."""
    transform = cursor.FakeSnowflakeCursor._transform

    def corrected(self: Any, expression: exp.Expr, params: Any) -> Any:
        if not is_about_rows(expression):
            return transform(self, expression, params)
        return transform(self, Steps(expression), params).statement

    cursor.FakeSnowflakeCursor._transform = corrected


def parse_once() -> None:
    """Hand the cursor the tree that the server made of the same text a moment before, and which it does not need again."""
    parse = server.parse_one
    parsed: dict[str, exp.Expr] = {}

    def first(command: str) -> exp.Expr:
        if len(parsed) > 100:
            parsed.clear()
        tree: exp.Expr = parse(command)
        parsed[command] = tree
        return tree

    def second(command: str) -> exp.Expr:
        known = parsed.pop(command, None)
        return known if known is not None else parse(command)

    server.parse_one, cursor.parse_one = first, second


def raise_names_in_place() -> None:
    """Put unquoted names into capitals without a copy of each."""
    def corrected(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Identifier) and not node.quoted:
            node.set("this", node.this.upper())
        return node

    transforms.upper_case_unquoted_identifiers = corrected


CORRECTIONS = (skip_steps_of_other_statements, parse_once, raise_names_in_place)
