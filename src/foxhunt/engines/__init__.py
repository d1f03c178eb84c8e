"""Engines: run a rule over logs. Local files on DuckDB for now; `Outcome` is the seam."""

from foxhunt.engines.aggregate import collect_findings, timeline
from foxhunt.engines.correlation import witnessed_facts
from foxhunt.engines.coverage import coverage_of
from foxhunt.engines.facts import fact_columns
from foxhunt.engines.local import LocalEngine, Outcome, TimeRange
from foxhunt.engines.query import Rows, create_tables, run_query
from foxhunt.engines.suppression import exclusion_uses, suppress, take_back

__all__ = [
    "LocalEngine",
    "Outcome",
    "Rows",
    "TimeRange",
    "collect_findings",
    "coverage_of",
    "create_tables",
    "exclusion_uses",
    "fact_columns",
    "run_query",
    "suppress",
    "take_back",
    "timeline",
    "witnessed_facts",
]
