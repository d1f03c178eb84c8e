"""Exclusions: what was judged benign, by whom, why and until when."""

from foxhunt.exclusions.evaluator import can_hold, condition_holds, holds
from foxhunt.exclusions.lint import Remark, lint
from foxhunt.exclusions.model import (
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    ExclusionSet,
    NotOf,
    Predicate,
    Scope,
    conditions,
)
from foxhunt.exclusions.patterns import parse_pattern
from foxhunt.exclusions.reading import read_exclusions
from foxhunt.exclusions.scenarios import Scenario, scenarios

__all__ = [
    "AllOf",
    "AnyOf",
    "Condition",
    "Exclusion",
    "ExclusionSet",
    "NotOf",
    "Predicate",
    "Remark",
    "Scenario",
    "Scope",
    "can_hold",
    "condition_holds",
    "conditions",
    "holds",
    "lint",
    "parse_pattern",
    "read_exclusions",
    "scenarios",
]
