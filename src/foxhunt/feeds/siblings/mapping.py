"""How a CSV file of anybody's is to be read: a small YAML file, read as strictly as exclusions.

docs/other-feeds.md says what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import yaml

from foxhunt.errors import MappingError, ParseError
from foxhunt.feeds.threatfox import read_label
from foxhunt.indicators import IndicatorType
from foxhunt.strict_yaml import Mistake, YamlReader, read_text

EPOCH = "epoch"
_TOP = ("source", "separator", "time_format", "columns", "constants", "types")
_COMMON = (
    *("type", "first_seen", "last_seen", "malware", "threat_type", "confidence_level"),
    *("reference", "reporter", "tags"),
)
_COLUMNS = ("value", "address", "port", "id", *_COMMON)
_TYPES = tuple(str(kind) for kind in IndicatorType)
_SEPARATORS = {"tab": "\t", "\t": "\t", ",": ",", ";": ";", "|": "|"}
# Names of feeds that have readers of their own: their records must not be taken for those.
_TAKEN = frozenset(
    {"threatfox", "urlhaus", "malwarebazaar", "feodotracker", "sslbl", "misp", "stix"}
)
_NUMBER = re.compile(r"100|[1-9]?[0-9]")
_DAY = datetime(2031, 11, 23, 17, 42, 58)  # noqa: DTZ001  # never a moment: it tries a format out


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvMapping:
    """Which column of a CSV file is what.

    Attributes:
        source: What the feed is called.
        separator: Between fields, one character.
        time_format: As `datetime.strptime` takes it, `EPOCH` for seconds since 1970, or None for
            times as ThreatFox writes them and days.
        columns: Name of a field to the column that holds it.
        constants: Name of a field to the text that every record has there.
        types: The file's words for types to ours; empty if it uses ours.
    """

    source: str
    separator: str = ","
    time_format: str | None = None
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


def read_mapping(path: str) -> CsvMapping:
    """Read a mapping file.

    Raises:
        MappingError: It cannot be read, or is wrong; the message names every mistake in it.
    """
    mistakes: list[Mistake] = []
    try:
        reader = _MappingReader(path)
        mapping = reader.read_mapping(read_text(Path(path), path))
        mistakes = sorted(reader.mistakes, key=Mistake.order)
    except Mistake as mistake:
        mistakes = [mistake]
    else:
        if mapping is not None and not mistakes:
            return mapping
    first, *others = mistakes
    lines = [str(first), *(f"{other.at}: {other}" for other in others)]
    raise MappingError("\n".join(lines), at=first.at)


class _MappingReader(YamlReader):
    """Reads one mapping file; mistakes are collected so that one run shows them all."""

    def read_mapping(self, document: str) -> CsvMapping | None:
        root = self._compose(document)
        if root is None:
            raise self._mistake("an empty file", "source: ..., columns: ...")
        top = self._mapping(root, "the file", _TOP, ("source", "columns"))
        columns = self._texts(top, "columns", _COLUMNS)
        constants = self._texts(top, "constants", _COMMON)
        types = self._types(top)
        if not self.mistakes:
            # Of fields that were not read nobody can say what is missing beside them.
            for text, hint in _contradictions(columns, constants, has_types=bool(types)):
                self.mistakes.append(self._at(root, text, hint=hint))
        if "confidence_level" in constants and not _NUMBER.fullmatch(constants["confidence_level"]):
            self.mistakes.append(
                self._at(top["constants"], "confidence_level is no number from 0 to 100")
            )
        source = self._one(top, "source", self._source)
        separator = self._one(top, "separator", self._separator)
        time_format = self._one(top, "time_format", self._time_format)
        if self.mistakes or source is None:
            return None
        return CsvMapping(
            source=source,
            separator=separator or ",",
            time_format=time_format,
            columns=columns,
            constants=constants,
            types=types,
        )

    def _mistake(self, text: str, hint: str) -> Mistake:
        return Mistake(self._place(yaml.ScalarNode("", "")), text, hint=hint)

    def _one(
        self, top: Mapping[str, yaml.Node], name: str, read: Callable[[yaml.Node], str]
    ) -> str | None:
        return self._guarded(read, top[name]) if name in top else None

    def _texts(
        self, top: Mapping[str, yaml.Node], name: str, allowed: tuple[str, ...]
    ) -> dict[str, str]:
        if name not in top:
            return {}
        found = self._guarded(lambda node: self._mapping(node, name, allowed), top[name]) or {}
        read: dict[str, str | None] = {}
        for key, value in found.items():
            read[key] = self._guarded(partial(self._string, what=f"{name}.{key}"), value)
        return {key: text for key, text in read.items() if text is not None}

    def _types(self, top: Mapping[str, yaml.Node]) -> dict[str, str]:
        """The file's own words: any text is a key here."""
        node = top.get("types")
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.mistakes.append(self._at(node, "types has to be a mapping", hint="fqdn: domain"))
            return {}
        found: dict[str, str] = {}
        for key, value in node.value:
            word = self._guarded(lambda one: self._string(one, "a word of types"), key)
            kind = self._guarded(self._type, value)
            if word in found:
                self.mistakes.append(self._at(key, f"the word {word!r} stands twice"))
            elif word is not None and kind is not None:
                found[word] = kind
        return found

    def _type(self, node: yaml.Node) -> str:
        text = self._string(node, "a type")
        if text not in _TYPES:
            hint = f"known: {', '.join(_TYPES)}"
            raise self._at(node, f"unknown type {text[:40]!r}", hint=hint)
        return text

    def _source(self, node: yaml.Node) -> str:
        text = self._string(node, "source")
        try:
            read_label(text, "source")
        except ParseError as error:
            raise self._at(node, error.message) from None
        if text.casefold() in _TAKEN:
            raise self._at(node, f"source {text!r} is a feed with a reader of its own")
        return text

    def _separator(self, node: yaml.Node) -> str:
        # A tab in quotes is white space, of which `_string` would leave nothing.
        text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        if text not in _SEPARATORS:
            raise self._at(node, f"separator {text[:40]!r} is none", hint="one of , ; | or tab")
        return _SEPARATORS[text]

    def _time_format(self, node: yaml.Node) -> str:
        text = self._string(node, "time_format")
        if text == EPOCH:
            return text
        try:
            read = datetime.strptime(_DAY.strftime(text), text)  # noqa: DTZ007  # as `_DAY`
        except ValueError as error:
            raise self._at(node, f"time_format {text[:40]!r}: {str(error)[:80]}") from None
        if read.date() != _DAY.date():
            raise self._at(node, f"time_format {text[:40]!r} tells no day", hint="%d.%m.%Y %H:%M")
        return text


def _contradictions(
    columns: Mapping[str, str], constants: Mapping[str, str], *, has_types: bool
) -> Iterator[tuple[str, str | None]]:
    """What is wrong with the fields together, and what to do."""
    both = sorted(columns.keys() & constants.keys())
    if both:
        yield f"{', '.join(both)}: in columns and in constants", "leave one out"
    has_pair = {"address", "port"} <= columns.keys()
    if ("value" in columns) == has_pair or (not has_pair and {"address", "port"} & columns.keys()):
        yield "columns needs value, or address and port", None
    given = columns.keys() | constants.keys()
    if has_pair and "type" in given:
        yield "address and port are an ip:port: type has no place beside them", None
    if not has_pair and "type" not in given:
        yield "type is missing", "name its column, or one type for all in constants"
    if "type" in constants and constants["type"] not in _TYPES:
        yield f"unknown type {constants['type'][:40]!r}", f"known: {', '.join(_TYPES)}"
    if has_types and "type" not in columns:
        yield "types without a column of types", None
    if "first_seen" not in given:
        yield "first_seen is missing", "name its column, or one day for all in constants"
