"""Ask ThreatFox about one value, in the form in which it answers, and check what it says.

An exact search knows no address without its port, no dot at a name's end, and a URL only as it
was written; the other search crosses types and finds what merely holds the term. So the answers
are compared again with the value itself (`IsValue`), and what is another one is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from foxhunt.errors import UsageError
from foxhunt.feeds.client import ThreatFox
from foxhunt.indicators import (
    IndicatorSet,
    IndicatorType,
    Quarantined,
    refang,
    unicode_name,
)
from foxhunt.indicators.asked import Asked
from foxhunt.indicators.conditions import IsValue
from foxhunt.indicators.lookup import SetReader

_SAMPLES = (IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What ThreatFox says about a value.

    Attributes:
        queries: What it was asked, in words, in order.
        indicators: Those that are the value; of `ask_sample`, what the sample talks to.
        others: How many of its answers are something else.
        quarantined: Records of its answers that are no indicators.
    """

    queries: tuple[str, ...]
    indicators: IndicatorSet
    others: int = 0
    quarantined: tuple[Quarantined, ...] = ()


def ask(client: ThreatFox, asked: Asked) -> Answer:
    """Search ThreatFox for a value; several times if it may be written in several ways.

    Raises:
        HuntError: As of `ThreatFox`.
    """
    queries: list[str] = []
    others: dict[str, None] = {}
    quarantined: dict[Quarantined, None] = {}
    for term, is_exact in _searches(asked):
        queries.append(f"search_ioc {'exactly' if is_exact else 'for all with'} {term}")
        read = client.search_ioc(term, exact=is_exact)
        found = SetReader(read.indicators).find([IsValue(asked)]).indicators()
        quarantined.update(dict.fromkeys(read.report.quarantined))
        known = {one.source_id for one in found}
        others.update({i.source_id: None for i in read.indicators if i.source_id not in known})
        if len(found):
            break
    else:
        found = IndicatorSet.of(())
    return Answer(
        queries=tuple(queries),
        indicators=found,
        others=len(others),
        quarantined=tuple(quarantined),
    )


def ask_sample(client: ThreatFox, asked: Asked) -> Answer:
    """Ask ThreatFox what the malware sample with this hash talks to.

    Raises:
        UsageError: It is no hash that ThreatFox takes.
        HuntError: As of `ThreatFox`.
    """
    value = next((value for type_, value in asked.values if type_ in _SAMPLES), None)
    if value is None:
        raise UsageError(f"{asked.text[:80]!r} is no MD5, SHA-1 or SHA-256 of a sample")
    read = client.search_hash(value)
    return Answer(
        queries=(f"search_hash {value}",),
        indicators=read.indicators,
        quarantined=read.report.quarantined,
    )


def _searches(asked: Asked) -> Iterator[tuple[str, bool]]:
    """Terms to search for, the surest first, each with whether the search is an exact one."""
    values = dict(asked.values)
    if IndicatorType.DOMAIN in values:
        name = values[IndicatorType.DOMAIN]
        yield name, True
        # ThreatFox keeps a name as it was reported.
        if unicode_name(name) != name:
            yield unicode_name(name), True
    elif asked.url is not None:
        spellings = dict.fromkeys((values[IndicatorType.URL], refang(asked.text)))
        yield from ((spelling, True) for spelling in spellings)
        yield asked.url.host, False
    elif asked.is_address and asked.host is not None:
        yield asked.host, False
    else:
        yield next(iter(values.values()), refang(asked.text)), True
