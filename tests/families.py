"""Indicators, and families of them, that several tests need."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, parse

FIRST_SEEN = datetime(2026, 5, 24, 8, 11, 2, tzinfo=UTC)
SHA256 = "cd34" * 16

# What a stranger may put into a value that still parses, and into every free text field.
HOSTILE_TEXTS = (
    '"]); union *',
    "\\",
    '\\"; drop table x; --',
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "`${x}` | ```",
    "{{7*7}}",
    "%0a// ",
)


def indicator(type_: IndicatorType, value: str, number: int = 1, **fields: Any) -> Indicator:
    """One indicator of the family Unknown RAT; ``value`` is parsed, ``fields`` override."""
    base: dict[str, Any] = {
        "type": type_,
        "value": parse(value, type_),
        "source": "threatfox",
        "source_id": str(1815000 + number),
        "threat_type": "payload" if type_.is_hash else "botnet_cc",
        "malware": "win.unknown_rat",
        "malware_printable": "Unknown RAT",
        "confidence_level": 100,
        "first_seen": FIRST_SEEN,
    }
    return Indicator(**(base | fields))


def indicator_set(*typed: tuple[IndicatorType, str]) -> IndicatorSet:
    """A set of that family; ids rise with the places in ``typed``."""
    return IndicatorSet.of(
        indicator(type_, value, number) for number, (type_, value) in enumerate(typed)
    )


def unknown_rat() -> IndicatorSet:
    """The two indicators of DESIGN 1."""
    domain = IndicatorType.DOMAIN
    return indicator_set((domain, "texornacu.com"), (domain, "winupdateservice.com"))


def every_type() -> IndicatorSet:
    """One or two of each type, shared services, IPv6 and IDN among them."""
    values = (
        (IndicatorType.DOMAIN, "texornacu.com"),
        (IndicatorType.DOMAIN, "duckdns.org"),
        (IndicatorType.DOMAIN, "m\u00fcnchen-rat.de"),
        (IndicatorType.IP_PORT, "45.137.22.7:443"),
        (IndicatorType.IP_PORT, "[2a02:4780::1]:8080"),
        (IndicatorType.URL, "http://texornacu.com/gate.php?id=1"),
        (IndicatorType.URL, "https://185.220.101.4:8443/a/"),
        (IndicatorType.URL, "https://drive.google.com/uc?id=x"),
        (IndicatorType.MD5, "0123456789abcdef" * 2),
        (IndicatorType.SHA1, "ab12" * 10),
        (IndicatorType.SHA256, SHA256),
        (IndicatorType.SHA3_384, "ef56" * 24),
        (IndicatorType.ENVELOPE_FROM, "bill@texornacu.com"),
    )
    return IndicatorSet.of(
        indicator(type_, value, number, malware_alias=("RatUnk", "U-RAT"))
        for number, (type_, value) in enumerate(values)
    )


def hostile() -> IndicatorSet:
    """Indicators whose values and texts are as hostile as parsing lets them be."""
    return IndicatorSet.of(
        indicator(
            IndicatorType.URL,
            f"http://texornacu.com/{text}",
            number,
            malware="win.hostile",
            malware_printable="Hostile " + HOSTILE_TEXTS[0],
            malware_alias=HOSTILE_TEXTS,
            threat_type=text,
            reference=text,
            reporter=text,
        )
        for number, text in enumerate(HOSTILE_TEXTS)
    )
