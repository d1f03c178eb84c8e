"""`foxhunt doctor`: its exit code says how bad it is, and it prints what scripts can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from foxhunt.cli.doctor_command import doctor_command
from foxhunt.indicators import IndicatorSet, IndicatorStore

APP = typer.Typer()
APP.command()(doctor_command)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXHUNT_HOME", str(tmp_path))
    monkeypatch.setenv("FOXHUNT_KUSTO", "/nowhere")  # V8 takes a second to load
    monkeypatch.delenv("FOXHUNT_THREATFOX_KEY", raising=False)
    monkeypatch.setenv("FOXHUNT_THREATFOX_EXPORTS", "http://127.0.0.1:9/")


def test_an_empty_store_is_a_warning() -> None:
    ran = CliRunner().invoke(APP, ["--offline", "--format", "json"])

    assert ran.exit_code == 1
    document = json.loads(ran.stdout)
    assert (document["schema"], document["worst"]) == ("foxhunt.doctor/1", "warn")
    assert {check["level"] for check in document["checks"]} == {"ok", "warn", "skipped"}


def test_what_fails_is_incomplete(tmp_path: Path) -> None:
    IndicatorStore(tmp_path).merge(IndicatorSet.of(()))
    (tmp_path / "indicators" / "current").write_text("nonsense\n")

    ran = CliRunner().invoke(APP, ["--offline"])

    assert ran.exit_code == 3
    assert "fail    store: H202: not a snapshot's name" in ran.stdout
