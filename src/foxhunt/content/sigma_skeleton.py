"""Queries of long lists through pySigma: it converts a rule's skeleton, we put the lists in.

pySigma takes a minute for all that ThreatFox has published, since it parses and converts each
value by itself. So each shape of rule is converted once, with marks for values, and what stands
between two marks is how the language strings values together. A property test compares every
query with what pySigma makes of the whole rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from foxhunt.content.sigma_detection import (
    Selection,
    Source,
    by_port,
    condition,
    wholes_and_parts,
    with_ports,
    with_texts,
)
from foxhunt.indicators import Indicator

if TYPE_CHECKING:
    from sigma.conversion.base import Backend

# A first and a second value of a list; letters and digits, which no language escapes.
_MARKS = ("foxhuntmark{}a", "foxhuntmark{}b")
_FIRST_MARK = re.compile(_MARKS[0].format("([0-9])"))
_PORT = 60001  # as a mark: it stands in no other place of a skeleton


@dataclass(frozen=True, slots=True)
class _Run:
    """Where the values of a list stand.

    Attributes:
        slot: Which list.
        before: What stands before each of several alternatives.
        after: What stands behind each.
        gap: What stands between values of one; None where each is an alternative of its own.
    """

    slot: int
    before: str = ""
    after: str = ""
    gap: str | None = ""


_Template = tuple[str | _Run, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """A language of queries.

    Attributes:
        backend: pySigma's, which makes the skeletons.
        literal: A value as it stands within quotes.
        alternative: What stands between alternatives.
        chained: Alternatives as one expression.
        by_algorithm: Keys of the sources in which each kind of hash has a field of its own.
        templates: What was made so far.
    """

    backend: Backend
    literal: Callable[[str], str]
    alternative: str
    chained: Callable[[list[str]], str]
    by_algorithm: tuple[str, ...] = ()
    templates: dict[tuple[object, ...], _Template] = field(default_factory=dict, repr=False)

    def query(self, source: Source, about: Sequence[Indicator]) -> str:
        """The query that looks in ``source`` for ``about``, of which there is at least one."""
        if source.port is not None:
            return self._of_ports(source, by_port(about))
        slots = _slots(source, about, is_split=source.key in self.by_algorithm)
        counts = tuple((name, min(len(values), 2)) for name, values in slots)
        key = (source.key, counts)
        if key not in self.templates:
            self.templates[key] = self._compiled(self._skeleton(source, counts))
        return self._filled(self.templates[key], [values for _, values in slots])

    def _skeleton(self, source: Source, counts: Sequence[tuple[str, int]]) -> str:
        marked: dict[str, list[str]] = {"whole": [], "part": []}
        for slot, (name, count) in enumerate(counts):
            prefix = f"{name}=" if name not in marked else ""
            listed = marked.setdefault(name if name in marked else "part", [])
            listed += [prefix + mark.format(slot) for mark in _MARKS[:count]]
        return self._converted(source, with_texts(source, marked["whole"], marked["part"]))

    def _converted(self, source: Source, selections: Mapping[str, Selection]) -> str:
        from sigma.collection import SigmaCollection

        rule = {
            "title": "skeleton",
            "logsource": dict(source.logsource),
            "detection": {**selections, "condition": condition(selections)},
        }
        # pySigma has no public name for what YAML can hold, which is what a rule is made of.
        (query,) = self.backend.convert(SigmaCollection.from_dicts([cast(Any, rule)]))
        return str(query)

    def _compiled(self, text: str) -> _Template:
        pieces: list[str | _Run] = []
        at = 0
        for found in _FIRST_MARK.finditer(text):
            slot, start, end = int(found[1]), found.start(), found.end()
            run, second = _Run(slot), _MARKS[1].format(slot)
            if second in text:
                other = text.index(second, end)
                after, word, before = text[end:other].partition(self.alternative)
                run = _Run(slot, before, after, None) if word else _Run(slot, gap=after)
                start, end = start - len(run.before), other + len(second) + len(run.after)
            pieces += [text[at:start], run]
            at = end
        return (*pieces, text[at:])

    def _filled(self, template: _Template, slots: Sequence[Iterable[str]]) -> str:
        values = [list(map(self.literal, slot)) for slot in slots]
        return "".join(
            piece if isinstance(piece, str) else self._listed(piece, values[piece.slot])
            for piece in template
        )

    def _listed(self, run: _Run, values: Sequence[str]) -> str:
        if run.gap is not None:
            return run.gap.join(values)
        return self.chained([f"{run.before}{value}{run.after}" for value in values])

    def _of_ports(self, source: Source, addresses: Mapping[int, Sequence[str]]) -> str:
        is_one = len(addresses) == 1
        found = []
        for port, listed in addresses.items():
            template = self._of_port(source, is_many=len(listed) > 1, is_one=is_one)
            found.append(self._filled(_at_port(template, port), [listed]))
        if is_one:
            return found[0]
        head, tail = self._around_ports(source)
        return f"{head}{self.chained(found)}{tail}"

    def _of_port(self, source: Source, *, is_many: bool, is_one: bool) -> _Template:
        """The alternative of a port, or the whole query if there is no other."""
        key = (source.key, is_many, is_one)
        if key not in self.templates:
            listed = [mark.format(0) for mark in _MARKS[: 1 + is_many]]
            if is_one:
                text = self._converted(source, with_ports(source, {_PORT: listed}))
            else:
                three = {1: ["a"], _PORT: listed, 2: ["b"]}
                whole = self._converted(source, with_ports(source, three))
                text = whole.split(self.alternative)[1]
            self.templates[key] = self._compiled(text)
        return self.templates[key]

    def _around_ports(self, source: Source) -> tuple[str, str]:
        """What stands before and behind the alternatives."""
        marks = [mark.format(0) for mark in _MARKS]
        whole = self._converted(source, with_ports(source, {_PORT: marks[:1], 2: marks[1:]}))
        first = self._of_port(source, is_many=False, is_one=False)
        known = "".join(piece if isinstance(piece, str) else marks[0] for piece in first)
        head, _, rest = whole.partition(known)
        last = known.replace(marks[0], marks[1]).replace(str(_PORT), "2")
        return head, rest.partition(last)[2]


def _at_port(template: _Template, port: int) -> _Template:
    marked, wanted = str(_PORT), str(port)
    return tuple(p.replace(marked, wanted) if isinstance(p, str) else p for p in template)


def _slots(
    source: Source, about: Sequence[Indicator], *, is_split: bool
) -> list[tuple[str, Sequence[str]]]:
    """Lists of values that a language writes by themselves, by name; none is empty."""
    whole, part = wholes_and_parts(source, about)
    if not is_split:
        listed = {"whole": list(whole), "part": list(part)}
        return [(name, values) for name, values in listed.items() if values]
    found: dict[str, list[str]] = {}
    for text in part:
        algorithm, _, value = text.partition("=")
        found.setdefault(algorithm, []).append(value)
    return list(found.items())
