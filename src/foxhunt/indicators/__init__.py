"""Indicators: one canonical value an observable, and sets of them."""

from foxhunt.home import default_home
from foxhunt.indicators.addresses import canonical_address, parse_ip_port
from foxhunt.indicators.collection import IndicatorSet
from foxhunt.indicators.domains import canonical_name, is_shared, parents, unicode_name
from foxhunt.indicators.family import Family, families_named, matches_family, spelling_key
from foxhunt.indicators.fang import defang, refang
from foxhunt.indicators.hashes import canonical_hash
from foxhunt.indicators.merging import Difference
from foxhunt.indicators.model import Indicator, IndicatorType, Quarantined, Retraction
from foxhunt.indicators.parsing import parse
from foxhunt.indicators.snapshot import Snapshot
from foxhunt.indicators.store import IndicatorStore, Merge
from foxhunt.indicators.urls import UrlKey, continues_at_border, url_key

__all__ = [
    "Difference",
    "Family",
    "Indicator",
    "IndicatorSet",
    "IndicatorStore",
    "IndicatorType",
    "Merge",
    "Quarantined",
    "Retraction",
    "Snapshot",
    "UrlKey",
    "canonical_address",
    "canonical_hash",
    "canonical_name",
    "continues_at_border",
    "defang",
    "default_home",
    "families_named",
    "is_shared",
    "matches_family",
    "parents",
    "parse",
    "parse_ip_port",
    "refang",
    "spelling_key",
    "unicode_name",
    "url_key",
]
