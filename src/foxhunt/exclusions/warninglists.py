"""MISP's warning lists: lists of benign values that say why they are well known.

A list is a JSON file (MISP/misp-warninglists, schema of 2026-07): ``name``, ``type`` (how
an entry matches), ``list`` (the entries), ``matching_attributes`` (MISP's types of value it
is about; without it, all). What they say is a label, never a verdict: of the addresses
that ThreatFox listed in July 2026, two in five lie in a list of hosting networks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from foxhunt.errors import SourceSpan, UsageError
from foxhunt.exclusions.list_index import MATCHING_TYPES, ListIndex, Observed
from foxhunt.indicators import IndicatorType, canonical_address, url_key

# MISP's largest lists (a million top sites) take some 25 MB.
MAX_FILE_BYTES = 128 * 1024**2
MAX_LISTS = 1000
MAX_ENTRIES = 5_000_000
# Each regex is a pass over all values.
MAX_REGEXES = 1000
_MAX_ENTRY = 4096
_MAX_NAME = 120

# MISP's attribute types (MISP data models, 2026-07), each part of a composite by itself: to
# `domain|ip` and `ip-dst|port` MISP compares their parts.
_KINDS = {
    "ip": "address",
    "ip-src": "address",
    "ip-dst": "address",
    "domain": "name",
    "hostname": "name",
    "url": "url",
    "uri": "url",
    "link": "url",
    "md5": "md5_hash",
    "malware-sample": "md5_hash",
    "sha1": "sha1_hash",
    "sha256": "sha256_hash",
    "sha3-384": "sha3_384_hash",
    "email": "mail",
    "email-src": "mail",
    "email-dst": "mail",
}
_MAIL = frozenset({IndicatorType.ENVELOPE_FROM, IndicatorType.BODY_FROM})
_HOST_NAME = frozenset({"name", "url"})
_HOST_ADDRESS = frozenset({"address", "url"})


@dataclass(frozen=True, slots=True)
class UnusedEntry:
    """An entry that can match nothing, and why; the rest of its list counts.

    Attributes:
        at: File, and number of the entry in it from 1.
        entry: As the list spells it, shortened to 80 printable characters.
        reason: Why.
    """

    at: SourceSpan
    entry: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningList:
    """One list.

    Attributes:
        file: Path it was read from.
        name: Its title, which is the label it gives.
        type: How its entries match: string, substring, hostname, cidr or regex.
        kinds: What it is about, of address, name, url, mail and the hash types;
            empty if nothing that an indicator can be.
        count: How many entries it has.
    """

    file: Path
    name: str
    type: str
    kinds: frozenset[str]
    count: int


class WarningLists:
    """Lists and the index of their entries; made by `load_warninglists`.

    Attributes:
        lists: By file name.
        unused: Entries that can match nothing.
    """

    __slots__ = ("_index", "lists", "unused")

    def __init__(
        self, lists: Iterable[WarningList], unused: Iterable[UnusedEntry], index: ListIndex
    ) -> None:
        self.lists = tuple(lists)
        self.unused = tuple(unused)
        self._index = index

    def labels(self, type_: str, value: str) -> tuple[str, ...]:
        """Names of the lists that know a value, in their order; see `labels_of`."""
        return self.labels_of([(type_, value)])[0]

    def labels_of(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        """For each of ``values`` the names of the lists that know it.

        A name is known by itself or, to ``hostname`` lists, by a name above it; an
        ``ip:port`` by its address; a URL by its host, as a name or an address is, and
        as a whole.

        Args:
            values: Type (`IndicatorType`, or its text) and canonical value.
        """
        observed: list[Observed] = []
        owner: list[int] = []
        for at, (type_, value) in enumerate(values):
            for one in observe(type_, value):
                observed.append(one)
                owner.append(at)
        found: list[set[int]] = [set() for _ in values]
        for at, one, owners in zip(owner, observed, self._index.owners(observed), strict=True):
            found[at].update(n for n in owners if not one.kinds.isdisjoint(self.lists[n].kinds))
        return [self._names(numbers) if numbers else () for numbers in found]

    def _names(self, numbers: set[int]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.lists[number].name for number in sorted(numbers)))


def observe(type_: str, value: str) -> Iterator[Observed]:
    """What an indicator's canonical value shows, one after the other."""
    if type_ == IndicatorType.DOMAIN:
        yield Observed(frozenset({"name"}), value, value, is_name=True)
    elif type_ == IndicatorType.IP_PORT:
        address = address_of(value)
        yield Observed(frozenset({"address"}), address, address, is_address=True)
    elif type_ == IndicatorType.URL:
        key = url_key(value)
        if key is None:
            return
        if canonical_address(key.host) is None:
            yield Observed(_HOST_NAME, key.host, key.host, is_name=True)
        else:
            yield Observed(_HOST_ADDRESS, key.host, key.host, is_address=True)
        yield Observed(frozenset({"url"}), str(key), value)
    elif type_ in _MAIL:
        yield Observed(frozenset({"mail"}), value, value)
    else:
        yield Observed(frozenset({str(type_)}), value, value)


