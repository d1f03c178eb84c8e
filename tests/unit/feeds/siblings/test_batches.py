"""Records in bulk are what they are one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.feeds.raw import Broken
from foxhunt.feeds.siblings.batches import batches, read_batch
from foxhunt.feeds.siblings.told import Told
from foxhunt.indicators import Indicator, Quarantined
from foxhunt.indicators.collection import table_of

TEXTS = (
    "",
    "None",
    "a.org",
    "http://a.org/x",
    "9.9.9.9:443",
    "domain",
    "\ud800",
    "ü",
    "a,b",
    " a ",
)
TIMES = ("2026-05-24 06:12:33", "2026-05-24T06:12:33.5+02:00", "2026-02-29 00:00:00", "", "soon")
WORDS = st.lists(st.sampled_from(("None", "", " a ", "b,c", "\ud800", "x", 17)), max_size=3)

# Sound records, of which any field may be replaced.
CHANGES = st.dictionaries(
    st.sampled_from(
        ("id", "ioc_value", "ioc_type", "threat_type", "malware", "malware_printable", "reference")
    ),
    st.sampled_from((*TEXTS, None, 17, ["a"])),
    max_size=2,
) | st.fixed_dictionaries(
    {},
    optional={
        "first_seen": st.sampled_from(TIMES),
        "last_seen": st.sampled_from((*TIMES, None)),
        "confidence_level": st.sampled_from((0, 100, 101, "75", "x", None, True, 7.5, 10**30)),
        "tags": WORDS | st.sampled_from(("a,b", "None", "", None, 17)),
        "malware_alias": WORDS,
    },
)


def sound(number: int) -> dict[str, object]:
    return {
        "ioc_value": f"a{number}.org",
        "ioc_type": "domain",
        "malware": "fox",
        "first_seen": "2026-05-24 06:12:33",
    }


TOLDS = st.lists(
    st.builds(
        lambda changes, source_id, number: Told(
            source="s", source_id=source_id, record=sound(number) | changes, type="url", at="here"
        ),
        CHANGES,
        st.sampled_from((None, "7", "abc.md5", "", " x ", "a\nb")),
        st.integers(0, 99),
    )
    | st.just(Told(source="s", record=Broken("x", "no record"))),
    max_size=6,
)


@settings(max_examples=30)
@given(TOLDS)
def test_a_batch_is_what_its_records_are_one_by_one(tolds: list[Told]) -> None:
    read = [told.read() for told in tolds]

    table, quarantined = read_batch(tolds)

    assert table.to_pylist() == (
        table_of(one for one in read if isinstance(one, Indicator)).to_pylist()
    )
    assert quarantined == [one for one in read if isinstance(one, Quarantined)]


def test_batches_hold_every_record_once_and_in_order() -> None:
    tolds = [Told(source=str(n), record={}) for n in range(20_001)]

    found = list(batches(iter(tolds)))

    assert [told for batch in found for told in batch] == tolds
    assert len(found) == 2
