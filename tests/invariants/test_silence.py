"""Silence (I6): no patient value in anything that is written in the clear, whether a run succeeds or fails."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pyarrow.parquet as pq
import pytest

from orchestration.catalog_serving import catalog_app
from orchestration.settings import load_settings
from tests.conftest import PROJECT
from tests.integration.catalog_world import Reader, ask
from tests.invariants.leaks import MARK, forms, generate_marked, leaks, sent_texts, written_below

PAGES = 150


@dataclass(frozen=True)
class World:
    """A root on which everything was done once, what was printed meanwhile, and the values that nobody may find."""

    root: Any
    network: Path
    folder: Path
    printed: dict[str, bytes]
    values: list[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, open_built_root: Callable[..., Any]) -> World:
    """Everything that the command line does, on a marked network; then a run that fails with a name in the engine's message."""
    folder = tmp_path_factory.mktemp("silence")
    network = folder.with_name("silent_network")
    values = generate_marked(network, seed=17, people=30, days=2, facilities=5, start=date(2026, 1, 5))
    root, _ = open_built_root(folder / "home", network / "facilities.yaml")
    for name in ("tmp", "user"):
        (folder / name).mkdir()
    environment = {
        **os.environ, "LAKEHOUSE_HOME": str(root.home), "LAKEHOUSE_FACILITIES": str(network / "facilities.yaml"),
        "LAKEHOUSE_BUILD": str(PROJECT / ".build"), "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "user"),
    }
    named = network / f"{values[0]}.csv"
    named.write_text("x")
    printed = {}
    for end, words in (
        (0, ["land", str(network / "feeds"), "--network"]), (0, ["materialize"]), (0, ["status"]), (0, ["reconcile"]), (0, ["quarantine", "list"]), (0, ["identity", "review"]),
        (0, ["catalog", "verify"]), (0, ["quarantine", "show", "--facility", "lakeside", "--date", "2026-01-05"]),
        (0, ["lineage", "marts.mart_readmission", "person_id"]),
        # Many rows have this key: what is refused is said without any of them.
        (1, ["trace", "canonical.encounter", "--key", "facility_id=lakeside"]),
        (2, ["land", str(named), "--facility", "nowhere", "--source", "adt_oru"]),
    ):
        # The named file is given on the command line: its own path may be said back.
        printed[" ".join(words[:3])] = _lakehouse(words, environment, end).replace(str(named).encode(), b"")
    study = ["trace", "canonical.imaging_study", "--key", f"identifier_value={_a_study(network)}", "--column", "modalities"]
    shown = _lakehouse(study, environment, 0)
    assert b"(replayed equal)" in shown, "a trace leads from a view's row to rows that give it again"
    _break(root)
    failed = _lakehouse(["materialize", "--facility", "lakeside", "--from", "2026-01-05", "--to", "2026-01-05"], environment, 1)
    assert b"patient_version" in failed, "the broken table was to stop the run"
    return World(root, network, folder, {**printed, "a failing run": failed}, values)


def _lakehouse(words: list[str], environment: dict[str, str], end: int) -> bytes:
    """Output of a command that must end with this exit code, and not by a bug: its messages could not be trusted then."""
    done = subprocess.run([sys.executable, "-c", "from orchestration.cli.main import main; main()", *words], cwd=PROJECT, env=environment,
                          capture_output=True, timeout=600, check=False)
    assert done.returncode == end, f"{words[:2]} ended with {done.returncode}: {done.stderr[-2000:]!r}"
    assert b"Traceback" not in done.stderr, words[:2]
    return done.stdout + done.stderr


def _a_study(network: Path) -> str:
    """The smallest UID of an imaging study of the network: what its trace shows is for whoever asked, and is not searched."""
    return min(row["identifier_value"] for row in pq.read_table(network / "truth" / "imaging_studies.parquet").to_pylist())


