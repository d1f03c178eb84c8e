"""Exclusion files: YAML that a person writes, read strictly, every mistake with its place.

A half-read file never starts a hunt: either all files are read whole, or one error
names every mistake in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path

import yaml

from foxhunt.errors import ExclusionError, ParseError, SourceSpan, TableError, UsageError
from foxhunt.exclusions.model import (
    DEFAULT_WINDOW,
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    ExclusionSet,
    NotOf,
    Predicate,
    Scope,
)
from foxhunt.exclusions.parsing import parse_pattern
from foxhunt.exclusions.patterns import Pattern
from foxhunt.exclusions.regular import cut_entries, cut_items, plain_list
from foxhunt.exclusions.scenarios import scenarios
from foxhunt.indicators import IndicatorType
from foxhunt.strict_yaml import MAX_NODES, NULLS, Mistake, YamlReader, read_text
from foxhunt.tables import Fact, get_table

_SHOWN = 20
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# An id that means the same in YAML; and where one stands in its line.
_PLAIN_ID = re.compile(rf"    id: ({_ID.pattern})\n*")
_COLUMN = 5
_DURATION = re.compile(r"([0-9]{1,5})([smh])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_SHORTEST_WINDOW = timedelta(seconds=30)
_LONGEST_WINDOW = timedelta(hours=24)
# What the templates of `foxhunt exclusions init` hold where the user's own part belongs.
_PLACEHOLDER = re.compile(r"change-me|0\.0\.0\.0/32", re.IGNORECASE)

_REQUIRED = ("id", "scenario", "reason", "owner", "expires", "scope", "when")
_NEEDED = frozenset(_REQUIRED)
_FIELDS = (*_REQUIRED, "within")
_SCOPE = ("families", "types", "tables")
_TYPES = frozenset(IndicatorType)
_FACTS = {str(fact): fact for fact in Fact}
_CONDITIONS = ("all", "any", "not", *_FACTS)


def read_exclusions(paths: Sequence[str]) -> ExclusionSet:
    """Read exclusions of files, and of all ``*.yaml`` and ``*.yml`` in folders.

    Raises:
        UsageError: A path that does not exist, or a folder without such a file.
        ExclusionError: Whatever is wrong in any of them, all of it at once.
    """
    found: list[Exclusion] = []
    mistakes: list[Mistake] = []
    for path, name in _files(paths):
        try:
            text, reader = read_text(path, name), _Reader(name)
            found += _Pieces(name).read(text) or reader.read(text)
            mistakes += sorted(reader.mistakes, key=Mistake.order)
        except Mistake as mistake:
            mistakes.append(mistake)
    mistakes += _repeated(found)
    if mistakes:
        raise _error(mistakes)
    return ExclusionSet(tuple(found))


def _files(paths: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for name in paths:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml"))
            if not inside:
                raise UsageError(f"no *.yaml in the folder {name}")
            yield from ((one, str(one)) for one in inside)
        elif path.exists():
            yield path, name
        else:
            raise UsageError(f"no such file: {name}")


def _repeated(found: Sequence[Exclusion]) -> Iterator[Mistake]:
    first: dict[str, Exclusion] = {}
    for one in found:
        if one.id in first:
            yield Mistake(one.at, f"the id {one.id!r} is taken", hint=f"by {first[one.id].at}")
        first.setdefault(one.id, one)


def _error(mistakes: Sequence[Mistake]) -> ExclusionError:
    first, *others = mistakes
    lines = [str(first), *(f"{other.at}: {other}" for other in others[: _SHOWN - 1])]
    if len(others) >= _SHOWN:
        lines.append(f"and {len(others) - _SHOWN + 1} more")
    return ExclusionError("\n".join(lines), at=first.at)


# Asked once for a word: a thousand exclusions share a few, and a comparison costs as much as
# all else that is read of one.
@lru_cache(maxsize=1024)
def _meant_scenario(text: str) -> str | None:
    """The scenario that ``text`` misspells, or None."""
    known = [one.id for one in scenarios()]
    near = get_close_matches(text.lower(), known, n=1, cutoff=0.8)
    return near[0] if near and text not in known else None


class _Reader(YamlReader):
    """Reads one file of exclusions."""

    def read(self, text: str) -> list[Exclusion]:
        root = self._outermost(text, 0)
        listed = self._mapping(root, "the file", ("exclusions",)).get("exclusions")
        if listed is None:
            return []
        return list(self._each(self._exclusion, self._items(listed, "exclusions")))

    def read_fields(self, piece: str) -> dict[str, object]:
        """Read some fields of an exclusion, see `cut_entries`.

        Raises:
            Mistake: The first one in it.
        """
        fields = self._mapping(self._outermost(piece, 2), "an exclusion", _FIELDS)
        values = {name: _READERS[name](self, value) for name, value in fields.items()}
        if self.mistakes:
            raise self.mistakes[0]
        return values

    def read_items(self, piece: str) -> tuple[Predicate, ...]:
        """Read some items of a condition's ``all``, see `cut_items`.

        Raises:
            Mistake: The first one in it.
        """
        items = map(self._predicate, self._items(self._outermost(piece, 4), "all"))
        read: tuple[Predicate, ...] = tuple(items)
        if self.mistakes:
            raise self.mistakes[0]
        return read

    def _outermost(self, text: str, depth: int) -> yaml.Node:
        root = self._compose(text, depth)
        if root is None:
            raise Mistake(SourceSpan(self._name), "an empty file", hint="exclusions: [...]")
        return root

    def _exclusion(self, node: yaml.Node) -> Exclusion | None:
        fields = self._mapping(node, "an exclusion", _FIELDS, _REQUIRED)
        values = {
            name: self._guarded(partial(_READERS[name], self), value)
            for name, value in fields.items()
        }
        if any(value is None for value in values.values()) or not set(_REQUIRED) <= fields.keys():
            return None
        # Each reader gives the type of its field; a mapping of them cannot say which.
        return Exclusion(**{"within": DEFAULT_WINDOW, **values}, at=self._place(node))  # type: ignore[arg-type]

    def _string(self, node: yaml.Node, what: str) -> str:
        text = super()._string(node, what)
        if _PLACEHOLDER.search(text):
            raise self._at(node, f"fill in {what}: {text!r} is a placeholder")
        return text

    def _id(self, node: yaml.Node) -> str:
        text = self._string(node, "id")
        if not _ID.fullmatch(text):
            raise self._at(node, f"{text[:80]!r} is no id", hint="like admin-jump-hosts")
        return text

    def _expires(self, node: yaml.Node) -> date:
        text = self._string(node, "expires")
        try:
            # By itself it also reads 20270131 and 2027-W05-7.
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            raise self._at(node, f"expires {text[:40]!r} is no day", hint="2027-01-31") from None

    def _scenario(self, node: yaml.Node) -> str:
        """One of the five, or the owner's word, which must not look like one of them misspelt."""
        text = self._string(node, "scenario")
        meant = _meant_scenario(text)
        if meant is not None:
            raise self._at(node, f"unknown scenario {text[:40]!r}", hint=f"{meant}?")
        return text

    def _within(self, node: yaml.Node) -> timedelta:
        text = self._string(node, "within")
        match = _DURATION.fullmatch(text)
        window = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
        if not _SHORTEST_WINDOW <= window <= _LONGEST_WINDOW:
            raise self._at(node, f"within {text[:40]!r} is no time from 30s to 24h", hint="5m")
        return window

    def _scope(self, node: yaml.Node) -> Scope:
        fields = self._mapping(node, "scope", _SCOPE, _SCOPE)
        lists = {name: self._strings(value, f"scope.{name}") for name, value in fields.items()}
        for item, text in lists.get("types", ()):
            if text != "*" and text not in _TYPES:
                hint = f"known: {', '.join(IndicatorType)}"
                self.mistakes.append(self._at(item, f"unknown type {text[:40]!r}", hint=hint))
        tables = []
        for item, text in lists.get("tables", ()):
            try:
                tables.append(text if text == "*" else get_table(text).name)
            except TableError as error:
                mistake = self._at(item, error.message[:120], hint=error.hint)
                self.mistakes.append(mistake)
        return Scope(
            families=tuple(text for _, text in lists.get("families", ())),
            types=tuple(text for _, text in lists.get("types", ())),
            tables=tuple(tables),
        )

    def _predicate(self, node: yaml.Node) -> Predicate:
        """A mapping: ``all``, ``any`` or ``not`` alone, or conditions that all have to hold."""
        fields = self._mapping(node, "a condition", _CONDITIONS)
        nests = [name for name in ("all", "any", "not") if name in fields]
        if nests and len(fields) > 1:
            raise self._at(node, f"{nests[0]!r} stands beside other conditions", hint="nest them")
        if not fields:
            if node.value:
                # All of it is unknown, which is said; nothing of this file will be used.
                return AllOf(())
            raise self._at(node, "a condition is empty", hint=f"known: {', '.join(_CONDITIONS)}")
        if "not" in fields:
            return NotOf(self._predicate(fields["not"]))
        if nests:
            items = self._items(fields[nests[0]], nests[0])
            parts: tuple[Predicate, ...] = tuple(self._each(self._predicate, items))
            return AllOf(parts) if nests[0] == "all" else AnyOf(parts)
        made = tuple(self._condition(_FACTS[name], value) for name, value in fields.items())
        return made[0] if len(made) == 1 else AllOf(made)

    def _condition(self, fact: Fact, node: yaml.Node) -> Condition:
        patterns: list[Pattern] = []
        for item, text in self._strings(node, str(fact)):
            try:
                patterns += parse_pattern(fact, text)
            except ParseError as error:
                mistake = self._at(item, f"{fact}: {error.message}", hint=error.hint)
                self.mistakes.append(mistake)
        return Condition(fact, tuple(patterns))


