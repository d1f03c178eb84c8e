"""Suricata rules (Suricata docs 7.0, rules): names, addresses with ports, URLs, file hashes.

A name is looked for in DNS queries, TLS and HTTP; a URL over HTTP whole, over HTTPS by its
host alone, which is weak and never done for hosts that strangers share. Hashes go into list
files, which `filemd5` and its like read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.indicators import (
    Indicator,
    IndicatorType,
    UrlKey,
    is_shared,
    parse_ip_port,
    url_key,
)
from foxhunt.rules import Rule

# Nobody's in the list of allocations (sidallocation.org, 2025); wide enough for a feed.
_FIRST_SID = 3_000_000_000
_SIDS = 1_200_000_000
_HASHES = {
    IndicatorType.MD5: "md5",
    IndicatorType.SHA1: "sha1",
    IndicatorType.SHA256: "sha256",
}


_FILE_PROTOCOLS = ("http", "smtp", "smb", "ftp-data")


@dataclass(frozen=True, slots=True)
class _Alert:
    """A rule before it is numbered.

    Attributes:
        key: What its number is made of.
        header: Protocol, addresses and ports.
        options: What is looked for.
        about: In words.
        indicator: The one that it is about, or the newest of a list.
    """

    key: str
    header: str
    options: str
    about: str
    indicator: Indicator


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    alerts = list(_alerts(subject.rule))
    listed = [one for one in subject.rule.indicators if one.type in _HASHES]
    said = {(a.indicator.type, a.indicator.value, a.indicator.source_id) for a in alerts}
    shown = [
        one
        for one in subject.rule.indicators
        if one in listed or (one.type, one.value, one.source_id) in said
    ]
    reasons = {IndicatorType.URL: "over HTTPS a host that strangers share tells nothing"}
    lines = head(
        subject.rule, shown, reasons, "Numbers are hashes from 3,000,000,000 on: they stay."
    )
    text = "".join(f"# {line}\n" for line in lines)
    taken: set[int] = set()
    for alert in alerts:
        text += _rule(alert, _sid(alert.key, taken)) + "\n"
    yield ContentFile("suricata.rules", text)
    for type_, name in _HASHES.items():
        values = dict.fromkeys(one.value for one in listed if one.type is type_)
        if values:
            yield ContentFile(f"suricata-{name}.lst", "".join(f"{value}\n" for value in values))


def _sid(key: str, taken: set[int]) -> int:
    """The number of a rule: a hash, or the next free one where two would share it."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8]) % _SIDS
    while place in taken:
        place = (place + 1) % _SIDS
    taken.add(place)
    return _FIRST_SID + place


def _rule(alert: _Alert, sid: int) -> str:
    one = alert.indicator
    page = page_of(one)
    reference = f" reference:url,{page.removeprefix('https://')};" if page else ""
    metadata = f"confidence {one.confidence_level}, first_seen {one.first_seen:%Y_%m_%d}"
    message = f"ThreatFox {plain(one.malware_printable)} {alert.about}"
    return (
        f'alert {alert.header} (msg:"{_message(message)}"; {alert.options}{reference} '
        f"classtype:trojan-activity; metadata:{metadata}; sid:{sid}; rev:1;)"
    )


def _message(text: str) -> str:
    """A text for ``msg``, in which these end a value; what does not print is gone already."""
    return re.sub(r'[;"\\:|]', " ", text)[:200]


def content(text: str) -> str:
    """A value for ``content``: everything that could be read as syntax as hexadecimal.

    >>> content('a.org"; x')
    'a.org|22 3b 20|x'
    """
    return re.sub(
        r"[^A-Za-z0-9._/-]+",
        lambda found: f"|{found[0].encode('utf-8', 'surrogatepass').hex(' ')}|",
        text,
    )


def _expression(text: str) -> str:
    """The same for ``pcre``."""
    return re.sub(
        r"[^A-Za-z0-9]",
        lambda found: "".join(f"\\x{b:02x}" for b in found[0].encode("utf-8", "surrogatepass")),
        text,
    )


def _alerts(rule: Rule) -> Iterator[_Alert]:
    for one in rule.indicators:
        match one.type:
            case IndicatorType.DOMAIN:
                yield from _name_alerts(one)
            case IndicatorType.IP_PORT:
                address, port = parse_ip_port(one.value)
                yield _Alert(
                    f"ip {one.value}",
                    f"ip $HOME_NET any -> {address} {port}",
                    "threshold:type limit, track by_src, seconds 3600, count 1;",
                    f"address {port}",
                    one,
                )
            case IndicatorType.URL:
                key = url_key(one.value)
                if key is not None:
                    yield from _url_alerts(one, key)
            case _:
                pass
    for type_, name in _HASHES.items():
        hashed = [one for one in rule.indicators if one.type is type_]
        for protocol in _FILE_PROTOCOLS if hashed else ():
            yield _Alert(
                f"{protocol} {name} {rule.malware}",
                f"{protocol} any any -> any any",
                f"file{name}:suricata-{name}.lst;",
                f"file by {name}",
                hashed[-1],
            )


def _name_alerts(one: Indicator) -> Iterator[_Alert]:
    # With the dot in front `.a.org` ends a.org and what is below it, and nothing else.
    matching = f'dotprefix; content:".{content(one.value)}"; endswith;'
    if is_shared(one.value):
        matching = f'content:"{content(one.value)}"; startswith; endswith;'
    for protocol, buffer, about in (
        ("dns", "dns.query", "name asked for"),
        ("tls", "tls.sni", "name in TLS"),
        ("http", "http.host", "name in HTTP"),
    ):
        # http.host is in lower case, and Suricata refuses nocase there.
        case = "" if buffer == "http.host" else " nocase;"
        yield _Alert(
            f"{buffer} {one.value}",
            f"{protocol} $HOME_NET any -> any any",
            f"{buffer}; {matching}{case}",
            about,
            one,
        )


def _url_alerts(one: Indicator, key: UrlKey) -> Iterator[_Alert]:
    host = f'content:"{content(key.host)}"; startswith; endswith;'
    if one.value.lower().startswith("https:"):
        if not is_shared(key.host):
            yield _Alert(
                f"url tls {one.value}",
                f"tls $HOME_NET any -> any {key.port or 'any'}",
                f"tls.sni; {host} nocase;",
                "host of a URL (weak) in TLS",
                one,
            )
        return
    path = key.path or "/"
    # A page, and what goes on from it at a border (R4).
    border = "" if path.endswith(("/", "?", "&")) else "(?:[/?#&]|$)".replace("/", "\\/")
    yield _Alert(
        f"url http {one.value}",
        f"http $HOME_NET any -> any {key.port or 'any'}",
        f'http.host; {host} http.uri.raw; content:"{content(path)}"; startswith; '
        f'pcre:"/^{_expression(path)}{border}/";',
        "URL",
        one,
    )
