"""Sigma rules (Sigma specification 2.0), one file a log source.

Sigma compares without case. A URL is compared as a text from its beginning, with a border
after it; ports that are a scheme's own are left out, as most proxies log them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from foxhunt.content.attack import techniques
from foxhunt.content.detections import guid
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.content.sentinel_yaml import to_yaml
from foxhunt.indicators import Indicator, IndicatorType, is_shared, parse_ip_port, url_key

_MOST_TITLE = 110
_MOST_REFERENCES = 25
_HASHES = {
    IndicatorType.MD5: "MD5",
    IndicatorType.SHA1: "SHA1",
    IndicatorType.SHA256: "SHA256",
}
_BORDERS = ("/", "?", "#", "&")
_TACTICS = {
    "CommandAndControl": "command-and-control",
    "Execution": "execution",
    "Collection": "collection",
    "CredentialAccess": "credential-access",
}

Selection = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Source:
    """A log source, and the fields in which it shows an indicator.

    Attributes:
        key: Tells it from the others.
        logsource: As Sigma says it.
        where: In words.
        fields: Of a name; or of an address and its port; or of a URL; or of hashes.
        types: Types of indicator that it shows.
    """

    key: str
    logsource: Mapping[str, str]
    where: str
    fields: tuple[str, ...]
    types: tuple[IndicatorType, ...]


_DOMAIN, _ADDRESS, _URL = (IndicatorType.DOMAIN,), (IndicatorType.IP_PORT,), (IndicatorType.URL,)
_SOURCES = (
    _Source(
        "dns-query",
        {"category": "dns_query", "product": "windows"},
        "DNS queries of a process",
        ("QueryName",),
        _DOMAIN,
    ),
    _Source("dns", {"category": "dns"}, "DNS logs", ("query",), _DOMAIN),
    _Source("proxy-host", {"category": "proxy"}, "hosts a proxy saw", ("cs-host",), _DOMAIN),
    _Source("proxy-url", {"category": "proxy"}, "URLs a proxy saw", ("c-uri",), _URL),
    _Source(
        "connection",
        {"category": "network_connection", "product": "windows"},
        "connections of a process",
        ("DestinationIp", "DestinationPort"),
        _ADDRESS,
    ),
    _Source("firewall", {"category": "firewall"}, "connections", ("dst_ip", "dst_port"), _ADDRESS),
    _Source(
        "process",
        {"category": "process_creation", "product": "windows"},
        "started programs",
        ("Hashes",),
        tuple(_HASHES),
    ),
    _Source(
        "image",
        {"category": "image_load", "product": "windows"},
        "loaded libraries",
        ("Hashes",),
        tuple(_HASHES),
    ),
)


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    huntable = [
        one for one in subject.rule.indicators if any(one.type in s.types for s in _SOURCES)
    ]
    lines = list(head(subject.rule, huntable, {}))
    for source in _SOURCES:
        about = [one for one in huntable if one.type in source.types]
        if about:
            text = to_yaml(_rule(subject, source, about))
            yield ContentFile(
                f"sigma-{source.key}.yml", "".join(f"# {line}\n" for line in lines) + text
            )


def _rule(subject: Subject, source: _Source, about: Sequence[Indicator]) -> dict[str, object]:
    name = plain(subject.rule.name)
    title = f": listed in {source.where}"
    confidence = max(one.confidence_level for one in about)
    newest = max(max(one.first_seen, one.last_seen or one.first_seen) for one in about)
    references = dict.fromkeys(filter(None, map(page_of, about)))
    selections = dict(_selections(source, about))
    return {
        "title": f"{name[: _MOST_TITLE - len(title)]}{title}",
        "id": guid("sigma", subject, source.key),
        "status": "experimental",
        "description": f"Looks in {source.where} for what ThreatFox lists for {name}.",
        "references": list(references)[:_MOST_REFERENCES] or ["https://threatfox.abuse.ch/browse/"],
        "author": "foxhunt",
        "date": f"{min(one.first_seen for one in about):%Y-%m-%d}",
        "modified": f"{newest:%Y-%m-%d}",
        "tags": list(_tags(about)),
        "logsource": dict(source.logsource),
        "detection": {
            **selections,
            "condition": "1 of selection_*" if len(selections) > 1 else next(iter(selections)),
        },
        "falsepositives": ["Names, addresses and pages that changed hands since"],
        "level": "high" if confidence >= 75 else "medium" if confidence >= 50 else "low",
    }


def _tags(about: Sequence[Indicator]) -> Iterator[str]:
    found = techniques(one.threat_type for one in about)
    yield from dict.fromkeys(f"attack.{_TACTICS[t]}" for one in found for t in one.tactics)
    yield from (f"attack.{one.id.lower()}" for one in found)


def escaped(text: str) -> str:
    r"""A text in which nothing is a wildcard (Sigma specification, "Escaping", 2024).

    >>> print(escaped("a\\b*c?"))
    a\\b\*c\?
    """
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _selections(source: _Source, about: Sequence[Indicator]) -> Iterator[tuple[str, Selection]]:
    if source.types == _DOMAIN:
        yield from _names(source.fields[0], about)
    elif source.types == _ADDRESS:
        yield from _addresses(source.fields, about)
    elif source.types == _URL:
        yield from _urls(source.fields[0], about)
    else:
        values = dict.fromkeys(f"{_HASHES[one.type]}={one.value.upper()}" for one in about)
        yield "selection_hash", {f"{source.fields[0]}|contains": list(values)}


def _names(field: str, about: Sequence[Indicator]) -> Iterator[tuple[str, Selection]]:
    values = dict.fromkeys(one.value for one in about)
    yield "selection_name", {field: list(map(escaped, values))}
    below = [f".{escaped(value)}" for value in values if not is_shared(value)]
    if below:
        yield "selection_below", {f"{field}|endswith": below}


def _addresses(
    fields: Sequence[str], about: Sequence[Indicator]
) -> Iterator[tuple[str, Selection]]:
    address_field, port_field = fields
    by_port: dict[int, dict[str, None]] = {}
    for one in about:
        address, port = parse_ip_port(one.value)
        by_port.setdefault(port, {})[str(address)] = None
    for port, addresses in sorted(by_port.items()):
        yield f"selection_{port}", {address_field: list(addresses), port_field: port}


def _urls(field: str, about: Sequence[Indicator]) -> Iterator[tuple[str, Selection]]:
    whole: dict[str, None] = {}
    begins: dict[str, None] = {}
    for one in about:
        key = url_key(one.value)
        if key is None:
            continue
        for scheme in ("", "http://", "https://"):
            text = f"{scheme}{key}"
            whole[text] = None
            if is_shared(key.host) and key.path in (None, "/"):
                continue
            ends = ("",) if text.endswith(("/", "?", "&")) else _BORDERS
            begins |= dict.fromkeys(text + end for end in ends)
    yield "selection_url", {field: list(map(escaped, whole))}
    if begins:
        yield "selection_prefix", {f"{field}|startswith": list(map(escaped, begins))}
