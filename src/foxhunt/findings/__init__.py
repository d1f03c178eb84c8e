"""Findings: identity, verdict, severity, coverage."""

from foxhunt.findings.identity import finding_id
from foxhunt.findings.model import (
    Coverage,
    CoverageStatus,
    ExclusionUse,
    Finding,
    HuntResult,
    Match,
    Severity,
    Verdict,
)
from foxhunt.findings.policy import severity_of, verdict_of
from foxhunt.indicators.validity import ValidityPolicy
from foxhunt.rules import MatchKind

__all__ = [
    "Coverage",
    "CoverageStatus",
    "ExclusionUse",
    "Finding",
    "HuntResult",
    "Match",
    "MatchKind",
    "Severity",
    "ValidityPolicy",
    "Verdict",
    "finding_id",
    "severity_of",
    "verdict_of",
]
