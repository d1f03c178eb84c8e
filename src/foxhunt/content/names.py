"""Names for those who block or watch names: a hosts file, and a DNS response policy zone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head
from foxhunt.indicators import Indicator, IndicatorType, is_shared
from foxhunt.rules import Rule

_REASONS = {
    IndicatorType.IP_PORT: "an address is blocked for all its ports",
    IndicatorType.URL: "a name is blocked with all its pages",
    IndicatorType.MD5: "no name",
    IndicatorType.SHA1: "no name",
    IndicatorType.SHA256: "no name",
}
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?")
# Room for `*.` and the zone's own name in the 255 octets of a name (RFC 1035, 2.3.4).
_MOST_CHARACTERS = 220


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
    named = list(_named(subject.rule))
    lines = list(
        head(
            subject.rule,
            named,
            _REASONS,
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
        if not is_shared(name):
            records.append(f"*.{name} CNAME .")
    text = "".join(f"; {line}\n" for line in lines)
    yield ContentFile("rpz.zone", text + "".join(f"{record}\n" for record in records))


def _named(rule: Rule) -> Iterator[Indicator]:
    """Domains that a zone or hosts file can hold as they are."""
    for one in rule.indicators:
        is_name = one.type is IndicatorType.DOMAIN and _NAME.fullmatch(one.value)
        labels = one.value.split(".")
        if is_name and len(one.value) <= _MOST_CHARACTERS and all(0 < len(x) < 64 for x in labels):
            yield one
