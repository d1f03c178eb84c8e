"""What content is made of, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from foxhunt.backends import Delivery, Emission, Query, get_backend
from foxhunt.exclusions import Exclusion
from foxhunt.indicators import Indicator
from foxhunt.rules import Rule

FIRST_VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class ContentFile:
    """One file to deploy.

    Attributes:
        name: Its name in the family's folder, such as ``suricata.rules``.
        text: All of it; ends with a line break.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """An indicator that was taken back, which is for good.

    Attributes:
        indicator: Which.
        at: When, aware, or None if nobody says.
    """

    indicator: Indicator
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A rule, and how its user wants it.

    Attributes:
        rule: Of one family.
        exclusions: Those that travel in its queries.
        delivery: How queries get their indicators.
        data_url: Address of the folder that ``externaldata`` reads from, or None.
        lookback: How far back a query of its own looks.
        revoked: What the family had once, and the rule has no more.
        versions: File name to the version it is to carry; others carry `FIRST_VERSION`.
        memo: What formats share, such as queries by how they are said; made once.
    """

    rule: Rule
    exclusions: tuple[Exclusion, ...] = ()
    delivery: Delivery = Delivery.AUTO
    data_url: str | None = None
    lookback: timedelta = timedelta(days=30)
    revoked: tuple[Revoked, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    memo: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def queries(self, emission: Emission) -> tuple[Query, ...]:
        """The rule's KQL.

        Raises:
            UnsupportedError: A value of it cannot be said in KQL, or a text gets too long.
        """
        if emission not in self.memo:
            compiled = get_backend("kql").compile_rule(self.rule, self.exclusions, emission)
            self.memo[emission] = tuple(compiled)
        # The memo is of anybody's values; under an emission is what was put there.
        return cast(tuple[Query, ...], self.memo[emission])

    def version(self, name: str) -> str:
        """The version that the file called ``name`` carries."""
        return self.versions.get(name, FIRST_VERSION)
