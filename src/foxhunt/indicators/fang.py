"""Refang on reading, defang on showing."""

from __future__ import annotations

import re

# The styles that users of peer tools paste (facts/wishes 26: file2stix#21, opencti#9295,
# msticpy#627, iocsearcher#18): brackets of any kind around a dot, colon or at sign. "a[[.]]b" was
# defanged twice. A match starts only where a run of blanks and brackets does: tried from each
# place in a long run, the pattern takes time that is quadratic in it.
_BRACKETED = re.compile(
    r"(?<![\s\[({])\s*+(?P<open>(?:[\[({]\s*+)++)(?P<what>\.|:|@|dot|at)"
    r"(?P<close>(?:\s*+[\])}])++)(?:\s*+(?![\[({]))?",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"[\[({\])}]")
_WORDS = {"dot": ".", "at": "@"}
_SCHEME = re.compile(
    r"(?P<name>[a-z][a-z0-9+.*_-]{0,15})"
    r"(?P<colon>://|:\\\\|[\[({]://[\])}]|[\[({]:[\])}](//|[\[({]//[\])}]|([\[({]/[\])}]){2}))",
    re.IGNORECASE,
)
_SCHEMES = {
    **dict.fromkeys(("hxxp", "htxp", "hxtp", "h**p", "h__p", "meow", "xxxx"), "http"),
    **dict.fromkeys(("hxxps", "htxps", "hxtps", "h**ps", "h__ps"), "https"),
    "fxp": "ftp",
}
# Where the host ends. A bracketed slash ends it too, and is a slash.
_HOST_END = re.compile(r"(?P<bracketed>[\[({]\s*/\s*[\])}])|[/?#]")
# Only these two: of "hxxpx://" nobody would know what it had been.
_WEB_SCHEME = re.compile("^http(?=s?://)", re.IGNORECASE)
_ESCAPED_DOT = re.compile(r"(?<!\\)\\++\.")
_DOT = "[.]"
_MOST_LAYERS = 4


def refang(text: str) -> str:
    """Undo the usual ways of making an indicator unclickable.

    What stands after the host is data, so it is touched only where the scheme or host was
    defanged and every dot of it is ``[.]``: CyberChef's "Defang URL" writes all dots of a URL
    like that. Text that was never defanged comes back as it is, but for surrounding white
    space. IPv6 brackets stay.

    >>> refang("hxxps://evil[.]example[.]org/a")
    'https://evil.example.org/a'
    >>> refang("203.0.113[.]7[:]443")
    '203.0.113.7:443'
    >>> refang("[2001:db8::1]:443")
    '[2001:db8::1]:443'
    >>> refang("http://evil.example.org/?q=a[.]b")
    'http://evil.example.org/?q=a[.]b'
    """
    text = text.strip()
    # One layer may hide another: "hxxp [:] //a.org". Hostile text has layers without end.
    for _ in range(_MOST_LAYERS):
        refanged = _refanged_once(text)
        if refanged == text:
            break
        text = refanged
    return text


def _refanged_once(text: str) -> str:
    scheme, rest = _refanged_scheme(text)
    end = _HOST_END.search(rest)
    host = _refanged_host(rest[: end.start()] if end else rest, has_scheme=bool(scheme))
    tail = rest[end.start() :] if end else ""
    if end and end["bracketed"]:
        tail = "/" + rest[end.end() :]
    was_defanged = not (text.startswith(scheme + host) and text.endswith(tail))
    if was_defanged and _has_only_defanged_dots(tail):
        tail = tail.replace(_DOT, ".")
    return scheme + host + tail


def _refanged_scheme(text: str) -> tuple[str, str]:
    """Split off the scheme with its ``://``; ``""`` if there is none."""
    match = _SCHEME.match(text)
    if match is None:
        return "", text
    # An undamaged scheme keeps its spelling.
    name = _SCHEMES.get(match["name"].lower(), match["name"])
    return f"{name}://", text[match.end() :]


def _refanged_host(host: str, *, has_scheme: bool) -> str:
    host = _BRACKETED.sub(_without_brackets, host)
    # "a\.b" is how regex lists write a dot; in a URL a browser reads the backslash as a slash.
    return host if has_scheme else _ESCAPED_DOT.sub(".", host)


def _without_brackets(match: re.Match[str]) -> str:
    """Take off as many brackets on each side: an address may stand in brackets of its own."""
    opening, closing = match["open"], match["close"]
    opened = [found.start() for found in _BRACKET.finditer(opening)]
    closed = [found.end() for found in _BRACKET.finditer(closing)]
    pairs = min(len(opened), len(closed))
    what = match["what"].lower()
    return opening[: opened[-pairs]] + _WORDS.get(what, what) + closing[closed[pairs - 1] :]


def _has_only_defanged_dots(tail: str) -> bool:
    return 0 < tail.count(_DOT) == tail.count(".")


def defang(text: str) -> str:
    """Return ``text`` so that no client makes a link of it; `refang` undoes it.

    >>> defang("http://evil.example.org:8080/a.php")
    'hxxp://evil[.]example[.]org:8080/a.php'
    >>> defang("203.0.113.7:443")
    '203[.]0[.]113[.]7:443'
    >>> defang("[2001:db8::1]:443")
    '[2001[:]db8[:][:]1]:443'
    """
    match = re.match(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://", text)
    scheme, rest = (match["scheme"] + "://", text[match.end() :]) if match else ("", text)
    end = re.search(r"[/?#]", rest)
    host, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    if host.count(":") > 1:
        inside, bracket, port = host.partition("]")
        host = inside.replace(":", "[:]") + bracket + port
    host = host.replace(".", _DOT)
    # Such a tail would be taken for one that was defanged with the host.
    if _has_only_defanged_dots(tail):
        tail = tail.replace(".", _DOT)
    return _WEB_SCHEME.sub("hxxp", scheme) + host + tail
