"""What is known to be benign without anybody's exclusion: labels, which suppress nothing.

A label says why a value may be innocent: it is the hash of an empty file, an address that is
nobody's, the apex of a service that many share, or it stands in one of MISP's warning lists.
"""

from __future__ import annotations

from collections.abc import Mapping

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.exclusions.ranges import Ranges, parse_range
from foxhunt.exclusions.warninglists import WarningLists, address_of
from foxhunt.indicators import (
    IndicatorSet,
    IndicatorType,
    canonical_address,
    is_shared,
    parse,
    url_key,
)

SHARED_LABEL = "shared service or public suffix"
RESERVED_NAME_LABEL = "reserved name"
_EMPTY = "hash of an empty file"
_EICAR = "hash of the EICAR test file"

_HASHES = {
    # MD5, SHA-1, SHA-256 and SHA3-384 of no bytes at all.
    "d41d8cd98f00b204e9800998ecf8427e": _EMPTY,
    "da39a3ee5e6b4b0d3255bfef95601890afd80709": _EMPTY,
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": _EMPTY,
    "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a"
    "c3713831264adb47fb6bd1e058d5f004": _EMPTY,
    # eicar.com, then eicar_com.zip and eicarcom2.zip (eicar.org, 2006).
    "44d88612fea8a8f36de82e1278abb02f": _EICAR,
    "3395856ce81f2b7382dee72602f798b642f14140": _EICAR,
    "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f": _EICAR,
    "6ce6f415d8475545be5ba114f208b0ff": _EICAR,
    "d27265074c9eac2e2122ed69294dbc4d7cce9141": _EICAR,
    "2546dcffc5ad854d4ddc64fbf056871cd5a00f2471cb7a5bfd4ac23b6e9eedad": _EICAR,
    "e4968ef99266df7c9a1f0637d2389dab": _EICAR,
    "bec1b52d350d721c7e22a6d4bb0a92909893a3ae": _EICAR,
    "e1105070ba828007508566e28a2b8d4c65d192e9eaf3b7868382b7cae747b397": _EICAR,
}

# IANA's special-purpose registries for IPv4 and IPv6 (2025-10) and the multicast blocks.
_NETWORKS = (
    ("0.0.0.0/8", "address of this network"),
    ("10.0.0.0/8", "private address"),
    ("172.16.0.0/12", "private address"),
    ("192.168.0.0/16", "private address"),
    ("fc00::/7", "private address"),
    ("100.64.0.0/10", "address shared behind a carrier's NAT"),
    ("127.0.0.0/8", "loopback address"),
    ("::1/128", "loopback address"),
    ("169.254.0.0/16", "link-local address"),
    ("fe80::/10", "link-local address"),
    ("192.0.2.0/24", "address for documentation"),
    ("198.51.100.0/24", "address for documentation"),
    ("203.0.113.0/24", "address for documentation"),
    ("2001:db8::/32", "address for documentation"),
    ("3fff::/20", "address for documentation"),
    ("198.18.0.0/15", "address for benchmarks"),
    ("224.0.0.0/4", "multicast address"),
    ("ff00::/8", "multicast address"),
    ("192.0.0.0/24", "reserved address"),
    ("240.0.0.0/4", "reserved address"),
    ("::/128", "reserved address"),
    ("64:ff9b:1::/48", "reserved address"),
    ("100::/64", "reserved address"),
    ("100:0:0:1::/64", "reserved address"),
    ("2001::/23", "reserved address"),
    ("2002::/16", "reserved address"),
    ("5f00::/16", "reserved address"),
)


def _reserved_ranges() -> Ranges:
    parsed = [(parse_range(text), number) for number, (text, _) in enumerate(_NETWORKS)]
    return Ranges((*row, number) for row, number in parsed if row is not None)


_RESERVED_RANGES = _reserved_ranges()


def builtin_labels(type_: str, value: str) -> tuple[str, ...]:
    """What is known of a canonical value without any list; a URL is judged by its host.

    A name below a shared service's apex has an owner of its own and gets no label.

    Args:
        type_: `IndicatorType`, or its text.
        value: Canonical; an ``ip:port`` may be an address alone.
    """
    if type_ == IndicatorType.DOMAIN:
        return _name_labels(value)
    if type_ == IndicatorType.IP_PORT:
        return _address_labels(address_of(value))
    if type_ == IndicatorType.URL:
        key = url_key(value)
        if key is None:
            return ()
        is_address = canonical_address(key.host) is not None
        return _address_labels(key.host) if is_address else _name_labels(key.host)
    label = _HASHES.get(value)
    return (label,) if label is not None else ()


def _name_labels(name: str) -> tuple[str, ...]:
    labels = (SHARED_LABEL,) if is_shared(name) else ()
    try:
        parse(name, IndicatorType.DOMAIN)
    except BenignValueError:
        return (RESERVED_NAME_LABEL, *labels)
    except ParseError:
        return labels
    return labels


def _address_labels(address: str) -> tuple[str, ...]:
    return tuple(_NETWORKS[number][1] for number in _RESERVED_RANGES.owners(address))


def label_indicators(
    indicators: IndicatorSet, lists: WarningLists | None = None, builtin: bool = True
) -> Mapping[int, tuple[str, ...]]:
    """Labels of the indicators that have any, by position in the set.

    Reserved names are not looked for: no set holds one, they are in its quarantine.

    Args:
        indicators: Whose ``lookup`` and ``is_shared`` columns are used as they are.
        lists: Warning lists to ask, or None.
        builtin: Whether to add `builtin_labels`, before those of the lists.
    """
    types = indicators.table["type"].to_pylist()
    found: dict[int, tuple[str, ...]] = {}
    if builtin:
        lookups = indicators.table["lookup"].to_pylist()
        shared = indicators.table["is_shared"].to_pylist()
        for at, (type_, lookup, is_shared_) in enumerate(zip(types, lookups, shared, strict=True)):
            labels = _known_labels(type_, lookup, is_shared_)
            if labels:
                found[at] = labels
    if lists is not None:
        values = indicators.table["value"].to_pylist()
        # One value may be listed for several families, next to each other: asked once.
        distinct = list(dict.fromkeys(zip(types, values, strict=True)))
        known = dict(zip(distinct, lists.labels_of(distinct), strict=True))
        for at, pair in enumerate(zip(types, values, strict=True)):
            if known[pair]:
                found[at] = (*found.get(at, ()), *known[pair])
    return found


def _known_labels(type_: str, lookup: str | None, is_shared_: bool) -> tuple[str, ...]:
    if lookup is None:
        return ()
    if is_shared_:
        return (SHARED_LABEL,)
    if type_ in (IndicatorType.IP_PORT, IndicatorType.URL):
        return _address_labels(lookup)
    label = _HASHES.get(lookup)
    return (label,) if label is not None else ()
