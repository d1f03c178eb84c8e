"""Rules: what is looked for where, and what a match means."""

from foxhunt.rules.building import build_rule, build_rules
from foxhunt.rules.evaluator import Hit, evaluate
from foxhunt.rules.matching import (
    ANSWER_SEPARATORS,
    TYPES_MET,
    MatchKind,
    has_term,
    match,
    term_value,
)
from foxhunt.rules.model import AnyOf, MatchMode, Observes, Rule, Search

__all__ = [
    "ANSWER_SEPARATORS",
    "TYPES_MET",
    "AnyOf",
    "Hit",
    "MatchKind",
    "MatchMode",
    "Observes",
    "Rule",
    "Search",
    "build_rule",
    "build_rules",
    "evaluate",
    "has_term",
    "match",
    "term_value",
]
