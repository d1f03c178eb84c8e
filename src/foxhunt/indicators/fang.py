"""Refang on reading, defang on showing."""

from __future__ import annotations

import re

# The styles that users of peer tools paste (facts/wishes 26: file2stix#21, opencti#9295,
# msticpy#627, iocsearcher#18). Brackets of any kind around a dot, colon, slash or at sign.
_BRACKETED = re.compile(r"[\[({]\s*(?P<what>\.|:|/|://|@|dot|at)\s*[\])}]", re.IGNORECASE)
_WORDS = {"dot": ".", "at": "@"}
_SCHEME = re.compile(
    r"^(?P<name>hxxps?|h\*\*ps?|h__ps?|fxp|meow|xxxx)(?P<colon>\[?:\]?//|://|:\\\\)", re.IGNORECASE
)
_SCHEMES = {"fxp": "ftp", "meow": "http", "xxxx": "http"}


def refang(text: str) -> str:
    """Undo the usual ways of making an indicator unclickable.

    Text that was never defanged comes back as it is, but for surrounding white
    space. IPv6 brackets stay.

    >>> refang("hxxps://evil[.]example[.]org/a")
    'https://evil.example.org/a'
    >>> refang("203.0.113[.]7[:]443")
    '203.0.113.7:443'
    >>> refang("[2001:db8::1]:443")
    '[2001:db8::1]:443'
    """
    text = text.strip()
    text = _BRACKETED.sub(lambda m: _WORDS.get(m["what"].lower(), m["what"]), text)
    scheme = _SCHEME.match(text)
    if scheme:
        name = scheme["name"].lower()
        plain = _SCHEMES.get(name) or re.sub(r"^h..p", "http", name)
        text = f"{plain}://{text[scheme.end() :]}"
    # "a\.b" is how regex lists write a dot; a backslash before anything else is data.
    return text.replace("\\.", ".") if "://" not in text else text


def defang(text: str) -> str:
    """Return ``text`` so that no client makes a link of it.

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
    host = host.replace(".", "[.]")
    return re.sub(r"(?i)^http", "hxxp", scheme) + host + tail
