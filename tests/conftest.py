"""What the whole suite shares: the hypothesis profile, real data, Microsoft's parser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from foxhunt.lint.kusto import Kusto
from foxhunt.tables import catalog

PACKAGE = Path(__file__).parents[1] / ".tools" / "node_modules" / "@kusto" / "language-service-next"
SHARED = Path(__file__).parents[2] / "shared"

# Examples are timed on busy machines, so neither a slow example nor a slow draw is a failure.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _UNTIMED)
# Derandomised, so that a red build is red again when somebody looks into it.
settings.register_profile("ci", settings(_UNTIMED, derandomize=True, print_blob=True))
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real feeds, logs and benign lists, which lies beside the repository."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_schemas() -> Path:
    """Folder of Microsoft's table schemas, likewise."""
    return _shared("schemas")


def _shared(name: str) -> Path:
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"REAL DATA NOT TESTED: no folder ../shared/{name} beside the repository")
    return path


@pytest.fixture(scope="session")
def kusto() -> Kusto:
    """Microsoft's KQL parser over the tables of the catalog.

    It fails where the package is not installed: a query that nobody judged is not a valid one.
    """
    if not PACKAGE.is_dir():
        pytest.fail("Microsoft's KQL parser is not installed: run `make kusto`")
    return Kusto({name: table.columns for name, table in catalog().items()}, PACKAGE)
