"""`parse` in bulk: canonical values of many texts at once, over Arrow arrays.

Regular forms, which are nearly all of a feed, are recognised by patterns under which the result
of the plain functions is known: a name of ASCII labels is its lower case, a dotted quad with a
port is itself. Every other text goes through `parse` one by one, which stays the definition:
tests compare both. Each pattern is narrower than what `parse` takes, never wider.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import ParseError

# One list of what is reserved: `domains` judges by it, this module only steps aside.
from foxhunt.indicators.domains import RESERVED
from foxhunt.indicators.hashes import HEX_DIGITS
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.parsing import parse

# Where the plain functions stop need not be known here: longer texts are rare. A name of that
# length has no label that is too long.
_MAX_NAME = 63
_MAX_URL = 2048
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
QUAD = rf"(?:{_OCTET}\.){{3}}{_OCTET}"
# 10000 to 65535, or fewer digits; no zero in front.
PORT = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# ASCII labels, the last one no number and none of an address in hex.
LABELS = r"(?:[a-z0-9_-]+\.)+[a-z0-9_-]*[a-z_-][a-z0-9_-]*"
_ADDRESS_AND_PORT = f"^{QUAD}:{PORT}$"
# Every block that `ipaddress` calls not global, or multicast, lies in one of these, in each
# version of Python's list of them (IANA special-purpose registry, 2025-10).
_SPECIAL = (
    r"^(?:https?://)?(?:0|10|127|22[4-9]|2[3-5][0-9]|169\.254|203\.0"
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|172\.(?:1[6-9]|2[0-9]|3[01])"
    r"|192\.(?:0|31|52|88|168|175)|198\.(?:1[89]|51))\.[0-9.]+(?:[:/]|$)"
)
_NAME = f"^{LABELS}$"
_LONG_HOST = f"^https?://[^/]{{{_MAX_NAME + 1}}}"
_RESERVED_NAME = r"(?:^|\.)(?:" + "|".join(RESERVED).replace(".", r"\.") + ")$"
_RESERVED_HOST = r"://(?:[^/]*\.)?(?:" + "|".join(RESERVED).replace(".", r"\.") + ")(?:[:/]|$)"
# What stays as it is in a path and a query (WHATWG URL, 2025-09), less what versions of the
# standard do not agree on.
_PATH = r"/[A-Za-z0-9_~!$&()*+,;=:@/.%-]*"
_QUERY = r"\?[A-Za-z0-9_~!$&()*+,;=:@/?.%-]+"
PATH = f"{_PATH}(?:{_QUERY})?"
_URL = f"^https?://(?:{LABELS}|{QUAD})(?::{PORT})?(?:{PATH})?$"
# Dot segments are resolved, a scheme's own port is dropped, punycode is checked, and a host that
# ends in a label like "0x7f" is an address.
_REWRITTEN = (
    r"^[a-z]+://[^?]*(?:/\.|%2[eE])|^http://[^/]*:80(?:/|$)|^https://[^/]*:443(?:/|$)"
    r"|^[a-z]+://[^/]*(?:xn--|\.0x)"
)
_NO_PATH = "^https?://[^/]*$"
# With their type: where Arrow has to find out the type of a Python value, it looks for a package
# each time that need not be there.
_SLASH, _NOTHING = pa.scalar("/", pa.string()), pa.scalar("", pa.string())
_NOT_ONLY_ZEROS = "[1-9a-f]"
_EMPTY_FILE = pa.array(
    [
        hashlib.new(name, b"").hexdigest()
        for name in hashlib.algorithms_guaranteed
        if not name.startswith("shake")
    ],
    pa.string(),
)


def canonical_values(kind: IndicatorType, texts: pa.Array) -> pa.Array:
    """`foxhunt.indicators.parse` of each text; null where it refuses or there is no text.

    Args:
        kind: Of all texts.
        texts: As a feed spells them.
    """
    return completed(texts, _regular(kind, texts), lambda text: _parsed(text, kind))


def completed(texts: pa.Array, found: pa.Array, in_python: Callable[[str], str | None]) -> pa.Array:
    """Fill the nulls of ``found`` with what ``in_python`` makes of the text in their place."""
    is_odd = pc.and_(pc.is_valid(texts), pc.is_null(found))
    odd = texts.filter(is_odd).to_pylist()
    if not odd:
        return found
    return pc.replace_with_mask(found, is_odd, pa.array(map(in_python, odd), pa.string()))


def _parsed(text: str, kind: IndicatorType) -> str | None:
    try:
        return parse(text, kind)
    except ParseError:
        return None


def _regular(kind: IndicatorType, texts: pa.Array) -> pa.Array:
    """The canonical value of each text of regular form, null for every other."""
    if kind is IndicatorType.IP_PORT:
        return _where(
            texts, _matches(texts, _ADDRESS_AND_PORT), pc.invert(_matches(texts, _SPECIAL))
        )
    if kind is IndicatorType.DOMAIN:
        return _names(pc.ascii_lower(texts))
    if kind is IndicatorType.URL:
        return _urls(texts)
    if kind.is_hash:
        return _hashes(pc.ascii_lower(texts), HEX_DIGITS[kind])
    return pa.nulls(len(texts), pa.string())


def _names(lower: pa.Array) -> pa.Array:
    return _where(
        lower,
        _matches(lower, _NAME),
        _are_at_most(lower, _MAX_NAME),
        pc.invert(_matches(lower, _RESERVED_NAME)),
    )


def _urls(texts: pa.Array) -> pa.Array:
    odd = f"{_REWRITTEN}|{_SPECIAL}|{_LONG_HOST}|^[a-z]+{_RESERVED_HOST}"
    regular = _where(
        texts,
        _matches(texts, _URL),
        _are_at_most(texts, _MAX_URL),
        pc.invert(_matches(texts, odd)),
    )
    with_path = pc.binary_join_element_wise(regular, _SLASH, _NOTHING)
    return pc.if_else(_matches(regular, _NO_PATH), with_path, regular)


def _hashes(lower: pa.Array, digits: int) -> pa.Array:
    return _where(
        lower,
        _matches(lower, f"^[0-9a-f]{{{digits}}}$"),
        _matches(lower, _NOT_ONLY_ZEROS),
        pc.invert(pc.is_in(lower, _EMPTY_FILE)),
    )


def _where(values: pa.Array, first: pa.Array, *others: pa.Array) -> pa.Array:
    """The values for which every claim holds, null in place of the others."""
    claim = first
    for other in others:
        claim = pc.and_(claim, other)
    return pc.if_else(claim, values, pa.scalar(None, pa.string()))


def _are_at_most(texts: pa.Array, length: int) -> pa.Array:
    return pc.less_equal(pc.binary_length(texts), pa.scalar(length, pa.int32()))


def _matches(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, pattern)
