"""What engines join with (lookup, port, path, is_shared): of one indicator, and in bulk.

As in `foxhunt.indicators.regular`, values of regular form are split by patterns over Arrow
arrays; every other one goes through the plain function, which is the definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.addresses import parse_ip_port

# One list of shared services: `is_shared` judges by it, this module only asks it less often.
from foxhunt.indicators.domains import is_shared, shared_services
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.regular import LABELS, PATH, PORT, QUAD
from foxhunt.indicators.urls import url_key

_URL = f"^https?://(?P<lookup>{LABELS}|{QUAD})(?::(?P<port>{PORT}))?(?P<path>{PATH})$"
# What url_key reads otherwise: see `foxhunt.indicators.regular`.
_ODD_URL = r"^[a-z]+://[^?]*(?:/\.|%2[eE])|^http://[^/]*:80/|^https://[^/]*:443/|^[a-z]+://[^/]*(?:xn--|\.0x)"


_NO_TEXT = pa.scalar(None, pa.string())
_DOT, _NOTHING = pa.scalar(".", pa.string()), pa.scalar("", pa.string())
_FALSE = pa.scalar(False, pa.bool_())
_FIRST, _SECOND = pa.scalar(0, pa.int32()), pa.scalar(1, pa.int32())


@dataclass(frozen=True, slots=True)
class Lookup:
    """What an indicator is looked up by.

    Attributes:
        lookup: domain: its name; url: host of its key; ip:port: its address; hash: itself.
        port: ip:port: its port; url: port of its key when not the scheme's own.
        path: url: path and query of its key.
        is_shared: domain, url: the lookup name is a public suffix or a shared service (R1, R4).
    """

    lookup: str | None = None
    port: str | None = None
    path: str | None = None
    is_shared: bool = False


def lookup_of(kind: IndicatorType, value: str) -> Lookup:
    """What an indicator of type ``kind`` with the canonical ``value`` is looked up by."""
    if kind is IndicatorType.DOMAIN:
        return Lookup(value, is_shared=is_shared(value))
    if kind is IndicatorType.IP_PORT:
        address, port = parse_ip_port(value)
        return Lookup(str(address), str(port))
    if kind is IndicatorType.URL and (key := url_key(value)) is not None:
        return Lookup(key.host, key.port, key.path, is_shared(key.host))
    return Lookup(value if kind.is_hash else None)


def lookups_of(kind: IndicatorType, values: pa.Array) -> pa.StructArray:
    """`lookup_of` each of the canonical ``values``, as an array of structs with its fields.

    Where a value is null, so is its lookup.
    """
    none = pa.nulls(len(values), pa.string())
    if kind is IndicatorType.DOMAIN:
        return _struct(values, none, none, _are_shared(values))
    if kind is IndicatorType.IP_PORT:
        # Of an IPv6 address, in brackets, there is more than one form.
        quads = pc.if_else(pc.starts_with(values, "["), _NO_TEXT, values)
        parts = pc.split_pattern(quads, ":", max_splits=1)
        lookup, port = (pc.list_element(parts, at) for at in (_FIRST, _SECOND))
        return _completed(kind, values, _struct(lookup, port, none, _no(len(values))))
    if kind is IndicatorType.URL:
        return _completed(kind, values, _url_lookups(values))
    return _struct(values if kind.is_hash else none, none, none, _no(len(values)))


def _url_lookups(values: pa.Array) -> pa.StructArray:
    is_odd = pc.match_substring_regex(values, _ODD_URL)
    regular = pc.if_else(is_odd, _NO_TEXT, values)
    parts = pc.extract_regex(regular, _URL)
    host, port, path = (pc.struct_field(parts, name) for name in ("lookup", "port", "path"))
    return _struct(host, port, path, _are_shared(host))


def _completed(kind: IndicatorType, values: pa.Array, found: pa.StructArray) -> pa.StructArray:
    """Replace what has no lookup by what the plain function says."""
    is_odd = pc.and_(pc.is_valid(values), pc.is_null(found.field("lookup")))
    odd = values.filter(is_odd).to_pylist()
    if not odd:
        return found
    plain = [lookup_of(kind, value) for value in odd]
    return _struct(
        *(
            pc.replace_with_mask(
                found.field(name), is_odd, pa.array([getattr(x, name) for x in plain], type_)
            )
            for name, type_ in _FIELDS
        )
    )


_FIELDS = (
    ("lookup", pa.string()),
    ("port", pa.string()),
    ("path", pa.string()),
    ("is_shared", pa.bool_()),
)


def _struct(lookup: pa.Array, port: pa.Array, path: pa.Array, shared: pa.Array) -> pa.StructArray:
    return pa.StructArray.from_arrays(
        [lookup, port, path, shared], names=[name for name, _ in _FIELDS]
    )


def _no(length: int) -> pa.Array:
    return pa.repeat(_FALSE, length)


def _are_shared(names: pa.Array) -> pa.Array:
    """`is_shared` of each name; it is asked for those alone that a rule could mean."""
    listed, below_wildcards = _candidates()
    # With a dot at its end, so that a name of one label has a parent too: nothing.
    rooted = pc.binary_join_element_wise(names, _DOT, _NOTHING)
    parents = pc.list_element(pc.split_pattern(rooted, ".", max_splits=1), _SECOND)
    maybe = pc.or_(pc.is_in(names, listed), pc.is_in(parents, below_wildcards))
    asked = names.filter(maybe).to_pylist()
    found = _no(len(names))
    if not asked:
        return found
    return pc.replace_with_mask(found, maybe, pa.array(map(is_shared, asked), pa.bool_()))


@cache
def _candidates() -> tuple[pa.Array, pa.Array]:
    """Names that may be shared, and, with a dot at the end, whose children a wildcard may mean.

    A name is a public suffix only if a rule is its text, or a wildcard's is its parent's
    (https://publicsuffix.org/list/, 2025); the list here is the one that `is_shared` reads.
    """
    text = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    rules = {
        line.split(" ")[0].lower().lstrip("!")
        for raw in text.splitlines()
        if (line := raw.strip()) and not line.startswith("//")
    }
    ascii_rules = {rule.encode("idna").decode("ascii") for rule in rules}
    wildcards = {rule[2:] + "." for rule in ascii_rules if rule.startswith("*.")}
    listed = {rule.removeprefix("*.") for rule in ascii_rules} | shared_services()
    return pa.array(sorted(listed), pa.string()), pa.array(sorted(wildcards), pa.string())
