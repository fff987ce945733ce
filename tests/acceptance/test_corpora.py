"""Real files, openly licensed: every file of the corpora that is a feed goes from landing to the current tables, and says what its publisher
expects of it, but for disagreements that are written down with their reason.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.corpora import ROOT, corpus_files, land_corpora
from tests.acceptance.corpora_expectations import Facts, expected_pairs, product_facts, stated_facts
from tests.pipeline_runs import landed_partitions
from tests.steps import run_steps
from transforms.landing.payload import payload_id

pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason=f"no corpora: LAKEHOUSE_CORPORA_DIR or {ROOT.name} beside the project")
DISAGREEMENTS = Path(__file__).with_name("corpora_disagreements.yaml")
# Larger ones only in the long form.
LARGEST = 1_000_000


@pytest.fixture(scope="module", params=[LARGEST, pytest.param(1 << 40, marks=pytest.mark.soak)], ids=["small files", "every file"])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, open_built_root: Callable[..., Any]) -> dict[str, Any]:
    """What a root says after one run over the files: its accounts, and the facts of each payload."""
    files = corpus_files(request.param)
    root = land_corpora(files, tmp_path_factory.mktemp("corpora"), open_built_root)
    run_steps(root, "corpora", landed_partitions(root), until="current")
    with root.warehouse.open(read_only=True) as warehouse:
        said: dict[str, Any] = {name: warehouse.query(sql).to_pylist() for name, sql in _ACCOUNTS.items()}
        of_pairs = {one.facility_id for one in files if (one.corpus, one.name) in expected_pairs()}
        said["facts"] = {facility_id: product_facts(warehouse, facility_id) for facility_id in sorted(of_pairs)}
    return {**said, "files": files}


_ACCOUNTS = {
    "unbalanced": "select facility_id, source from LAKE.canonical.reconciliation where not is_balanced",
    "ledger": """
        select facility_id, count(*) as units, count(*) filter (outcome = 'quarantined') as quarantined,
          count(*) filter (outcome in ('canonical', 'superseded')) as read, count(*) filter (outcome is null) as open
        from LAKE.canonical.unit_outcome group by facility_id order by facility_id""",
    "reasons": """
        select facility_id, reason, count(*) as units from LAKE.canonical.unit_outcome where outcome in ('quarantined', 'ignored_by_rule')
        group by all order by facility_id, units desc, reason""",
}


def test_real_files_are_accounted_for(lake: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost between bytes and outcomes in any corpus; the share in quarantine is printed for each, with its reasons."""
    with capsys.disabled():
        for row in lake["ledger"]:
            said = ", ".join(f"{one['reason']} {one['units']}" for one in lake["reasons"] if one["facility_id"] == row["facility_id"])
            sys.stdout.write(f"\n{row['facility_id']}: {row['units']} units, {row['quarantined'] / row['units']:.1%} in quarantine ({said})")
    assert (lake["unbalanced"], [row for row in lake["ledger"] if row["open"]]) == ([], [])
    assert {row["facility_id"] for row in lake["ledger"]} == {one.facility_id for one in lake["files"]}


# Test messages alone (MSH-11, ISA15: T), events of other tables than the registered one, expectations whose version rows break a null rate.
_NOTHING_READ = {"linuxforhealth_hl7_hl7v2", "linuxforhealth_x12_x12", "debezium_customers", "cdc_reportstream_fhir", "ms_fhir_converter_fhir"}


def test_every_feed_is_read(lake: dict[str, Any]) -> None:
    """Facts come of each corpus that holds production data of registered tables."""
    assert {row["facility_id"] for row in lake["ledger"] if not row["read"]} == _NOTHING_READ


def test_what_publishers_expect(lake: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Identifiers, names, dates, codes and values are those of the publishers' own answers, but for what is written down."""
    listed = yaml.safe_load(DISAGREEMENTS.read_text(encoding="utf-8"))
    agreed, other, left_out = _compare(lake)
    with capsys.disabled():
        sys.stdout.write(f"\n{agreed} facts as expected, {len(other)} statements of files otherwise\n")
    explained = {(entry["corpus"], entry["feed"], entry["field"], file) for entry in listed["says_other"]
                 for file in (entry["files"] if entry["files"] != "all" else _files_of(other, entry))}
    assert agreed > 900
    assert other == explained, "A disagreement is new, or gone: see corpora_disagreements.yaml"
    assert left_out == {(entry["corpus"], entry["feed"], name) for entry in listed["leaves_out"] for name in entry["resources"]}


def _compare(lake: dict[str, Any]) -> tuple[int, set[tuple[str, str, str, str]], set[tuple[str, str, str]]]:
    """Facts that agree; (corpus, feed, field, file) stated otherwise; (corpus, feed, resource) of which fields are stated and not held."""
    pairs = expected_pairs()
    agreed, other, left_out = 0, set(), set()
    for one in lake["files"]:
        ours: Facts = lake["facts"].get(one.facility_id, {}).get(payload_id(one.path.read_bytes()), {})
        theirs = stated_facts(pairs[one.corpus, one.name]) if ours and (one.corpus, one.name) in pairs else {}
        for field, values in theirs.items():
            if field not in ours:
                left_out.add((one.corpus, one.feed, field.partition(".")[0]))
                continue
            agreed += len(ours[field] & values)
            if ours[field] - values:
                other.add((one.corpus, one.feed, field, one.path.name))
    return agreed, other, left_out


def _files_of(other: set[tuple[str, str, str, str]], entry: dict[str, str]) -> list[str]:
    found = [file for corpus, feed, field, file in other if (corpus, feed, field) == (entry["corpus"], entry["feed"], entry["field"])]
    assert found, f"{entry['field']} of {entry['corpus']} agrees everywhere by now"
    return found
