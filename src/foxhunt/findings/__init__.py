"""Findings: identity, verdict, severity, coverage."""

from foxhunt.findings.model import (
    Coverage,
    CoverageStatus,
    ExclusionUse,
    Finding,
    HuntResult,
    Match,
    MatchKind,
    Severity,
    Verdict,
)

__all__ = [
    "Coverage",
    "CoverageStatus",
    "ExclusionUse",
    "Finding",
    "HuntResult",
    "Match",
    "MatchKind",
    "Severity",
    "Verdict",
]
