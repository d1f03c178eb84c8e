"""Exclusion files: YAML that a person writes, read strictly, every mistake with its place.

A half-read file never starts a hunt: either all files are read whole, or one error
names every mistake in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypeVar

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
from foxhunt.exclusions.scenarios import scenarios
from foxhunt.indicators import IndicatorType
from foxhunt.tables import Fact, get_table

_T = TypeVar("_T")

_MAX_BYTES = 1024 * 1024
_MAX_NODES = 100_000
_MAX_DEPTH = 20
_MAX_TEXT = 2_000
_SHOWN = 20
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DURATION = re.compile(r"([0-9]{1,5})([smh])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NULL = "tag:yaml.org,2002:null"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_SHORTEST_WINDOW = timedelta(seconds=30)
_LONGEST_WINDOW = timedelta(hours=24)
# What the templates of `foxhunt exclusions init` hold where the user's own part belongs.
_PLACEHOLDER = re.compile(r"change-me|0\.0\.0\.0/32", re.IGNORECASE)

_REQUIRED = ("id", "scenario", "reason", "owner", "expires", "scope", "when")
_SCOPE = ("families", "types", "tables")
_FACTS = {str(fact): fact for fact in Fact}
_CONDITIONS = ("all", "any", "not", *_FACTS)


def read_exclusions(paths: Sequence[str]) -> ExclusionSet:
    """Read exclusions of files, and of all ``*.yaml`` and ``*.yml`` in folders.

    Raises:
        UsageError: A path that does not exist, or a folder without such a file.
        ExclusionError: Whatever is wrong in any of them, all of it at once.
    """
    found: list[Exclusion] = []
    mistakes: list[_Mistake] = []
    for path, name in _files(paths):
        try:
            reader = _Reader(name)
            found += reader.read(_text(path, name))
            mistakes += sorted(reader.mistakes, key=_Mistake.order)
        except _Mistake as mistake:
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


def _text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _Mistake(SourceSpan(name), f"cannot be read: {error.strerror or error}") from None
    if len(data) > _MAX_BYTES:
        raise _Mistake(SourceSpan(name), f"larger than {_MAX_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Mistake(SourceSpan(name), "not UTF-8 text") from None


def _repeated(found: Sequence[Exclusion]) -> Iterator[_Mistake]:
    first: dict[str, Exclusion] = {}
    for one in found:
        if one.id in first:
            yield _Mistake(one.at, f"the id {one.id!r} is taken", hint=f"by {first[one.id].at}")
        first.setdefault(one.id, one)


def _error(mistakes: Sequence[_Mistake]) -> ExclusionError:
    first, *others = mistakes
    lines = [str(first), *(f"{other.at}: {other}" for other in others[: _SHOWN - 1])]
    if len(others) >= _SHOWN:
        lines.append(f"and {len(others) - _SHOWN + 1} more")
    return ExclusionError("\n".join(lines), at=first.at)


class _Mistake(Exception):
    """One thing that is wrong, and where."""

    def __init__(self, at: SourceSpan, text: str, *, hint: str | None = None) -> None:
        super().__init__(text)
        self.at, self.text, self.hint = at, text, hint

    def __str__(self) -> str:
        return f"{self.text} ({self.hint})" if self.hint else self.text

    def order(self) -> tuple[int, int]:
        """By place in the file."""
        return self.at.line or 0, self.at.column or 0


# libyaml reads ten times as fast as PyYAML's own scanner; its wheels have it, a build need not.
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _check_events(text: str, mistake: Callable[[yaml.Event, str, str], _Mistake]) -> None:
    """Refuse anchors, aliases, tags, depth and size; the composer, which recurses, comes after.

    Args:
        text: A document.
        mistake: Makes the error for an event, a text and a hint.
    """
    depth = count = 0
    for event in yaml.parse(text, Loader=_Parser):
        count += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise mistake(event, "anchors and aliases are not allowed", "write it out")
        if tag := getattr(event, "tag", None):
            raise mistake(event, f"the tag {tag[:80]!r} is not allowed", "leave it out")
        if depth > _MAX_DEPTH:
            raise mistake(event, f"more than {_MAX_DEPTH} levels of nesting", "flatten it")
        if count > _MAX_NODES:
            raise mistake(event, f"more than {_MAX_NODES} values", "split the file")


class _Reader:
    """Reads one file; mistakes are collected so that one run shows them all."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.mistakes: list[_Mistake] = []

    def read(self, text: str) -> list[Exclusion]:
        root = self._compose(text)
        if root is None:
            raise _Mistake(SourceSpan(self._name), "an empty file", hint="exclusions: [...]")
        listed = self._mapping(root, "the file", ("exclusions",)).get("exclusions")
        if listed is None:
            return []
        return list(self._each(self._exclusion, self._items(listed, "exclusions")))

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            try:
                _check_events(text, self._at)
                # The nodes are looked at, never made into objects.
                return yaml.compose(text, Loader=_Parser)
            except yaml.YAMLError:
                # PyYAML's own scanner says better what is wrong, and where.
                for _ in yaml.parse(text, Loader=yaml.SafeLoader):
                    pass
                raise
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = SourceSpan(self._name, mark.line + 1, mark.column + 1) if mark else None
            raise _Mistake(
                at or SourceSpan(self._name), f"not YAML: {error.problem or error.context}"
            ) from None
        except yaml.YAMLError as error:
            first = str(error).splitlines()[0]
            raise _Mistake(SourceSpan(self._name), f"not YAML: {first}") from None

    def _at(self, node: yaml.Node | yaml.Event, text: str, hint: str | None = None) -> _Mistake:
        return _Mistake(self._place(node), text, hint=hint)

    def _place(self, node: yaml.Node | yaml.Event) -> SourceSpan:
        mark = node.start_mark
        return (
            SourceSpan(self._name, mark.line + 1, mark.column + 1)
            if mark
            else SourceSpan(self._name)
        )

    def _guarded(self, read: Callable[[yaml.Node], _T], node: yaml.Node) -> _T | None:
        try:
            return read(node)
        except _Mistake as mistake:
            self.mistakes.append(mistake)
            return None

    def _each(
        self, read: Callable[[yaml.Node], _T | None], nodes: Sequence[yaml.Node]
    ) -> Iterator[_T]:
        """What was read of each node; the mistakes of the others are collected."""
        for node in nodes:
            one = self._guarded(read, node)
            if one is not None:
                yield one

    def _exclusion(self, node: yaml.Node) -> Exclusion | None:
        fields = self._mapping(node, "an exclusion", (*_REQUIRED, "within"), _REQUIRED)
        values = {
            name: self._guarded(partial(_READERS[name], self), value)
            for name, value in fields.items()
        }
        if any(value is None for value in values.values()) or not set(_REQUIRED) <= fields.keys():
            return None
        # Each reader gives the type of its field; a mapping of them cannot say which.
        return Exclusion(**{"within": DEFAULT_WINDOW, **values}, at=self._place(node))  # type: ignore[arg-type]

    def _mapping(
        self,
        node: yaml.Node,
        what: str,
        allowed: Sequence[str],
        required: Sequence[str] = (),
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._at(node, f"{what} has to be a mapping", hint=", ".join(allowed))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in allowed:
                near = get_close_matches(name, allowed, n=1)
                hint = f"{near[0]}?" if near else f"known: {', '.join(allowed)}"
                self.mistakes.append(self._at(key, f"unknown field {name[:40]!r}", hint=hint))
            elif name in found:
                self.mistakes.append(self._at(key, f"the field {name!r} stands twice"))
            else:
                found[name] = value
        missing = [name for name in required if name not in found]
        if missing:
            self.mistakes.append(self._at(node, f"{what} needs {', '.join(missing)}"))
        return found

    def _items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._at(node, f"{what} has to be a list")
        if not node.value:
            raise self._at(node, f"{what} is empty")
        items: list[yaml.Node] = node.value
        return items

    def _string(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._at(node, f"{what} has to be a text")
        text = str(node.value).strip()
        # `owner: null` and `owner: ~` are nobody; quoted they are texts.
        if not text or node.tag == _NULL:
            raise self._at(node, f"{what} is empty")
        if len(text) > _MAX_TEXT:
            raise self._at(node, f"{what} is longer than {_MAX_TEXT} characters")
        if _PLACEHOLDER.search(text):
            raise self._at(node, f"fill in {what}: {text!r} is a placeholder")
        return text

    def _strings(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, str]]:
        """One text, or a list of them."""
        if isinstance(node, yaml.ScalarNode):
            return [(node, self._string(node, what))]
        return list(
            self._each(lambda item: (item, self._string(item, what)), self._items(node, what))
        )

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
        known = [one.id for one in scenarios()]
        near = get_close_matches(text.lower(), known, n=1, cutoff=0.8)
        if text not in known and near:
            raise self._at(node, f"unknown scenario {text[:40]!r}", hint=f"{near[0]}?")
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
            if text != "*" and text not in set(IndicatorType):
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
