"""Records of regular form into indicators, a column at a time.

`foxhunt.feeds.threatfox.read_record` is the definition, record by record; what is done here gives
the same for the records it takes and takes none that is not certain to be an indicator. Fields of
few values (types, families, tags) are read by the definition's own functions, once a value;
fields of many (values, times, ids) by patterns narrower than the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import ParseError
from foxhunt.feeds.raw import OUTER_ID
from foxhunt.feeds.threatfox import (
    FIRST_SEEN,
    ID,
    LAST_SEEN,
    MALWARE,
    SOURCE,
    VALUE,
    optional,
    read_confidence,
    read_flag,
    read_label,
    read_type,
    read_words,
)
from foxhunt.indicators.collection import SCHEMA
from foxhunt.indicators.joining import lookups_of
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.regular import canonical_values

_TIME = SCHEMA.field("first_seen").type
_NAIVE = pa.timestamp("us")
_WORDS = pa.list_(pa.string())
_NOT_GIVEN = pa.array(["", "None"], pa.string())
_NO_TEXT = pa.scalar(None, pa.string())
_TRUE, _FALSE = pa.scalar(True, pa.bool_()), pa.scalar(False, pa.bool_())
_LONGEST_ID = pa.scalar(20, pa.int32())
_PLAIN_ID = r"^[0-9]+(?:\.[0-9]+)?$"
_SECONDS_LONG = pa.scalar(len("2026-05-24 08:00:00"), pa.int32())
_FIRST_TIME, _LAST_TIME = datetime(1990, 1, 1), datetime(2100, 12, 31, 23, 59, 59)  # noqa: DTZ001
# Every day there is but 29 February. `read_record` knows more ways to write a time.
_PLAIN_TIME = (
    "^(?:199[0-9]|20[0-9]{2})-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    " (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?: UTC|Z)?$"
)


def read_columns(columns: pa.Table) -> tuple[pa.Table, pa.Array]:
    """Read the records that are certainly indicators.

    Args:
        columns: One row a record, see `foxhunt.feeds.raw.Run.columns`.

    Returns:
        Rows of `SCHEMA` for the records read, in their order; and for each record whether it
        was read. The others are for `read_record`.
    """
    fields = _Fields(columns)
    source = pa.scalar(SOURCE, pa.string())
    made: dict[str, pa.Array] = {"source": pa.repeat(source, fields.length)}
    made["source_id"] = fields.claimed(_ids(fields))
    made["type"] = fields.by_distinct("ioc_type", lambda raw: str(read_type(raw)), pa.string())
    for name in ("first_seen", "last_seen"):
        made[name] = fields.time(FIRST_SEEN if name == "first_seen" else LAST_SEEN)
    fields.claimed(made["first_seen"])
    made["malware"] = fields.claimed(fields.label(MALWARE, "malware"))
    printable = fields.label(("malware_printable",), "malware_printable")
    made["malware_printable"] = pc.coalesce(printable, made["malware"])
    threat_type = fields.label(("threat_type",), "threat_type")
    made["threat_type"] = pc.fill_null(threat_type, pa.scalar("unknown", pa.string()))
    made["confidence_level"] = fields.by_distinct("confidence_level", read_confidence, pa.int64())
    made["is_compromised"] = fields.by_distinct("is_compromised", read_flag, pa.bool_())
    for name in ("malware_alias", "tags"):
        made[name] = fields.by_distinct(name, partial(read_words, name=name), _WORDS)
    for name in ("reference", "reporter"):
        made[name] = fields.given((name,))
    values = _values(made["type"], fields.given(VALUE))
    fields.claimed(values["value"].combine_chunks())
    made |= dict(zip(values.column_names, values.columns, strict=True))
    table = pa.table([made[name] for name in SCHEMA.names], schema=SCHEMA)
    is_whole = pc.all(fields.is_read).as_py()
    return table if is_whole else table.filter(fields.is_read), fields.is_read


class _Fields:
    """The fields of records by any of their names, and which records are certain so far."""

    def __init__(self, columns: pa.Table) -> None:
        whole = columns.combine_chunks()
        self._columns = {name: whole[name].combine_chunks() for name in columns.column_names}
        self.length = columns.num_rows
        self.is_read = pa.repeat(_TRUE, self.length)

    def has(self, name: str) -> bool:
        """Whether there is a column ``name``."""
        return name in self._columns

    def claimed(self, found: pa.Array) -> pa.Array:
        """``found``; records for which it is null are not read."""
        self._require(pc.is_valid(found))
        return found

    def _require(self, claim: pa.Array) -> None:
        self.is_read = pc.and_(self.is_read, claim)

    def spelled(self, names: tuple[str, ...]) -> pa.Array:
        """The column that has one of ``names``."""
        present = [name for name in names if name in self._columns]
        if not present:
            return pa.nulls(self.length, pa.string())
        for other in present[1:]:
            # Two spellings in one record: which counts is for the definition to say.
            self._require(pc.is_null(self._columns[other]))
        return self._columns[present[0]]

    def given(self, names: tuple[str, ...]) -> pa.Array:
        """The text of a field, null where it is not given."""
        column = self.spelled(names)
        if not pa.types.is_string(column.type):
            self._require(pc.is_null(column))
            return pa.nulls(self.length, pa.string())
        return pc.if_else(pc.is_in(column, _NOT_GIVEN), _NO_TEXT, column)

    def time(self, names: tuple[str, ...]) -> pa.Array:
        """A time; null where none is given, and where the record is not read."""
        given = self.given(names)
        if (moments := _moments(given)) is not None:
            return moments
        is_plain = pc.match_substring_regex(given, _PLAIN_TIME)
        self._require(pc.fill_null(is_plain, _TRUE))
        plain = pc.if_else(is_plain, given, _NO_TEXT)
        return pc.utf8_slice_codeunits(plain, 0, 19).cast(_NAIVE).cast(_TIME)

    def label(self, names: tuple[str, ...], name: str) -> pa.Array:
        """A label; null where none is given."""

        def read(raw: Mapping[str, object]) -> str | None:
            text = optional(raw, (name,))
            return None if text is None else read_label(text, name)

        return self._distinct(self.spelled(names), name, read, pa.string())

    def by_distinct(
        self, name: str, read: Callable[[Mapping[str, object]], object], made: pa.DataType
    ) -> pa.Array:
        """What ``read`` makes of a record with the field ``name`` alone."""
        return self._distinct(self.spelled((name,)), name, read, made)

    def _distinct(
        self,
        column: pa.Array,
        name: str,
        read: Callable[[Mapping[str, object]], object],
        made: pa.DataType,
    ) -> pa.Array:
        coded = column.dictionary_encode()
        results, is_right = [], []
        for value in [*coded.dictionary.to_pylist(), None]:
            try:
                results.append(read({name: value}))
                is_right.append(True)
            except ParseError:
                results.append(None)
                is_right.append(False)
        at = coded.indices
        if at.null_count:
            at = pc.fill_null(at, pa.scalar(len(results) - 1, at.type))
        if not all(is_right):
            self._require(pa.array(is_right, pa.bool_()).take(at))
        return pa.array(results, made).take(at)


def _moments(given: pa.Array) -> pa.Array | None:
    """Times that all are days and seconds; None if one may be something else."""
    # Of that length Arrow's own reader takes what `read_record` takes, and nothing else.
    if not pc.all(pc.equal(pc.binary_length(given), _SECONDS_LONG), min_count=0).as_py():
        return None
    try:
        moments = given.cast(_NAIVE)
    except pa.ArrowInvalid:
        return None
    earliest, latest = (moment.as_py() for moment in pc.min_max(moments).values())
    if earliest is not None and not _FIRST_TIME <= earliest <= latest <= _LAST_TIME:
        return None
    return moments.cast(_TIME)


def _ids(fields: _Fields) -> pa.Array:
    ids = fields.given((OUTER_ID,) if fields.has(OUTER_ID) else ID)
    is_short = pc.less_equal(pc.binary_length(ids), _LONGEST_ID)
    is_id = pc.ascii_is_decimal(ids)
    if not pc.all(is_id).as_py():  # the second record of an entry has "7.2"
        is_id = pc.match_substring_regex(ids, _PLAIN_ID)
    return pc.if_else(pc.and_(is_id, is_short), ids, _NO_TEXT)


def _values(kinds: pa.Array, texts: pa.Array) -> pa.Table:
    """Columns value, lookup, port, path and is_shared; null where there is no value."""
    # A type that was refused is no kind: its texts have no value either.
    coded = kinds.dictionary_encode("encode")
    parts, places = [], []
    for code, kind in enumerate(coded.dictionary.to_pylist()):
        is_kind = pc.equal(coded.indices, pa.scalar(code, coded.indices.type))
        places.append(pc.indices_nonzero(is_kind).cast(pa.int64()))
        parts.append(_values_of(kind and IndicatorType(kind), texts.filter(is_kind)))
    if not parts:
        return _values_of(None, texts)
    # Where each record of the first part goes, then of the second: undone.
    return pa.concat_tables(parts).take(pc.inverse_permutation(pa.concat_arrays(places)))


def _values_of(kind: IndicatorType | None, texts: pa.Array) -> pa.Table:
    names = ("lookup", "port", "path", "is_shared")
    if kind is None:
        none = pa.nulls(len(texts), pa.string())
        columns = [none, none, none, none, pa.nulls(len(texts), pa.bool_())]
    else:
        values = canonical_values(kind, texts)
        lookups = lookups_of(kind, values)
        columns = [values, *(lookups.field(name) for name in names)]
    return pa.table(columns, names=["value", *names])
