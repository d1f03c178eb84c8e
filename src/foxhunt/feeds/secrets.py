"""The key of a feed: where it comes from, and that it is never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from foxhunt.errors import FeedKeyError, UsageError

KEY_VARIABLE = "FOXHUNT_THREATFOX_KEY"
EXPIRY_VARIABLE = "FOXHUNT_THREATFOX_KEY_EXPIRES"
KEYRING_SERVICE, KEYRING_USER = "foxhunt", "threatfox"
HIDDEN = "<key>"

# Keys of abuse.ch are letters and digits (2026). Anything visible is let through to the server,
# which judges; a line break would be a header of its own. Shorter than eight characters it would
# be hidden in the middle of ordinary words.
_KEY = re.compile(r"[\x21-\x7e]{8,256}")


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that neither `str`, `repr` nor a format string shows; take `value` where it is sent.

    Attributes:
        value: 8 to 256 visible ASCII characters.

    Raises:
        ValueError: It is anything else.
    """

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.value):
            raise ValueError("a key is 8 to 256 visible ASCII characters")


def redact(text: str, secret: Secret | None) -> str:
    """Return ``text`` without the key, as it is or as a URL spells it.

    Every word that a server or a library says goes through here before it becomes part of an
    error or of a message.

    >>> redact("GET /v2/files/exports/abcdef0123/full.csv.zip", Secret("abcdef0123"))
    'GET /v2/files/exports/<key>/full.csv.zip'
    """
    if secret is None:
        return text
    value = secret.value
    spellings = {value, quote(value, safe=""), quote(value), quote_plus(value)}
    # The longest first: a shorter spelling may be a part of it.
    for spelling in sorted(spellings, key=len, reverse=True):
        text = re.sub(re.escape(spelling), HIDDEN, text, flags=re.IGNORECASE)
    return text


def shown(text: str, secret: Secret | None, length: int = 80) -> str:
    """Return ``text`` without the key, then shortened: cut in two, a key would not be known."""
    return redact(text, secret)[:length]


def threatfox_key(environ: Mapping[str, str]) -> Secret | None:
    """The key of abuse.ch: from the environment, else from the desktop's keyring.

    Args:
        environ: ``os.environ``.

    Returns:
        None if neither has one: the recent exports need none.

    Raises:
        UsageError: What is there cannot be a key.
        FeedKeyError: There is a keyring, but it cannot be read.
    """
    given = environ.get(KEY_VARIABLE, "").strip()
    if given:
        return _secret(given, KEY_VARIABLE)
    kept = (_from_keyring() or "").strip()
    return _secret(kept, f"the keyring's entry {KEYRING_SERVICE}/{KEYRING_USER}") if kept else None


def _secret(text: str, where: str) -> Secret:
    try:
        return Secret(text)
    except ValueError as error:
        # Not the text itself: a key with a typing error is nearly the key.
        raise UsageError(
            f"{where} holds no key: {error}", hint="copy it from https://auth.abuse.ch/"
        ) from None


def _from_keyring() -> str | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:  # an optional dependency: the environment will do
        return None
    reason: str
    try:
        return keyring.get_password(KEYRING_SERVICE, KEYRING_USER)
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as error:
        reason = str(error) or type(error).__name__
    raise FeedKeyError(
        f"the keyring cannot be read: {reason}",
        hint=f"unlock it, or put the key into {KEY_VARIABLE}",
    )
