"""Domain names: canonical form (R1), what they may be, and who shares them."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import idna
from publicsuffixlist import PublicSuffixList

from foxhunt.errors import BenignValueError, ParseError

# Underscores stand in real names (SRV, DKIM, and hosts of sloppy owners); hyphens at the ends of
# a label do too (opnsense/core#6922 rejected real indicators for them).
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_MAX_NAME = 253
# UTS 46 lets several code points end a label; folding them first keeps trailing dots trailing.
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")

# RFC 2606, 6761, 6762, 7686, 8375, 9476 and the private use of `.internal` (ICANN, 2024-07-29).
# `.onion` is absent on purpose: it never resolves, but a proxy log can show it.
RESERVED = (
    "example",
    "example.com",
    "example.net",
    "example.org",
    "test",
    "invalid",
    "localhost",
    "local",
    "internal",
    "alt",
    "arpa",
    "lan",
    "home",
    "corp",
    "localdomain",
)


def canonical_name(text: str) -> str:
    """Return a logged name in the form names are compared in (R1).

    Lower case, no trailing dots, A-labels (UTS 46, non-transitional). A name
    that is no valid IDN keeps its lower-cased spelling: a log may hold anything.

    >>> canonical_name("C2.Example.ORG.")
    'c2.example.org'
    >>> canonical_name("M\u00fcnchen.de")
    'xn--mnchen-3ya.de'
    """
    text = text.strip()
    if not text.isascii():
        text = _to_ascii(text.translate(_DOTS).rstrip(".")) or text
    return text.lower().rstrip(".")


def _to_ascii(text: str) -> str | None:
    """UTS 46 A-labels, or None; the length bound comes first, since IDNA is quadratic."""
    if len(text) > _MAX_NAME:
        return None
    try:
        return ".".join(
            label if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
            for label in idna.uts46_remap(text, std3_rules=False).split(".")
        )
    except (idna.IDNAError, UnicodeError):
        return None


def parse_domain(text: str) -> str:
    """Return the canonical name of a ``domain`` indicator.

    Raises:
        ParseError: Not a name of two labels or more.
        BenignValueError: A reserved name, which can belong to nobody's malware.
    """
    folded = text.translate(_DOTS).rstrip(".")
    name = folded.lower() if folded.isascii() else _to_ascii(folded)
    if name is None:
        raise ParseError(f"not a valid internationalised name: {text[:80]!r}")
    name = name.lower()
    if len(name) > _MAX_NAME:
        raise ParseError(f"longer than {_MAX_NAME} characters: {text[:80]!r}")
    labels = name.split(".")
    bad = next((label for label in labels if not _LABEL.fullmatch(label)), None)
    if bad is not None:
        raise ParseError(f"label {bad[:80]!r} of {text[:80]!r} is not a DNS label")
    if len(labels) < 2:
        raise ParseError(f"a single label is not a domain: {text[:80]!r}")
    if labels[-1].isdigit():
        raise ParseError(f"the last label is a number, as in an address: {text[:80]!r}")
    if any(name == reserved or name.endswith("." + reserved) for reserved in RESERVED):
        raise BenignValueError(f"reserved name: {name}")
    return name


@cache
def _public_suffixes() -> PublicSuffixList:
    # The list comes with the package. An unlisted TLD is no suffix of its own.
    return PublicSuffixList(accept_unknown=False)


@cache
def _suffix_words() -> frozenset[str]:
    """Every word of the list's file, its rules among them (and those of comments: no harm)."""
    file = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat")
    return frozenset(file.read_text("utf-8").lower().split())


def _may_be_public(name: str) -> bool:
    """Whether it is worth to parse the list, which takes 50 ms.

    A name is a public suffix only if a rule is its text, or a wildcard's is its own or its
    parent's (https://publicsuffix.org/list/, 2025). Rules are written in Unicode.
    """
    if "xn--" in name or not name.isascii():
        return True
    words, parent = _suffix_words(), name.partition(".")[2]
    return name in words or f"*.{name}" in words or f"*.{parent}" in words


@cache
def shared_services() -> frozenset[str]:
    """Names below which strangers have names or pages (R1, R4)."""
    text = resources.files(__package__).joinpath("shared_services.txt").read_text("utf-8")
    return frozenset(
        line for raw in text.splitlines() if (line := raw.partition("#")[0].strip().lower())
    )


def unicode_name(name: str) -> str:
    """Return a canonical name as people write it, or itself where that is the same.

    >>> unicode_name("xn--mnchen-3ya.de")
    'm\u00fcnchen.de'
    """
    try:
        return str(idna.decode(name)) if "xn--" in name else name
    except (idna.IDNAError, UnicodeError):
        return name


def is_shared(name: str) -> bool:
    """Whether a canonical name belongs to many unrelated parties.

    A public suffix (``co.uk``, and the private ones: ``duckdns.org``, ``workers.dev``)
    or the apex of a shared service (``drive.google.com``, ``pastebin.com``). An
    indicator that is itself one matches exactly only (R1), and having seen no more
    than such a host says nothing about a URL on it (R4).
    """
    if name in shared_services():
        return True
    return _may_be_public(name) and bool(_public_suffixes().is_public(name))


def parents(name: str) -> list[str]:
    """Return the canonical name and each of its parents, longest first.

    >>> parents("a.b.org")
    ['a.b.org', 'b.org', 'org']
    """
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]
