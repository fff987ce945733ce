"""A file of patient records: which columns it may hold in which types, and what a refusal says."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.stores.identity_file import _read
from transforms.errors import ConfigurationError
from transforms.identity.records_file import COLUMNS


def _written(folder: Path, **columns: Any) -> Path:
    said = {name: ["ZEBRA", None] for name in COLUMNS} | {"record_id": ["1", "2"]} | columns
    pq.write_table(pa.table({name: values for name, values in said.items() if values is not None}), folder / "records.parquet")
    return folder / "records.parquet"


@pytest.mark.parametrize(("columns", "told"), [
    ({"zip": [1234, None]}, "column zip is int64"), ({"ssn": [12345678.0, None]}, "column ssn is double"),
    ({"given": [["ZEBRA"], []]}, r"column given is list"), ({"family": [b"ZEBRA", b""]}, "column family is binary"),
    ({"mrn": None, "sex": None}, "lacks the columns mrn, sex"), ({"record_id": [None, None]}, "2 rows have no record_id"),
])
def test_a_column_of_another_kind_is_refused(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    """A number has lost its leading zeros, a list is no text: the refusal names column and type, what to do, and no value."""
    with pytest.raises(ConfigurationError, match=f"records.parquet: .*{told}.*Remedy") as refused:
        _read(_written(tmp_path, **columns))
    assert "ZEBRA" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "record_id,family\n1,ZEBRA\n"])
def test_another_format_is_refused(tmp_path: Path, text: str) -> None:
    """An empty file and a CSV are no Parquet; nothing of them is repeated."""
    (tmp_path / "records.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not a readable Parquet file") as refused:
        _read(tmp_path / "records.csv")
    assert "ZEBRA" not in str(refused.value)


def test_dates_of_any_type_are_read_alike(tmp_path: Path) -> None:
    """A birth date as a date or a time, a sex as a number and names as categories are the text that they stand for; ids keep their type."""
    for births in ([date(2001, 12, 31), None], [datetime(2001, 12, 31, 4), None], ["2001-12-31", None]):
        read = _read(_written(tmp_path, birth_date=births, sex=[1, None], record_id=[7, 8], given=pa.array(["ANA", None]).dictionary_encode()))
        assert [read[name][0].as_py() for name in ("birth_date", "sex", "record_id", "given")] == ["2001-12-31", "1", 7, "ANA"]
        assert [read[name][1].as_py() for name in ("birth_date", "sex")] == [None, None]
