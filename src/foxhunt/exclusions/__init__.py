"""Exclusions: what was judged benign, by whom, why and until when."""

from foxhunt.exclusions.benign import builtin_labels, label_indicators
from foxhunt.exclusions.evaluator import can_hold, condition_holds, holds
from foxhunt.exclusions.fplist import FPLIST_ID, FalsePositives, read_fplist
from foxhunt.exclusions.lint import lint
from foxhunt.exclusions.lint_one import Remark, lint_one
from foxhunt.exclusions.model import (
    CORRELATED,
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
from foxhunt.exclusions.parsing import parse_pattern
from foxhunt.exclusions.reading import read_exclusions
from foxhunt.exclusions.scenarios import Scenario, scenarios
from foxhunt.exclusions.warninglists import WarningLists, load_warninglists

__all__ = [
    "CORRELATED",
    "FPLIST_ID",
    "AllOf",
    "AnyOf",
    "Condition",
    "Exclusion",
    "ExclusionSet",
    "FalsePositives",
    "NotOf",
    "Predicate",
    "Remark",
    "Scenario",
    "Scope",
    "WarningLists",
    "builtin_labels",
    "can_hold",
    "condition_holds",
    "conditions",
    "holds",
    "label_indicators",
    "lint",
    "lint_one",
    "load_warninglists",
    "parse_pattern",
    "read_exclusions",
    "read_fplist",
    "scenarios",
]
