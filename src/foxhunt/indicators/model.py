"""What an indicator is: a canonical value that one feed asserts about one malware family."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class IndicatorType(StrEnum):
    """ThreatFox's closed list of ``ioc_type`` (API query ``types``, 2026), in its spelling."""

    IP_PORT = "ip:port"
    DOMAIN = "domain"
    URL = "url"
    MD5 = "md5_hash"
    SHA1 = "sha1_hash"
    SHA256 = "sha256_hash"
    SHA3_384 = "sha3_384_hash"
    ENVELOPE_FROM = "envelope_from"
    BODY_FROM = "body_from"

    @property
    def is_hash(self) -> bool:
        """Whether values of this type are file hashes."""
        return self.value.endswith("_hash")

    @property
    def is_huntable(self) -> bool:
        """Whether any table can show a value of this type (DESIGN 3)."""
        return self not in _NO_TABLE_SHOWS


_NO_TABLE_SHOWS = frozenset(
    {IndicatorType.SHA3_384, IndicatorType.ENVELOPE_FROM, IndicatorType.BODY_FROM}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator as asserted by one feed; fields keep ThreatFox's spelling.

    The same value from two feeds, or twice from one, is two indicators: who said
    it, of which family and when is part of what an analyst weighs. Identity is
    ``(source, source_id)``.

    Attributes:
        type: What kind of observable ``value`` is.
        value: Canonical text, never defanged; see `foxhunt.indicators.parse`.
        source: Feed name, e.g. ``"threatfox"``.
        source_id: The feed's own id, as text.
        threat_type: ``botnet_cc``, ``payload_delivery``, ``payload``, ``cc_skimming`` or new.
        malware: Malpedia label, e.g. ``"win.cobalt_strike"``.
        malware_printable: The family's name as people write it.
        malware_alias: Other names of the family.
        confidence_level: The feed's own confidence, 0 to 100 inclusive.
        first_seen: When the feed first saw it; aware, UTC.
        last_seen: When it last saw it, or None; aware, UTC.
        reference: A URL of the reporter's, or None; hostile text, never fetched.
        reporter: Who reported it, or None.
        tags: The reporter's tags.
        is_compromised: Whether the host is a victim's. Says nothing about being benign.

    Raises:
        ValueError: ``confidence_level`` out of range, or a time that is not aware UTC.
    """

    type: IndicatorType
    value: str
    source: str
    source_id: str
    threat_type: str
    malware: str
    malware_printable: str
    malware_alias: tuple[str, ...] = ()
    confidence_level: int
    first_seen: datetime
    last_seen: datetime | None = None
    reference: str | None = None
    reporter: str | None = None
    tags: tuple[str, ...] = ()
    is_compromised: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.confidence_level <= 100:
            raise ValueError(f"confidence_level must be 0..100, got {self.confidence_level}")
        for name in ("first_seen", "last_seen"):
            time = getattr(self, name)
            # A naive time fails only when first compared with a log's time, far from here.
            if time is not None and time.utcoffset() != timedelta(0):
                raise ValueError(f"{name} must be aware UTC, got {time!r}")


@dataclass(frozen=True, slots=True)
class Retraction:
    """What a feed says of an indicator that it told of before: it is one no more.

    Attributes:
        source: The feed.
        source_id: Its id of the indicator.
        why: In its own word, e.g. ``"revoked"``.
        at: When, by its own time; aware, UTC; None if it does not say.
    """

    source: str
    source_id: str
    why: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A feed's record that is no indicator, and why; kept and counted, never hunted.

    Attributes:
        source_id: The feed's id of the record.
        value: The value as the feed spelled it, shortened to 200 characters.
        type: The type as the feed spelled it.
        reason: ``code: what is wrong``.
        source: The feed.
        retracted_at: When the feed took it back, by its own time, if that is why; aware, UTC.
    """

    source_id: str
    value: str
    type: str
    reason: str
    source: str = "threatfox"
    retracted_at: datetime | None = None