_READERS: Mapping[str, Callable[[_Reader, yaml.Node], object]] = {
    "id": _Reader._id,
    "scenario": _Reader._scenario,
    "reason": lambda reader, node: reader._string(node, "reason"),
    "owner": lambda reader, node: reader._string(node, "owner"),
    "expires": _Reader._expires,
    "scope": _Reader._scope,
    "when": _Reader._predicate,
    "within": _Reader._within,
}


class _Pieces:
    """Reads a file in pieces, of which those that are alike are read once.

    Attributes:
        nodes: How many have been read, as if the file were read whole.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._fields: dict[str, tuple[dict[str, object], int]] = {}
        self._items: dict[str, tuple[tuple[Predicate, ...], int]] = {}
        self.nodes = 0

    def read(self, text: str) -> list[Exclusion] | None:
        """Read what `_Reader` reads; None where that finds a mistake, or may find one."""
        entries = cut_entries(text)
        if entries is None:
            return None
        self.nodes, found = 3, []
        try:
            for line, pieces in entries:
                self.nodes += 1
                fields: dict[str, object] = {}
                for piece in pieces:
                    some = self._read_field(piece)
                    if some.keys() & fields.keys():
                        return None
                    fields |= some
                if not fields.keys() >= _NEEDED:
                    return None
                at = SourceSpan(self._name, line, _COLUMN)
                found.append(Exclusion(**{"within": DEFAULT_WINDOW, **fields}, at=at))  # type: ignore[arg-type]  # see `_Reader`
        except Mistake:
            return None
        return found if self.nodes <= MAX_NODES else None

    def _read_field(self, piece: str) -> Mapping[str, object]:
        """Name to value of the field, or of the fields, that a piece holds."""
        known = self._fields.get(piece)
        if known is None:
            plain = _PLAIN_ID.fullmatch(piece)
            if plain and plain[1] not in NULLS and not _PLACEHOLDER.search(piece):
                self.nodes += 2
                return {"id": plain[1]}
            items = cut_items(piece)
            if items is not None:
                self.nodes += 4
                return {"when": AllOf(tuple(chain.from_iterable(map(self._read_items, items))))}
            reader = _Reader(self._name)
            known = self._fields[piece] = reader.read_fields(piece), reader.nodes - 1
        self.nodes += known[1]
        return known[0]

    def _read_items(self, piece: str) -> Iterable[Predicate]:
        if piece not in self._items:
            self._items[piece] = self._plain_item(piece) or self._any_items(piece)
        items, nodes = self._items[piece]
        self.nodes += nodes
        return items

    def _any_items(self, piece: str) -> tuple[tuple[Predicate, ...], int]:
        reader = _Reader(self._name)
        return reader.read_items(piece), reader.nodes - 1

    def _plain_item(self, piece: str) -> tuple[tuple[Predicate, ...], int] | None:
        name, texts = plain_list(piece) or ("", [])
        if name not in _FACTS or _PLACEHOLDER.search(piece) or not NULLS.isdisjoint(texts):
            return None
        fact = _FACTS[name]
        try:
            patterns = tuple(chain.from_iterable(parse_pattern(fact, text) for text in texts))
        except ParseError:
            return None
        return (Condition(fact, patterns),), 3 + len(texts)
