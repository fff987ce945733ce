"""The same models as SQL of the other target: rendered without a connection, parsed in Snowflake's dialect."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from conftest import DbtProject
from sqlglot import exp

# The connector, which dbt imports, looks at versions of packages that nothing here uses.
pytestmark = pytest.mark.filterwarnings("ignore:.*doesn't match a supported version")
DBT_PARTS = ("staging/hl7v2",)
MODELS = sorted(file.stem for file in (Path(__file__).parents[2] / "transforms/dbt/models/staging/hl7v2").glob("*.sql"))


@pytest.fixture(scope="module")
def rendered(shared_scratch) -> dict[str, str]:
    """Model -> SQL for Snowflake."""
    cloud = DbtProject(shared_scratch.project.folder, target="cloud")
    compiled = cloud.invoke(["compile", "--no-introspect", "--no-populate-cache", "--select", "staging.hl7v2"], {})
    return {one.node.name: one.node.compiled_code for one in compiled.results}


def test_every_model_is_sql_of_snowflake_with_known_functions_only(rendered) -> None:
    """Each model renders, parses, and calls no function that the dialect does not know."""
    assert sorted(rendered) == MODELS
    for sql in rendered.values():
        tree = sqlglot.parse_one(sql, dialect="snowflake")
        assert [call.name for call in tree.find_all(exp.Anonymous)] == []


def test_no_join_condition_holds_a_subquery(rendered) -> None:
    """Snowflake refuses correlated subqueries in the condition of an outer join: scope is filtered in WHERE."""
    for sql in rendered.values():
        joins = sqlglot.parse_one(sql, dialect="snowflake").find_all(exp.Join)
        assert [join.sql() for join in joins if (on := join.args.get("on")) is not None and on.find(exp.Select)] == []
