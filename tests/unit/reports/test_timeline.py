"""The picture of events: nothing is left out of it, however much there is."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from foxhunt.findings import Verdict
from foxhunt.reports.timeline import MAX_COLUMNS, MAX_HOSTS, Entry, Timeline, draw

DAYS = st.dates(date(2020, 1, 1), date(2027, 1, 1)).map(date.isoformat)
ENTRIES: st.SearchStrategy[list[Entry]] = st.lists(
    st.tuples(
        st.sampled_from([f"host-{number}" for number in range(80)] + [""]),
        DAYS,
        st.sampled_from(Verdict),
        st.integers(1, 5_000),
    ),
    max_size=120,
)


def _events(picture: Timeline | None) -> int:
    """Events that the titles of all cells name."""
    if picture is None:
        return 0
    titles = [cell.title.rpartition(": ")[2] for row in picture.rows for cell in row.cells]
    return sum(
        int(number.replace(",", ""))
        for title in titles
        for number in re.findall(r"([\d,]+) [a-z]", title)
    )


def test_there_is_no_picture_of_nothing() -> None:
    assert draw(()) is None


@given(ENTRIES)
def test_every_event_is_in_the_picture(entries: list[Entry]) -> None:
    picture = draw(entries)

    assert _events(picture) == sum(number for *_, number in entries)


@given(ENTRIES)
def test_the_picture_is_bounded_and_every_cell_within_it(entries: list[Entry]) -> None:
    picture = draw(entries)
    if picture is None:
        return

    assert len(picture.rows) <= MAX_HOSTS
    for row in picture.rows:
        assert len(row.cells) <= MAX_COLUMNS
        for cell in row.cells:
            assert picture.left <= cell.x < cell.x + cell.width <= picture.width
            assert picture.top <= cell.y < cell.y + cell.height <= picture.height
            assert len(cell.number) <= 4


def test_the_most_serious_host_is_on_top() -> None:
    picture = draw(
        [
            ("a-suppressed", "2026-06-01", Verdict.SUPPRESSED, 9_000),
            ("b-open", "2026-06-01", Verdict.OPEN, 1),
            ("c-more-open", "2026-06-01", Verdict.OPEN, 2),
            ("", "2026-06-01", Verdict.STALE, 3),
        ]
    )
    assert picture is not None

    assert [row.label for row in picture.rows] == [
        "c-more-open",
        "b-open",
        "(no host)",
        "a-suppressed",
    ]
    assert picture.verdicts == (Verdict.OPEN, Verdict.STALE, Verdict.SUPPRESSED)
    assert picture.note == ""


def test_a_cell_has_the_most_serious_verdict_and_a_strip_for_each_other() -> None:
    picture = draw(
        [("h", "2026-06-01", verdict, 10 + at) for at, verdict in enumerate(reversed(Verdict))]
    )
    assert picture is not None
    ((cell,),) = [row.cells for row in picture.rows]

    assert cell.verdict is Verdict.OPEN
    assert [verdict for *_, verdict in cell.others] == list(Verdict)[1:]
    assert cell.title == "h, 2026-06-01: 13 open, 12 inbound, 11 stale, 10 suppressed"
    assert cell.number == "46"


def test_beyond_its_bounds_hosts_share_a_row_and_days_a_column_and_it_says_so() -> None:
    first = date(2026, 1, 1)
    picture = draw(
        [
            (f"host-{at:03}", (first + timedelta(days=at)).isoformat(), Verdict.OPEN, 1)
            for at in range(200)
        ]
    )
    assert picture is not None

    assert picture.rows[-1].label == "141 more hosts"
    assert picture.note == (
        "a column is 3 days; the 59 most serious of 200 hosts have a row of their own"
    )
    assert picture.rows[0].cells[0].title == "host-000, 2026-01-01 and 2 days after: 1 open"
    assert _events(picture) == 200


def test_hostile_host_names_are_visible_and_short() -> None:
    picture = draw([("\x1b[2J\u202e" + "x" * 400, "2026-06-01", Verdict.OPEN, 1)])
    assert picture is not None

    (row,) = picture.rows
    assert row.title.startswith("<U+001B>[2J<U+202E>xxx")
    assert row.title.endswith("... (205 more characters)")
    assert len(row.label) == 26
