"""Suricata rules (Suricata docs 7.0, rules): names, addresses with ports, URLs, file hashes.

A name is looked for in DNS queries, TLS and HTTP; a URL over HTTP whole, over TLS by its host
alone, which is weak and never done for hosts that strangers share. Hashes go into list files,
which `filemd5` and its like read, from beside the rules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.indicators import Indicator, IndicatorType, UrlKey
from foxhunt.rules import Rule
from foxhunt.rules.parsed import address_and_port, address_of_host, is_shared_host, key_of_url

# Nobody's in the list of allocations (sidallocation.org, 2025); wide enough for a feed.
_FIRST_SID = 3_000_000_000
_SIDS = 1_200_000_000
# Suricata reads a line into 8,192 characters, the end of a text in C among them (`detect.h`).
_MOST_BYTES = 8190
_HASHES = {
    IndicatorType.MD5: "md5",
    IndicatorType.SHA1: "sha1",
    IndicatorType.SHA256: "sha256",
}
# A rule about more indicators names no pages: a line has its limit.
_MOST_PAGES = 5
_FILE_PROTOCOLS = ("http", "smtp", "smb", "ftp-data")
_REASONS = {
    IndicatorType.URL: "a rule would be too long, or the host over TLS is one that strangers share"
}
_NOTE = (
    "A URL is looked for on its own port, not through a proxy. Numbers are hashes from "
    "3,000,000,000 on: they stay."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alert:
    """A rule before it is numbered.

    Attributes:
        header: Protocol, addresses and ports.
        options: What is looked for.
        about: In words.
        members: The indicators that it is about.
    """

    header: str
    options: str
    about: str
    members: tuple[Indicator, ...]


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    rule = subject.rule
    said_as = [(alert, _text(alert)) for alert in _merged(rule)]
    fitting = [(alert, text) for alert, text in said_as if _bytes_of(text) <= _MOST_BYTES]
    # Told apart by what they are, not by what they say: that takes a hash of fifteen fields.
    said = {id(one): one for alert, _ in fitting for one in alert.members}.values()
    taken: dict[int, str] = {}
    # A family's own numbers: Suricata refuses a number that another family's rule has too.
    numbers = [number(f"{rule.malware} {x.header} {x.options}", taken) for x, _ in fitting]
    lines = [
        *(f"# {line}" for line in head(rule, said, _REASONS, _NOTE)),
        *(f"# {line}" for line in taken.values() if line),
        *(_numbered(text, sid) for (_, text), sid in zip(fitting, numbers, strict=True)),
    ]
    yield ContentFile("suricata.rules", "".join(f"{line}\n" for line in lines))
    for type_, name in _HASHES.items():
        values = dict.fromkeys(one.value for one in rule.indicators if one.type is type_)
        if values:
            yield ContentFile(f"suricata-{name}.lst", "".join(f"{value}\n" for value in values))


def number(key: str, taken: dict[int, str]) -> int:
    """The number of a rule: a hash, or the next free one where two would share it.

    Args:
        key: What tells the rule apart.
        taken: Numbers so far, with what is to be told of them, or nothing; grows by this one.
    """
    digest = hashlib.sha256(key.encode("utf-8")).digest()
    wanted = _FIRST_SID + int.from_bytes(digest[:8]) % _SIDS
    sid = wanted
    while sid in taken:
        sid = _FIRST_SID + (sid + 1 - _FIRST_SID) % _SIDS
    taken[sid] = "" if sid == wanted else f"Number {wanted} was taken: {sid} is there instead."
    return sid


def _numbered(text: str, sid: int) -> str:
    """The rule, on one line."""
    return f"{text}sid:{sid}; rev:1;)"


_NUMBER_BYTES = len(_numbered("", _FIRST_SID))


def _bytes_of(text: str) -> int:
    """How long a rule is; a number has ten digits."""
    return len(text if text.isascii() else text.encode()) + _NUMBER_BYTES


def _text(alert: _Alert) -> str:
    """The rule up to its number."""
    members = alert.members
    one = members[0]
    pages = dict.fromkeys(map(page_of, members)) if len(members) <= _MOST_PAGES else {}
    references = "".join(
        f" reference:url,{page.removeprefix('https://')};" for page in pages if page
    )
    name, malware = _named(one.malware_printable, one.malware)
    confidence, first_seen = one.confidence_level, one.first_seen
    if len(members) > 1:
        confidence = min(member.confidence_level for member in members)
        first_seen = min(member.first_seen for member in members)
    return (
        f'alert {alert.header} (msg:"ThreatFox {name} {alert.about}"; {alert.options}{references} '
        f"classtype:trojan-activity; metadata:confidence {confidence}, malware {malware}, "
        f"created_at {_day(first_seen.date())}; "
    )


@lru_cache(maxsize=1_000)  # a family's rules share them
def _named(printable: str, malware: str) -> tuple[str, str]:
    return _message(plain(printable))[:100], re.sub(r"[^A-Za-z0-9._-]", "_", malware)[:100]


@lru_cache(maxsize=10_000)
def _day(day: date) -> str:
    return f"{day:%Y_%m_%d}"


def _message(text: str) -> str:
    """A text for ``msg``, in which these end a value; what does not print is gone already."""
    return re.sub(r'[;"\\:|]', " ", text)


_SYNTAX = re.compile(r"[^A-Za-z0-9._/-]+")


def _as_bytes(found: re.Match[str]) -> str:
    return f"|{found[0].encode('utf-8', 'surrogatepass').hex(' ')}|"


def content(text: str) -> str:
    """A value for ``content``: everything that could be read as syntax as hexadecimal.

    >>> content('a.org"; x')
    'a.org|22 3b 20|x'
    """
    return _SYNTAX.sub(_as_bytes, text)


def _merged(rule: Rule) -> tuple[_Alert, ...]:
    """The family's rules, each once: a value may have several ids, a host several URLs."""
    found: dict[tuple[str, str], _Alert] = {}
    for alert in _alerts(rule):
        key = alert.header, alert.options
        first = found.setdefault(key, alert)
        if first is not alert:
            found[key] = replace(first, members=first.members + alert.members)
    return tuple(found.values())


