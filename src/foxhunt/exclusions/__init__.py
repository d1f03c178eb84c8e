"""Exclusions: what was judged benign, by whom, why and until when. So far the five scenarios."""

from foxhunt.exclusions.scenarios import Scenario, scenarios

__all__ = ["Scenario", "scenarios"]