def address_of(value: str) -> str:
    """The address of a canonical ``ip:port``, or of an address alone.

    >>> address_of("203.0.113.7:443"), address_of("[2001:db8::1]:443"), address_of("2001:db8::1")
    ('203.0.113.7', '2001:db8::1', '2001:db8::1')
    """
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0] if value.count(":") == 1 else value


def load_warninglists(folder: Path) -> WarningLists:
    """Read every list of a folder: ``*.json``, or a checkout of MISP's repository.

    A file that is no warning list stops everything, since a label that is missing for
    a list that was not read looks like a value that no list knows. An entry that can match
    nothing is counted, since lists of strangers hold some.

    Args:
        folder: With lists as ``*.json``, as ``*/list.json`` or as ``lists/*/list.json``.

    Raises:
        UsageError: No such folder, no list in it, a file that is no list, or too much of it.
    """
    files = _files(folder)
    index = ListIndex()
    lists: list[WarningList] = []
    unused: list[UnusedEntry] = []
    entries = regexes = 0
    for number, file in enumerate(files):
        members, found = _read(file)
        entries += found.count
        regexes += found.count if found.type == "regex" else 0
        if entries > MAX_ENTRIES or regexes > MAX_REGEXES:
            limit = f"{MAX_ENTRIES} entries, {MAX_REGEXES} of them regexes"
            raise UsageError(
                f"more than {limit}, are in the lists up to this one", at=SourceSpan(str(file))
            )
        lists.append(found)
        for at, entry in enumerate(members, start=1):
            reason = index.add(found.type, entry, number)
            if reason is not None:
                place = SourceSpan(str(file), record=at)
                unused.append(UnusedEntry(place, _printable(entry, 80), reason))
    index.freeze()
    return WarningLists(lists, unused, index)


def _files(folder: Path) -> list[Path]:
    at = SourceSpan(str(folder))
    if not folder.is_dir():
        raise UsageError("no such folder of warning lists", at=at)
    # In a checkout, the JSON files beside `lists` are no lists.
    lists = folder / "lists"
    patterns = ("*/list.json",) if lists.is_dir() else ("*.json", "*/list.json")
    root = lists if lists.is_dir() else folder
    files = sorted(file for pattern in patterns for file in root.glob(pattern))
    if not files:
        raise UsageError("no warning list in the folder", at=at, hint="they are *.json")
    if len(files) > MAX_LISTS:
        raise UsageError(f"{len(files)} warning lists; {MAX_LISTS} are read at most", at=at)
    return files


def _read(file: Path) -> tuple[list[str], WarningList]:
    """The entries of a file, and what it says about itself."""
    at = SourceSpan(str(file))
    raw = _json(file)
    if not isinstance(raw, dict) or not isinstance(raw.get("list"), list):
        raise UsageError("not a warning list: no object with a `list`", at=at)
    matching = raw.get("type", "string")
    if matching not in MATCHING_TYPES:
        known = ", ".join(MATCHING_TYPES)
        raise UsageError(f"type {str(matching)[:80]!r} is none of {known}", at=at)
    entries = raw["list"]
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, str) or len(entry) > _MAX_ENTRY:
            place = SourceSpan(str(file), record=number)
            raise UsageError(f"an entry is text of at most {_MAX_ENTRY} characters", at=place)
    default = file.parent.name if file.name == "list.json" else file.stem
    name = raw.get("name") or default
    if not isinstance(name, str):
        raise UsageError("its `name` is no text", at=at)
    return entries, WarningList(
        file=file,
        name=_printable(name, _MAX_NAME),
        type=matching,
        kinds=_kinds(raw.get("matching_attributes"), at),
        count=len(entries),
    )


def _printable(text: str, limit: int) -> str:
    # Lone surrogates are no text to any writer, and control characters steer terminals.
    return "".join(char if char.isprintable() else " " for char in text[:limit])


def _json(file: Path) -> object:
    at = SourceSpan(str(file))
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"larger than {MAX_FILE_BYTES // 1024**2} MiB", at=at)
        return json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", at=at) from error
    except json.JSONDecodeError as error:
        place = SourceSpan(str(file), line=error.lineno, column=error.colno)
        raise UsageError(f"not JSON: {error.msg}", at=place) from error
    except RecursionError:
        raise UsageError("not a warning list: nested too deeply", at=at) from None
    except ValueError as error:  # bytes that are no text, a number of thousands of digits
        raise UsageError(f"not JSON: {error}", at=at) from error


def _kinds(attributes: object, at: SourceSpan) -> frozenset[str]:
    if not attributes:
        return frozenset(_KINDS.values())
    if not isinstance(attributes, list) or not all(isinstance(name, str) for name in attributes):
        raise UsageError("its `matching_attributes` is no list of texts", at=at)
    parts = {part for name in attributes for part in name.split("|")}
    return frozenset(_KINDS[part] for part in parts if part in _KINDS)