def _alerts(rule: Rule) -> Iterator[_Alert]:
    for one in rule.indicators:
        match one.type:
            case IndicatorType.DOMAIN:
                yield from _name_alerts(one)
            case IndicatorType.IP_PORT:
                address, port = address_and_port(one.value)
                for protocol in ("tcp", "udp"):
                    yield _address_alert(protocol, str(address), str(port), one)
            case IndicatorType.URL:
                key = key_of_url(one.value)
                if key is not None:
                    yield from _url_alerts(key, one)
            case _:
                pass
    for type_, name in _HASHES.items():
        members = tuple(one for one in rule.indicators if one.type is type_)
        for protocol in _FILE_PROTOCOLS if members else ():
            yield _Alert(
                header=f"{protocol} any any -> any any",
                options=f"file{name}:suricata-{name}.lst;",
                about=f"file by {name}",
                members=members,
            )


def _name_alerts(one: Indicator) -> Iterator[_Alert]:
    # With the dot in front `.a.org` ends a.org and what is below it, and nothing else.
    matching = f'dotprefix; content:".{content(one.value)}"; endswith;'
    if is_shared_host(one.value):
        matching = f'content:"{content(one.value)}"; startswith; endswith;'
    for protocol, buffer, about in (
        ("dns", "dns.query", "name asked for"),
        ("tls", "tls.sni", "name in TLS"),
        ("http", "http.host", "name in HTTP"),
    ):
        # http.host is in lower case, and Suricata refuses nocase there.
        case = "" if buffer == "http.host" else " nocase;"
        yield _Alert(
            header=f"{protocol} $HOME_NET any -> any any",
            options=f"{buffer}; {matching}{case}",
            about=about,
            members=(one,),
        )


def _address_alert(
    protocol: str, address: str, port: str, one: Indicator, about: str = "address"
) -> _Alert:
    # Never protocol "ip": Suricata takes such a rule as about addresses alone and ignores ports.
    return _Alert(
        header=f"{protocol} $HOME_NET any -> {address} {port}",
        # The host that asked (R3); and not once a packet.
        options="flow:to_server; threshold:type limit, track by_src, seconds 3600, count 1;",
        about=f"{about}, {protocol} port {port}",
        members=(one,),
    )


def _url_alerts(key: UrlKey, one: Indicator) -> Iterator[_Alert]:
    is_address = address_of_host(key.host) is not None
    if one.value.startswith(("https:", "wss:")):
        port = key.port or "443"
        if is_address:
            # No client names an address in TLS (RFC 6066, 3): the connection is what is seen.
            yield _address_alert("tcp", key.host, port, one, "host of a URL (weak)")
        elif not is_shared_host(key.host):
            yield _Alert(
                header=f"tls $HOME_NET any -> any {port}",
                options=f'tls.sni; content:"{content(key.host)}"; startswith; endswith; nocase;',
                about="host of a URL (weak) in TLS",
                members=(one,),
            )
        return
    # http.host has no port, and IPv6 in brackets (libhtp, `htp_parse_hostport`).
    host = content(f"[{key.host}]" if ":" in key.host else key.host)
    path = key.path or "/"
    # A page, and what goes on from it at a border (R4).
    border = f' pcre:"/^.{{{len(path)}}}(?:[\\/?#&]|$)/";'
    yield _Alert(
        header=f"http $HOME_NET any -> any {key.port or '80'}",
        options=f'http.host; content:"{host}"; startswith; endswith; '
        f'http.uri.raw; content:"{content(path)}"; startswith;'
        f"{'' if path.endswith(('/', '?', '&')) else border}",
        about="URL",
        members=(one,),
    )
