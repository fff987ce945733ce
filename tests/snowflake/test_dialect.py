"""Every model as it is compiled for Snowflake: read by a parser of that dialect, without a connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.opening import dbt_runner
from tests.conftest import PROJECT
from tests.snowflake.conftest import MARKS
from tests.snowflake.dialect import allowed_functions, called_functions, open_orders, parsed, reserved_names, subqueries_in_joins

pytestmark = MARKS


@pytest.fixture(scope="module")
def compiled(open_test_root: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Model -> its SQL for Snowflake."""
    from dbt.cli.main import dbtRunner

    _, settings = open_test_root(tmp_path_factory.mktemp("root"), target="cloud")
    folder, target = PROJECT / "transforms" / "dbt", dbt_runner(settings).target_path
    outcome = dbtRunner().invoke([
        "--quiet", "--log-level", "none", "--log-level-file", "none", "compile", "--no-populate-cache", "--target", "cloud",
        "--project-dir", str(folder), "--profiles-dir", str(folder), "--target-path", str(target), "--log-path", str(target / "logs"),
    ])
    assert outcome.success, outcome.exception
    return {one.node.name: one.node.compiled_code for one in outcome.result if one.node.resource_type == "model"}


def test_every_model_is_compiled(compiled: dict[str, str]) -> None:
    """No model escapes: one text for each model file."""
    files = {path.stem for path in Path(PROJECT / "transforms" / "dbt" / "models").rglob("*.sql")}
    assert set(compiled) == files


def test_models_call_only_allowed_functions(compiled: dict[str, str]) -> None:
    """Each function that a model calls has been looked at for what it means on Snowflake and on DuckDB."""
    strangers = {name: called_functions(text) - allowed_functions() for name, text in compiled.items()}
    assert {name: found for name, found in strangers.items() if found} == {}


def test_models_are_snowflake_sql(compiled: dict[str, str]) -> None:
    """Each model parses whole, uses no word that Snowflake keeps, leaves no place of nulls open, joins on no subquery."""
    trees = {name: parsed(text) for name, text in compiled.items()}
    assert {name: found for name, tree in trees.items() if (found := reserved_names(tree))} == {}
    assert {name: found for name, tree in trees.items() if (found := open_orders(tree))} == {}
    assert {name: found for name, tree in trees.items() if (found := subqueries_in_joins(tree))} == {}


@pytest.mark.parametrize(("text", "functions"), [
    ("select sum(a), upper(b) from x.y where c in (select 1)", {"SUM", "UPPER"}),
    ("insert into a.b.c (d) select row_number() over (order by e) from f", {"ROW_NUMBER"}),
    ("select 'max(1)', cast(a as decimal(3, 2))", {"CAST", "DECIMAL"}),
])
def test_called_functions(text: str, functions: set[str]) -> None:
    """Calls are found; tables, keywords and texts are no calls."""
    assert called_functions(text) == functions


def test_what_is_refused_is_found() -> None:
    """The refusals refuse: an alias that is a keyword of time travel, a descending order without a word on nulls, a join on a subquery."""
    assert reserved_names(parsed('select a.start from t a')) == {"start"}
    assert reserved_names(parsed('select a."start" from t a')) == set()
    assert open_orders(parsed("select a from t order by a desc, b, c desc nulls last")) == {"a DESC"}
    joined = "select a.b from t a {} join u on a.b = u.b and exists (select 1 from v where v.b = u.b)"
    assert len(subqueries_in_joins(parsed(joined.format("left")))) == 1
    assert subqueries_in_joins(parsed("select a.b from t a left join u on a.b = u.b where exists (select 1 from v)")) == set()