def _break(root: Any) -> None:
    """Make a table whose column cannot hold a name, so that the engine complains and quotes it."""
    with root.warehouse.open() as warehouse:
        names = [row["column_name"] for row in warehouse.query(
            "select column_name from information_schema.columns where table_schema = 'canonical' and table_name = 'patient_version' "
            "order by ordinal_position").to_pylist()]
        shown = ", ".join("cast(null as integer) as name_family" if name == "name_family" else name for name in names)
        warehouse.execute(f"create or replace table LAKE.canonical.patient_version as select {shown} from LAKE.canonical.patient_version where 1 = 0")


def _pages(root: Any) -> Iterator[tuple[str, bytes]]:
    """Follow the catalog's links from its first page."""
    app = catalog_app(root, load_settings())
    waiting, seen = ["/"], {"/"}
    for _ in range(PAGES):
        if not waiting:
            return
        address = waiting.pop(0)
        answer = ask(app, address)
        yield address, answer.text.encode()
        if address.split("?")[0].endswith((".csv", ".json")):
            continue
        for link in Reader(answer.text).links:
            target = urljoin(address, link)
            if target.startswith("/") and target not in seen:
                seen.add(target)
                waiting.append(target)


def test_nothing_is_found_in_what_is_printed(world: World) -> None:
    """No marker, phone or record number in any command's output, successes and failures alike."""
    assert all(world.printed.values())
    assert leaks(world.values, world.printed) == []


def test_nothing_is_found_in_any_file(world: World) -> None:
    """Nor in any file below the root, the temporary folder and the home folder: sealed files keep what they hold."""
    written = written_below(world.folder)
    for part in ("home/landing", "home/raw", "home/warehouse", "home/catalog", "home/dagster"):
        assert any(place.startswith(part) for place in written), part
    assert leaks(world.values, written) == []


def test_nothing_is_found_on_any_page(world: World) -> None:
    """Nor on the catalog's pages."""
    pages = dict(_pages(world.root))
    assert len(pages) > 50
    assert leaks(world.values, pages) == []


def test_every_feed_sends_what_is_searched_for(world: World) -> None:
    """Each feed of the network, whatever its format, holds some of the values: a leak of that format would be seen."""
    sent = sent_texts(world.network)
    without = {feed for feed, text in sent.items() if not any(value.lower() in text for value in world.values)}
    assert len(sent) == 21
    # Record numbers of six digits, all that these name people by, stand in too much by chance to be searched for.
    assert without == {"oldmill/diagnoses", "oldmill/results", "oldmill/visits"}


def test_the_values_are_in_what_was_landed(world: World) -> None:
    """The search looks for what is there: names, phones and numbers are in the warehouse, in which a reader with the key finds them."""
    with world.root.warehouse.open(read_only=True) as warehouse:
        rows = warehouse.query("select name_family, telecom_phone, identifier_value from LAKE.canonical.patient").to_pylist()
    held = {str(value).lower() for row in rows for value in row.values()}
    assert len(held & {value.lower() for value in world.values}) > 30


@pytest.mark.parametrize("hide", [
    lambda value: value.encode(), lambda value: b"x" + value.upper().encode() + b"y", lambda value: value.encode("utf-16-le"),
    lambda value: gzip.compress(b"log: " + value.encode()), lambda value: forms(value)["hexadecimal"],
    lambda value: __import__("base64").b64encode(b"a name: " + value.encode() + b" and more"),
])
def test_a_planted_leak_is_found(hide: Callable[[str], bytes], tmp_path: Path) -> None:
    """The search finds a value in a file in each form, and in a file's name."""
    value = MARK.format("aa")
    (tmp_path / "log").write_bytes(hide(value))
    assert leaks([value], written_below(tmp_path))
    (tmp_path / "log").rename(tmp_path / f"{value}.txt")
    assert any(found.startswith("name of") for found in leaks([value], written_below(tmp_path)))
