"""Engines: run a rule over logs. Local files on DuckDB for now; `Outcome` is the seam.

KQL by hand is in `foxhunt.engines.query`: its parser takes as long to import as all the rest,
and a hunt has no use for it.
"""

from foxhunt.engines.aggregate import collect_findings, timeline
from foxhunt.engines.correlation import witnessed_facts
from foxhunt.engines.coverage import coverage_of
from foxhunt.engines.facts import fact_columns
from foxhunt.engines.listings import fold_listings
from foxhunt.engines.local import LocalEngine, Outcome, TimeRange
from foxhunt.engines.suppression import exclusion_uses, suppress, take_back

__all__ = [
    "LocalEngine",
    "Outcome",
    "TimeRange",
    "collect_findings",
    "coverage_of",
    "exclusion_uses",
    "fact_columns",
    "fold_listings",
    "suppress",
    "take_back",
    "timeline",
    "witnessed_facts",
]
