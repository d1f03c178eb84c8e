"""CSV of anybody's, read as a mapping file says (`foxhunt.feeds.siblings.mapping`).

- Source: the mapping's. The id is that of its column, else derived as for ThreatFox's records.
- Family: a Malpedia label, or a name that becomes a label of its own; without any, ``unknown``.
- Confidence: that of its column or constant, else 50, which is ThreatFox's default.
- A record that is refused says on which line of the file it ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from foxhunt.errors import ParseError
from foxhunt.feeds.raw import Broken, Reading
from foxhunt.feeds.siblings.csv_tables import Layout, rows
from foxhunt.feeds.siblings.mapping import EPOCH, CsvMapping
from foxhunt.feeds.siblings.told import RawTold, Told, address_and_port, family, threat_type_of

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECONDS = re.compile(r"[0-9]{1,10}")
_AS_TOLD = ("threat_type", "confidence_level", "reference", "reporter", "tags")


class MappedCsv:
    """Reads files of one mapping; see `foxhunt.feeds.siblings.Sibling.told`."""

    def __init__(self, mapping: CsvMapping) -> None:
        self._mapping = mapping
        needed = frozenset(mapping.columns.values())
        self._layout = Layout(
            what=f"the CSV of {mapping.source}",
            needed=(needed,),
            known=needed,
            separator=mapping.separator,
        )

    def told(self, stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
        """Yield the records.

        Raises:
            FeedError: It has no header with the columns of the mapping.
        """
        reading.format = "CSV by a mapping"
        for row in rows(stream, reading, self._layout):
            record: Mapping[str, object] | Broken
            if isinstance(row.fields, Broken):
                record = row.fields
            else:
                try:
                    record = self._record(row.fields)
                except ParseError as error:
                    record = Broken(self._value(row.fields), error.message)
            kind = "" if isinstance(row.fields, Broken) else self._type(row.fields) or ""
            yield Told(source=self._mapping.source, record=record, type=kind, at=f"line {row.line}")

    def _given(self, fields: Mapping[str, str], name: str) -> str | None:
        """What a field of a record is, by its column or by a constant."""
        column = self._mapping.columns.get(name)
        text = self._mapping.constants.get(name) if column is None else fields[column].strip()
        return text or None

    def _value(self, fields: Mapping[str, str]) -> str:
        if "value" in self._mapping.columns:
            return self._given(fields, "value") or ""
        pair = self._given(fields, "address"), self._given(fields, "port")
        return str(address_and_port(*pair) or "")

    def _type(self, fields: Mapping[str, str]) -> str | None:
        if "address" in self._mapping.columns:
            return "ip:port"
        word = self._given(fields, "type")
        return self._mapping.types.get(word or "", word)

    def _record(self, fields: Mapping[str, str]) -> Mapping[str, object]:
        kind = self._type(fields)
        record: dict[str, object] = {
            "id": self._given(fields, "id"),
            "ioc_value": self._value(fields),
            "ioc_type": kind,
            "first_seen": self._time(fields, "first_seen"),
            "last_seen": self._time(fields, "last_seen"),
        }
        record |= {name: self._given(fields, name) for name in _AS_TOLD}
        if record["threat_type"] is None:
            record["threat_type"] = threat_type_of(kind, "unknown")
        malware = self._given(fields, "malware")
        return record | family([malware] if malware else [])

    def _time(self, fields: Mapping[str, str], name: str) -> str | None:
        text = self._given(fields, name)
        if text is None:
            return None
        if _DAY.fullmatch(text) and (
            self._mapping.time_format is None or name not in self._mapping.columns
        ):
            return f"{text} 00:00:00"
        if self._mapping.time_format is None or name not in self._mapping.columns:
            return text
        return _formatted(text, self._mapping.time_format, self._mapping.columns[name])


def _formatted(text: str, time_format: str, column: str) -> str:
    """A time of the file as text that `read_record` reads.

    Raises:
        ParseError: It does not fit the format.
    """
    try:
        if time_format == EPOCH:
            if not _SECONDS.fullmatch(text):
                raise ValueError(text)
            moment = datetime.fromtimestamp(int(text), UTC)
        else:
            moment = datetime.strptime(text, time_format)  # noqa: DTZ007  # UTC if it names no zone
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ParseError(
            f"column {column!r}: {text[:80]!r} is no time of the form {time_format!r}"
        ) from None
    return moment.isoformat(sep=" ")
