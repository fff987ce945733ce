"""Records told by the places of their marks, beside Python's csv module on the same texts."""

from __future__ import annotations

import csv
import io
import random

import pytest

from transforms.decode.extract.marks import read_block

VALUES = ["", "a", "é", '"q"', '""', '"a""b"', '"l\n2"', '"c\r\nd"', '","', '""""', "\x1f"]


def text_of(seed: int) -> str:
    """Lines of two cells, some of one or three, some empty; both line ends."""
    chance = random.Random(seed)
    lines = [",".join(chance.choice(VALUES) for _ in range(chance.choice((0, 1, 2, 2, 2, 2, 2, 3)))) for _ in range(30)]
    return "".join(line + chance.choice(("\n", "\r\n")) for line in lines)


@pytest.mark.parametrize("seed", range(40))
def test_marks_tell_the_records_that_csv_tells(seed: int) -> None:
    """Cells of rows of the right width, the numbers of all others and the bytes used are those of the csv module; a begun row is left."""
    text = text_of(seed)
    truth = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    found = read_block((text + '5,"6\n').encode(), ",", 2)
    assert found is not None
    assert found.cells.to_pylist() == [cell for row in truth if len(row) == 2 for cell in row]
    assert sorted(found.odd) == [number for number, row in enumerate(truth) if len(row) != 2]
    assert (found.count, found.size) == (len(truth), len(text.encode()))


@pytest.mark.parametrize("line", ['a"b,c', '"a"b,c', 'a,"b" ', "a\rb,c", 'x"",c'])
def test_what_marks_do_not_tell_is_left_to_another_reader(line: str) -> None:
    """A quote inside a value, text behind a closing quote or a bare carriage return is not guessed at."""
    assert read_block(f"1,2\n{line}\n3,4\n".encode(), ",", 2) is None
