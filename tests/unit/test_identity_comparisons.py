"""What is asked ahead of a distance rules out nothing that the distance would let through."""

from __future__ import annotations

import duckdb
import pytest

from transforms.identity.comparisons import DATE_SLIP, has_slip, is_slip

# one slip, two, none; of one length and of two
NAMES = ("MARIA", "MARIAH", "MAIRA", "MARA", "MARTHA", "MERIE", "ARIA", "MARIANNE", "AL", "LA", "A", "ALLAN", "ALAN")
# one slip within a part, an exchange within it, slips in two parts, another century
DATES = ("2001-12-31", "2001-12-13", "2010-12-31", "2001-12-21", "2002-12-31", "1901-12-31", "2001-10-31", "2001-01-31", "2001-12-30",
         "2002-11-30", "2001-02-10", "2001-10-02", "2101-12-31", "2010-12-13", "2011-12-31")


@pytest.mark.parametrize(("said", "distance", "texts"), [
    (is_slip("text_l", "text_r"), "damerau_levenshtein(text_l, text_r) <= 1", NAMES),
    (has_slip("['ZOE', text_l]", "text_r"), "damerau_levenshtein(text_l, text_r) <= 1", NAMES),
    (DATE_SLIP, "damerau_levenshtein(birth_text_l, birth_text_r) <= 1", DATES),
])
def test_what_is_asked_first_rules_out_no_slip(said: str, distance: str, texts: tuple[str, ...]) -> None:
    """Lengths, and the parts of a date, tell pairs apart that no slip explains, and no others."""
    found = duckdb.connect().execute(f"""
        with told as (select text, try_cast(text as date) as birth_date from (select unnest({list(texts)}) as text)),
        pair as (select l.text as text_l, r.text as text_r, l.text as birth_text_l, r.text as birth_text_r, l.birth_date as birth_date_l,
                   r.birth_date as birth_date_r from told l cross join told r)
        select count(*) filter (where ({said}) is distinct from ({distance})), count(*) filter (where {distance} and text_l <> text_r),
          count(*) filter (where not ({distance}))
        from pair
    """).fetchall()[0]
    assert found[0] == 0
    assert found[1] > 0
    assert found[2] > 0
