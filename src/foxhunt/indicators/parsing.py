"""Text of a feed into the one canonical value of its type."""

from __future__ import annotations

import re

from foxhunt.errors import ParseError
from foxhunt.indicators.addresses import format_ip_port, parse_ip_port
from foxhunt.indicators.domains import parse_domain
from foxhunt.indicators.fang import refang
from foxhunt.indicators.hashes import parse_hash
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.urls import parse_url

# Categories Cc, Cs and line separators: no indicator holds one, and each ends or bends a line of
# some output (a KQL comment, a CSV cell, a terminal).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MAX_VALUE = 16_384


def parse(text: str, type_: IndicatorType) -> str:
    """Return the canonical value of ``text``, refanged.

    Idempotent: a canonical value parses to itself.

    Raises:
        ParseError: ``text`` is no value of the type (`BenignValueError` if it is one
            that can never be a good indicator).
    """
    if len(text) > _MAX_VALUE:
        raise ParseError(f"longer than {_MAX_VALUE} characters: {text[:80]!r}")
    value = refang(text)
    control = _CONTROL.search(value)
    if control:
        raise ParseError(f"control character U+{ord(control[0]):04X} in {value[:80]!r}")
    if not value:
        raise ParseError("empty value")
    if refang(value) != value:
        raise ParseError(f"defanged too many times over: {value[:80]!r}")
    if type_ is IndicatorType.DOMAIN:
        return parse_domain(value)
    if type_ is IndicatorType.IP_PORT:
        return format_ip_port(*parse_ip_port(value))
    if type_ is IndicatorType.URL:
        return parse_url(value)
    if type_.is_hash:
        return parse_hash(value, type_)
    return _parse_sender(value)


def _parse_sender(text: str) -> str:
    """Return a mail sender in lower case: kept, though no table can show one."""
    # The other types end up as ASCII. Here a bidirectional control would show a name backwards.
    if not text.isprintable():
        raise ParseError(f"characters that do not print: {text[:80]!r}")
    return text.lower()
