"""FHIR and extract staging as SQL of the other target: rendered without a connection, parsed in Snowflake's dialect."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from conftest import DbtProject
from sqlglot import exp

# The connector, which dbt imports, looks at versions of packages that nothing here uses.
pytestmark = pytest.mark.filterwarnings("ignore:.*doesn't match a supported version")
DBT_PARTS = ("staging/fhir", "staging/extract")
FOLDER = Path(__file__).parents[2] / "transforms/dbt/models/staging"
MODELS = sorted(file.stem for part in ("fhir", "extract") for file in (FOLDER / part).glob("*.sql"))
# Functions of Snowflake's reference that sqlglot has no class for.
KNOWN = {"TRY_TO_TIMESTAMP_TZ", "TRY_TO_TIMESTAMP_NTZ"}


@pytest.fixture(scope="module")
def trees(shared_scratch) -> dict[str, exp.Expression]:
    """Model -> syntax tree of its SQL for Snowflake."""
    cloud = DbtProject(shared_scratch.project.folder, target="cloud")
    chosen = ["compile", "--no-introspect", "--no-populate-cache", "--select", "staging.fhir", "staging.extract"]
    compiled = cloud.invoke(chosen, {})
    return {one.node.name: sqlglot.parse_one(one.node.compiled_code, dialect="snowflake") for one in compiled.results}


def test_every_model_is_sql_of_snowflake_with_known_functions_only(trees) -> None:
    """Each model renders, parses, and calls no function that the dialect does not know."""
    assert sorted(trees) == MODELS
    unknown = {call.name.upper() for tree in trees.values() for call in tree.find_all(exp.Anonymous)}
    assert unknown - KNOWN == set()


def test_no_join_condition_holds_a_subquery(trees) -> None:
    """Snowflake refuses correlated subqueries in the condition of an outer join: scope is filtered in WHERE."""
    joins = [join for tree in trees.values() for join in tree.find_all(exp.Join)]
    assert [join.sql() for join in joins if (on := join.args.get("on")) is not None and on.find(exp.Select)] == []
