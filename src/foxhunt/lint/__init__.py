"""Lint of hunting content: anyone's KQL, Sentinel's YAML and ARM, Bicep, Defender's JSON."""

from foxhunt.lint.model import Issue, Level, Report
from foxhunt.lint.run import lint_paths

__all__ = ["Issue", "Level", "Report", "lint_paths"]
