"""What a Sigma rule looks for: log sources, and the texts in which each shows an indicator.

Fields are those of Sigma's taxonomy (SigmaHQ, sigma-appendix-taxonomy 2.1.0, 2025-08-02), where
Windows' are Sysmon's own. Sysmon's FileCreate (``file_event``) has no hashes, so files are
looked for where it does have them: in streams and in executables that were written.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules.parsed import address_and_port, is_shared_host, key_of_url

Selection = dict[str, object]

HASHES = {
    IndicatorType.MD5: "MD5",
    IndicatorType.SHA1: "SHA1",
    IndicatorType.SHA256: "SHA256",
}
_MODIFIERS = {IndicatorType.DOMAIN: "endswith", IndicatorType.URL: "startswith"}
_BORDERS = ("/", "?", "#", "&")
_SCHEMES = ("", "http://", "https://")
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A log source, and the fields in which it shows an indicator.

    Attributes:
        key: Tells it from the others.
        logsource: As Sigma says it.
        where: In words.
        field: Of a name, an address, a URL or hashes.
        types: Types of indicator that it shows.
        port: Field of the port that belongs to an address, or None.
        limits: Besides what is found, what has to hold: field to value.
        note: What such a rule does not tell exactly.
    """

    key: str
    logsource: Mapping[str, str]
    where: str
    field: str
    types: tuple[IndicatorType, ...]
    port: str | None = None
    limits: tuple[tuple[str, str], ...] = ()
    note: str


def _windows(category: str) -> Mapping[str, str]:
    return {"category": category, "product": "windows"}


_NAMES = (
    "Finds a name and what is below it, but not what is below a name that strangers share. "
    "Does not find names that a log ends with a dot or shows in letters of other scripts"
)
_URLS = (
    "A URL is compared as text, from its beginning up to a border, whatever its scheme. Finds "
    "paths that differ in case too, though they may be other pages; does not find URLs in which "
    "the log shows credentials or the port that goes without saying"
)
_ADDRESSES = (
    "An address counts with its port alone. IPv6 is compared as text, in its shortest form and in "
    "those that are written out"
)


def _hashes(key: str, category: str, where: str, field: str = "Hashes") -> Source:
    return Source(
        key=key,
        logsource=_windows(category),
        where=where,
        field=field,
        types=tuple(HASHES),
        note="Finds hashes in either case",
    )


SOURCES = (
    Source(
        key="dns-query",
        logsource=_windows("dns_query"),
        where="DNS queries of processes",
        field="QueryName",
        types=(IndicatorType.DOMAIN,),
        note=_NAMES,
    ),
    Source(
        key="dns",
        logsource={"category": "dns"},
        where="DNS logs",
        field="query",
        types=(IndicatorType.DOMAIN,),
        note=_NAMES,
    ),
    Source(
        key="proxy-host",
        logsource={"category": "proxy"},
        where="hosts that a proxy saw",
        field="cs-host",
        types=(IndicatorType.DOMAIN,),
        note=f"{_NAMES}, or with a port",
    ),
    Source(
        key="proxy-url",
        logsource={"category": "proxy"},
        where="URLs that a proxy saw",
        field="c-uri",
        types=(IndicatorType.URL,),
        note=_URLS,
    ),
    Source(
        key="connection",
        logsource=_windows("network_connection"),
        where="connections of processes",
        field="DestinationIp",
        types=(IndicatorType.IP_PORT,),
        port="DestinationPort",
        limits=(("Initiated", "true"),),
        note=_ADDRESSES,
    ),
    Source(
        key="connection-host",
        logsource=_windows("network_connection"),
        where="hosts that processes connected to",
        field="DestinationHostname",
        types=(IndicatorType.DOMAIN,),
        limits=(("Initiated", "true"),),
        note=f"{_NAMES}. The name is the one that Sysmon looked up for the address",
    ),
    Source(
        key="firewall",
        logsource={"category": "firewall"},
        where="connections that a firewall saw",
        field="dst_ip",
        types=(IndicatorType.IP_PORT,),
        port="dst_port",
        note=f"{_ADDRESSES}. Connections that were blocked are found too",
    ),
    _hashes("process", "process_creation", "programs that started"),
    _hashes("image", "image_load", "libraries that were loaded"),
    _hashes("file", "file_executable_detected", "executables that were written"),
    _hashes("stream", "create_stream_hash", "files that were downloaded", field="Hash"),
)


