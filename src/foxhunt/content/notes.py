"""What the head of a file says: of which family it is, and what it leaves out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from foxhunt.errors import UnsupportedError
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import Rule


def plain(text: str) -> str:
    """A text on one line: what does not print is a space."""
    if not text.isprintable():  # few are not: no look at each character
        text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())


def head(
    rule: Rule, said: Collection[Indicator], reasons: Mapping[IndicatorType, str], more: str = ""
) -> Iterator[str]:
    """Lines for the head of a file, without the sign of a comment.

    Args:
        rule: Of which family.
        said: The indicators that the file looks for.
        reasons: Why it does not look for those of a type; others are left out for their form.
        more: What else its reader has to know.

    Raises:
        UnsupportedError: The file would look for nothing.
    """
    left = Counter(one.type for one in rule.indicators)
    left.subtract(one.type for one in said)
    missing = [
        f"{count:,} {type_} ({reasons.get(type_, 'cannot be written in this format')})"
        for type_, count in sorted(left.items())
        if count > 0
    ]
    if not said:
        reason = "; ".join(missing) or "no indicator is left"
        raise UnsupportedError(f"nothing of {rule.name} can be said: {reason}")
    yield f"ThreatFox: {plain(rule.name)} ({plain(rule.malware)}), {len(said):,} indicators"
    if more:
        yield more
    if missing:
        yield f"Left out: {'; '.join(missing)}"


_MOST_DIGITS = 12


def page_of(indicator: Indicator) -> str | None:
    """ThreatFox's page about an indicator, or None if its id is none of ThreatFox's."""
    return _threatfox_page(indicator.source_id) if indicator.source == "threatfox" else None


@lru_cache(maxsize=50_000)  # five formats name it
def _threatfox_page(number: str) -> str | None:
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    return f"https://threatfox.abuse.ch/ioc/{number}/" if is_number else None
