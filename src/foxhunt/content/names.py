"""Names for those who block or watch names: a hosts file, and a DNS response policy zone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import Rule
from foxhunt.rules.parsed import is_shared_host

_REASONS = {
    IndicatorType.IP_PORT: "an address is blocked for all its ports",
    IndicatorType.URL: "a name is blocked with all its pages",
    IndicatorType.MD5: "no name",
    IndicatorType.SHA1: "no name",
    IndicatorType.SHA256: "no name",
}
_ZONE_REASONS = {
    **_REASONS,
    IndicatorType.DOMAIN: "too long with the zone's own name, or ending as triggers of zones do",
}
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
# Room for `*.` and the zone's own name in the 255 octets of a name (RFC 1035, 2.3.4).
_MOST_CHARACTERS = 220
# `0.0.0.0.0.rpz-ip` is every address, `a.org.rpz-nsdname` a name server (draft-vixie-dnsop-dns-rpz
# of 2018): no name that a stranger reports may become one of these.
_TRIGGER = re.compile(r".*\.rpz-[a-z-]+")


def hosts(subject: Subject) -> Iterator[ContentFile]:
    """A hosts file; see `foxhunt.content.Content`."""
    named = list(_named(subject.rule))
    lines = [
        *head(subject.rule, named, _REASONS, "Names alone: a hosts file knows no subdomains."),
    ]
    text = "".join(f"# {line}\n" for line in lines)
    values = dict.fromkeys(one.value for one in named)
    yield ContentFile("hosts.txt", text + "".join(f"0.0.0.0 {name}\n" for name in values))


def rpz(subject: Subject) -> Iterator[ContentFile]:
    """A response policy zone that answers NXDOMAIN; see `foxhunt.content.Content`."""
    named = [one for one in _named(subject.rule) if _fits_zone(one.value)]
    lines = list(
        head(
            subject.rule,
            named,
            _ZONE_REASONS,
            "A name and its subdomains, but not those of names that strangers share.",
        )
    )
    # Of the newest indicator: the same feed gives the same zone.
    newest = max(max(one.first_seen, one.last_seen or one.first_seen) for one in named)
    serial = int(newest.timestamp()) % 2**32
    records = [
        "$TTL 300",
        f"@ IN SOA localhost. hostmaster.localhost. {serial} 3600 600 604800 300",
        "@ IN NS localhost.",
    ]
    for name in dict.fromkeys(one.value for one in named):
        records.append(f"{name} CNAME .")
        if not is_shared_host(name):
            records.append(f"*.{name} CNAME .")
    text = "".join(f"; {line}\n" for line in lines)
    yield ContentFile("rpz.zone", text + "".join(f"{record}\n" for record in records))


def _named(rule: Rule) -> Iterator[Indicator]:
    """Domains that a file of names can hold as they are."""
    for one in rule.indicators:
        if one.type is IndicatorType.DOMAIN and _NAME.fullmatch(one.value):
            yield one


def _fits_zone(name: str) -> bool:
    return len(name) <= _MOST_CHARACTERS and _TRIGGER.fullmatch(name) is None
