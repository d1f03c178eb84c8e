"""JSON with one entry a line, as `json.dumps` writes it with an indent, in half of its time.

With an indent the standard library writes in Python, a step of a generator for each value. The
test of this is equality with it.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii


def to_json(value: object, indent: str = "  ", line: str = "\n") -> str:
    """A value in ASCII, as ``json.dumps(value, indent=indent)`` says it.

    Args:
        value: Of dicts with texts for keys, lists, tuples and what JSON has of others.
        indent: What each level is further in by.
        line: A line break, and what the lines around ``value`` begin with.

    Raises:
        TypeError: Something in it has no JSON, or a key is no text.
    """
    # By their exact types: this runs for each of millions of values.
    kind, inner = type(value), line + indent
    if kind is str:
        return encode_basestring_ascii(value)  # type: ignore[arg-type]  # mypy narrows no `kind`
    if isinstance(value, dict):
        body = f",{inner}".join(
            [
                f"{encode_basestring_ascii(key)}: {encode_basestring_ascii(one)}"
                if type(one) is str  # most are: no call of our own for each
                else f"{encode_basestring_ascii(key)}: {to_json(one, indent, inner)}"
                for key, one in value.items()
            ]
        )
        return f"{{{inner}{body}{line}}}" if value else "{}"
    if isinstance(value, list | tuple):
        body = f",{inner}".join([to_json(one, indent, inner) for one in value])
        return f"[{inner}{body}{line}]" if value else "[]"
    if value is None:
        return "null"
    # `json.dumps` makes an encoder for each call.
    return str(value) if kind is int else json.dumps(value)
