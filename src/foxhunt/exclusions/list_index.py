"""All entries of all warning lists in one index: what a lookup costs does not grow with them.

How an entry matches is MISP's (its `Warninglist.php` and the lists' README, 2026-07):
``string`` is the whole value, ``hostname`` a name and what is below it, ``substring`` and
``regex`` any part, ``cidr`` an address in a range. Where MISP compares text, canonical
forms are compared here, since the values they are compared with are canonical.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.exclusions.ranges import Ranges, parse_range
from foxhunt.indicators import canonical_address, canonical_name, parents, url_key

# Substrings are found by how they start, then by their lengths: what a value costs grows with its
# own length, not with how many substrings there are, even if all of them start alike.
_START = 4
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://")
# PHP writes an expression between slashes, with flags behind; RE2 knows these of them. "u" is
# PHP's for UTF-8, which RE2 always reads.
_DELIMITED = re.compile(r"/(?P<body>.*)/(?P<flags>[imsu]*)", re.DOTALL)


class Observed(NamedTuple):
    """One thing an indicator shows, in the forms that the five matching types look at.

    Attributes:
        kinds: What it is; a list about any of them is asked.
        text: Canonical: a name, an address, a hash, a URL's key.
        raw: What a regex reads: a URL with its scheme, else ``text``.
        is_name: Whether ``text`` is a DNS name, which has parents.
        is_address: Whether it is an address.
    """

    kinds: frozenset[str]
    text: str
    raw: str
    is_name: bool = False
    is_address: bool = False


class ListIndex:
    """Entries of lists, each with the number of its list; filled once, then only read."""

    def __init__(self) -> None:
        self._whole: defaultdict[str, list[int]] = defaultdict(list)
        self._names: defaultdict[str, list[int]] = defaultdict(list)
        self._parts: defaultdict[str, list[int]] = defaultdict(list)
        self._lengths: defaultdict[str, set[int]] = defaultdict(set)
        self._regexes: list[tuple[str, int]] = []
        self._rows: list[tuple[int, int, int, int]] = []
        self._ranges = Ranges(())
        self._starts: tuple[int, ...] = ()

    def add(self, matching: str, entry: str, owner: int) -> str | None:
        """Add an entry of a list; return why it cannot match anything, or None.

        Args:
            matching: One of the five types.
            entry: As the list spells it.
            owner: The list's number.
        """
        return _ADDERS[matching](self, entry.strip(), owner)

    def freeze(self) -> None:
        """Make the ranges and substrings that were added searchable."""
        self._ranges = Ranges(self._rows)
        self._rows = []
        self._starts = tuple(sorted({len(start) for start in self._lengths}))

    def add_whole(self, entry: str, owner: int) -> str | None:
        """Add an entry of type ``string``."""
        if not entry:
            return "empty"
        # MISP compares the dot too ("perfect match"), so such entries match nothing there
        # either; reading them as "and what is below" would label names that no list means to.
        if entry.startswith("."):
            return "a string that begins with a dot equals no name"
        key = url_key(entry) if "/" in entry else None
        text = str(key) if key is not None else canonical_address(entry) if ":" in entry else None
        _append(self._whole, text or canonical_name(entry), owner)
        return None

    def add_name(self, entry: str, owner: int) -> str | None:
        """Add an entry of type ``hostname``."""
        if "/" in entry or ":" in entry:
            key = url_key(entry)
            name = key.host if key is not None else ""
        else:
            name = canonical_name(entry.removeprefix("*")).strip(".")
        if not name or any(char.isspace() for char in name):
            return "not a host name"
        _append(self._names, name, owner)
        return None

    def add_part(self, entry: str, owner: int) -> str | None:
        """Add an entry of type ``substring``."""
        part = _SCHEME.sub("", entry.lower())
        if not part:
            return "empty"
        _append(self._parts, part, owner)
        self._lengths[part[:_START]].add(len(part))
        return None

    def add_range(self, entry: str, owner: int) -> str | None:
        """Add an entry of type ``cidr``."""
        parsed = parse_range(entry)
        if parsed is None:
            return "not an address or range"
        self._rows.append((*parsed, owner))
        return None

    def add_regex(self, entry: str, owner: int) -> str | None:
        """Add an entry of type ``regex``; RE2 reads it, so that it cannot run away."""
        delimited = _DELIMITED.fullmatch(entry)
        regex = entry
        if delimited is not None:
            flags = delimited["flags"].replace("u", "")
            regex = (f"(?{flags})" if flags else "") + delimited["body"]
        if not regex:
            return "empty"
        try:
            pc.match_substring_regex(pa.scalar(""), pattern=regex)
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:  # the latter: a lone surrogate
            return f"not an RE2 expression: {str(error)[:200]}"
        self._regexes.append((regex, owner))
        return None

    def owners(self, observed: Sequence[Observed]) -> list[set[int]]:
        """Numbers of the lists with an entry that matches, for each of ``observed``.

        Whether such a list is about that kind of value at all is left to the caller.
        """
        found = [self._plain_owners(one) for one in observed]
        if self._regexes and observed:
            # A regex is asked once about all values: Arrow's call costs more than its search.
            values = pa.array([one.raw for one in observed], pa.large_string())
            for regex, owner in self._regexes:
                hits = pc.match_substring_regex(values, pattern=regex)
                for at in pc.indices_nonzero(hits).to_pylist():
                    found[at].add(owner)
        return found

    def _plain_owners(self, one: Observed) -> set[int]:
        found = set(self._whole.get(one.text, ()))
        if one.is_name:
            for name in parents(one.text):
                found.update(self._names.get(name, ()))
        elif one.is_address:
            found.update(self._ranges.owners(one.text))
            found.update(self._names.get(one.text, ()))
        if self._starts:
            found.update(self._owners_of_parts(one.text.lower()))
        return found

    def _owners_of_parts(self, text: str) -> Iterable[int]:
        for size in self._starts:
            for at in range(len(text) - size + 1):
                for length in self._lengths.get(text[at : at + size], ()):
                    # Cut short by the end of the text, it is still a part of it.
                    yield from self._parts.get(text[at : at + length], ())


_ADDERS = {
    "string": ListIndex.add_whole,
    "substring": ListIndex.add_part,
    "hostname": ListIndex.add_name,
    "cidr": ListIndex.add_range,
    "regex": ListIndex.add_regex,
}
MATCHING_TYPES = tuple(_ADDERS)


def _append(index: defaultdict[str, list[int]], key: str, owner: int) -> None:
    owners = index[key]
    # Lists are added one after the other, so a repetition within one is the last that was added.
    if not owners or owners[-1] != owner:
        owners.append(owner)