def escaped(text: str) -> str:
    r"""A text in which nothing is a wildcard (Sigma specification, "Escaping", 2024).

    >>> print(escaped("a\\b*c?"))
    a\\b\*c\?
    """
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def texts(one: Indicator) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Texts that a field is compared with, unescaped: as a whole, and as a part.

    Both are empty for an indicator that no log source shows.
    """
    # Not by a table of types, since an enum's hash is computed in Python: this is asked for each
    # log source, in each language.
    type_ = one.type
    if type_ is IndicatorType.DOMAIN:
        return _domain_texts(one.value)
    if type_ is IndicatorType.IP_PORT:
        return _ip_port_texts(one.value)
    if type_ is IndicatorType.URL:
        return _url_texts(one.value)
    if type_ in HASHES:
        return (), (f"{HASHES[type_]}={one.value.upper()}",)
    return (), ()


@lru_cache(maxsize=_MOST_KEPT)
def _domain_texts(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (value,), () if is_shared_host(value) else (f".{value}",)


@lru_cache(maxsize=_MOST_KEPT)
def _ip_port_texts(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return _address_texts(address_and_port(value)[0]), ()


def _address_texts(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[str, ...]:
    """An address as logs write it: Sysmon (15) does not shorten IPv6, most others do.

    >>> _address_texts(ipaddress.ip_address("2a02::1"))
    ('2a02::1', '2a02:0:0:0:0:0:0:1', '2a02:0000:0000:0000:0000:0000:0000:0001')
    """
    if address.version == 4:
        return (str(address),)
    groups = address.exploded.split(":")
    whole = ":".join(group.lstrip("0") or "0" for group in groups)
    return tuple(dict.fromkeys((str(address), whole, address.exploded)))


@lru_cache(maxsize=_MOST_KEPT)
def _url_texts(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    key = key_of_url(value)
    if key is None:
        return (), ()
    whole = [f"{scheme}{key}" for scheme in _SCHEMES]
    if key.path == "/":
        # A log may leave the path out; without a scheme that is a host, which says less (R4).
        bare = [text.removesuffix("/") for text in whole[1:]]
        whole, begins = whole + bare, [text + end for text in bare for end in ("?", "#")]
    else:
        begins = []
    if is_shared_host(key.host) and key.path in (None, "/"):
        return tuple(whole), ()
    for text in whole[: len(_SCHEMES)]:
        # A text that ends at a border already begins all that goes on from it.
        ends = ("",) if text.endswith(("/", "?", "&")) else _BORDERS
        begins += [text + end for end in ends]
    return tuple(whole), tuple(begins)


def wholes_and_parts(
    source: Source, about: Sequence[Indicator]
) -> tuple[dict[str, None], dict[str, None]]:
    """Texts that the field of a source without ports is compared with, each once, unescaped."""
    kinds = [texts(one) for one in about]
    whole = dict.fromkeys([text for kind in kinds for text in kind[0]])
    return whole, dict.fromkeys([text for kind in kinds for text in kind[1]])


def modifier(source: Source) -> str:
    """How a part is compared in Sigma's words."""
    return _MODIFIERS.get(source.types[0], "contains")


def selections(source: Source, about: Sequence[Indicator]) -> dict[str, Selection]:
    """What ``detection`` holds besides its condition, by name."""
    if source.port is not None:
        return with_ports(source, by_port(about))
    return with_texts(source, *(map(escaped, texts) for texts in wholes_and_parts(source, about)))


def with_ports(source: Source, addresses: Mapping[int, Sequence[str]]) -> dict[str, Selection]:
    """Selections of addresses by their port."""
    limits = dict(source.limits)
    return {
        f"selection_{port}": {source.field: list(listed), source.port or "": port, **limits}
        for port, listed in addresses.items()
    }


def with_texts(source: Source, whole: Iterable[str], part: Iterable[str]) -> dict[str, Selection]:
    """Selections of texts, which are escaped."""
    limits = dict(source.limits)
    listed = {
        "selection_whole": (source.field, list(whole)),
        "selection_part": (f"{source.field}|{modifier(source)}", list(part)),
    }
    return {name: {field: found, **limits} for name, (field, found) in listed.items() if found}


def condition(selections: Mapping[str, Selection]) -> str:
    """Sigma's condition: any of the selections."""
    return "1 of selection_*" if len(selections) > 1 else next(iter(selections))


def by_port(about: Sequence[Indicator]) -> dict[int, list[str]]:
    """Addresses by their port, in order."""
    found: dict[int, dict[str, None]] = {}
    for one in about:
        port = address_and_port(one.value)[1]
        found.setdefault(port, {}).update(dict.fromkeys(texts(one)[0]))
    return {port: list(addresses) for port, addresses in sorted(found.items())}


def size(one: Indicator) -> int:
    """About how many characters an indicator takes in a query."""
    return _size(*texts(one))


@lru_cache(maxsize=_MOST_KEPT)  # asked in each language, of texts that are kept
def _size(whole: tuple[str, ...], part: tuple[str, ...]) -> int:
    return sum(map(len, whole)) + sum(map(len, part)) + 20 * (len(whole) + len(part))


def parts(about: Sequence[Indicator], most_characters: int) -> Iterator[list[Indicator]]:
    """Indicators in runs of at most ``most_characters``; one that is longer has its own."""
    part: list[Indicator] = []
    taken = 0
    for one in about:
        length = size(one)
        if part and taken + length > most_characters:
            yield part
            part, taken = [], 0
        part.append(one)
        taken += length
    if part:
        yield part
