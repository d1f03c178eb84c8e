"""Many records at once: those of regular form by columns, the others one by one.

`Told.read` is the definition. `foxhunt.feeds.columns.read_columns` gives the same for the records
it takes, faster by a multiple, and takes none that is not certain to be an indicator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import ParseError
from foxhunt.feeds.columns import read_columns
from foxhunt.feeds.raw import OUTER_ID
from foxhunt.feeds.siblings.told import Told
from foxhunt.feeds.taking import inserted
from foxhunt.feeds.threatfox import derived_id, id_text
from foxhunt.indicators import Indicator, Quarantined

_BATCH = 20_000
_TEXTS = (
    *("ioc_value", "ioc_type", "threat_type", "malware", "malware_printable", "first_seen"),
    *("last_seen", "reference", "reporter"),
)
_WORDS = ("malware_alias", "tags")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (OUTER_ID, *_TEXTS, *_WORDS)),
        ("confidence_level", pa.int64()),
    ]
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def batches(records: Iterable[Told]) -> Iterator[Sequence[Told]]:
    """Records in batches, in their order."""
    source = iter(records)
    while batch := list(islice(source, _BATCH)):
        yield batch


def read_batch(batch: Sequence[Told]) -> tuple[pa.Table, list[Quarantined]]:
    """Return rows of `foxhunt.indicators.collection.SCHEMA`, and what is no indicator, in order."""
    # Arrow reads an id of digits: the place of each record stands for its own until it is read.
    rows = [_row(told, place) for place, told in enumerate(batch)]
    table, is_read = read_columns(pa.Table.from_pylist(rows, _SCHEMA))
    places = pc.indices_nonzero(is_read).to_pylist()
    regular = [batch[place] for place in places]
    named = {
        "source": [told.source for told in regular],
        "source_id": list(_ids(table, regular)),
    }
    for name, values in named.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), pa.array(values, pa.string()))
    odd: dict[int, Indicator] = {}
    quarantined = []
    for place in pc.indices_nonzero(pc.invert(is_read)).to_pylist():
        read = batch[place].read()
        if isinstance(read, Indicator):
            odd[place] = read
        else:
            quarantined.append(read)
    return inserted(table, is_read, odd) if odd else table, quarantined


def _ids(table: pa.Table, regular: Sequence[Told]) -> Iterator[str]:
    columns = ("type", "value", "malware", "first_seen")
    for told, row in zip(regular, table.select(columns).to_pylist(), strict=True):
        own_id = _own_id(told)
        yield derived_id(*(row[name] for name in columns)) if own_id is None else own_id


def _own_id(told: Told) -> str | None:
    """The publisher's id; see `foxhunt.feeds.threatfox.read_record`.

    Raises:
        ParseError: It is none that a record can have.
    """
    raw: object = told.source_id
    if raw is None and isinstance(told.record, Mapping):
        raw = told.record.get("id")
        if raw is None or raw == "":
            return None
    if not isinstance(raw, str):
        raise ParseError("an id of another kind")
    return id_text(raw, "id")


def _row(told: Told, place: int) -> dict[str, object]:
    """A record as `read_columns` takes it; without an id, which it does not take, if irregular."""
    if not isinstance(told.record, Mapping):
        return {}
    try:
        _own_id(told)
    except ParseError:
        return {}
    row: dict[str, object] = {OUTER_ID: str(place)}
    for name in _TEXTS:
        value = told.record.get(name)
        if value is not None and not _is_plain(value):
            return {}
        row[name] = value
    for name in _WORDS:
        words = told.record.get(name)
        joined = _joined(words) if isinstance(words, list) else words
        if joined is not None and not _is_plain(joined):
            return {}
        row[name] = joined
    confidence = told.record.get("confidence_level")
    # Not a truth value, which Python counts as a number, nor a number that Arrow cannot hold.
    if confidence is not None and not (type(confidence) is int and 0 <= confidence <= 100):
        return {}
    return row | {"confidence_level": confidence}


def _joined(words: list[object]) -> object:
    """The words as a text with commas, or what is no text if that says something else."""
    if not all(isinstance(word, str) and "," not in word for word in words):
        return words
    joined = ",".join(map(str, words))
    # As a text it says that nothing is given, as the only word of a list it is one.
    return words if joined == "None" else joined


def _is_plain(value: object) -> bool:
    """Whether Arrow can hold it as text."""
    return isinstance(value, str) and (value.isascii() or not _SURROGATE.search(value))
