"""Suricata itself loads every rule, in the order and from the folder in which it is shipped."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import families
from tests.unit.content.test_suricata import files_of

# As little as Suricata 7.0.10 wants to be told: no file of the machine has a say.
_CONFIG = """%YAML 1.1
---
vars:
  address-groups: {HOME_NET: "[10.0.0.0/8]"}
classification-file: {folder}/classification.config
reference-config-file: {folder}/reference.config
threshold-file: {folder}/threshold.config
"""
_CLASSES = "config classification: trojan-activity,A Network Trojan was detected,1\n"
_REFERENCES = "config reference: url http://\n"


@pytest.fixture
def suricata(tmp_path: Path) -> list[str]:
    """The command that tests rules, without the file of rules."""
    program = shutil.which("suricata")
    if program is None:
        pytest.skip(
            "RULES NOT LOADED: suricata is missing (Debian: bookworm-backports, Ubuntu: suricata)"
        )
    config = tmp_path / "suricata.yaml"
    config.write_text(_CONFIG.replace("{folder}", str(tmp_path)))
    (tmp_path / "classification.config").write_text(_CLASSES)
    (tmp_path / "reference.config").write_text(_REFERENCES)
    (tmp_path / "threshold.config").write_text("")
    return [program, "-T", "-v", "-c", str(config), "-l", str(tmp_path), "-S"]


def loaded(suricata: list[str], rules: Path) -> tuple[int, str]:
    """How many rules it loads of a file, and all that it says."""
    run = subprocess.run(  # what `which` found, and files of our own
        [*suricata, str(rules)], capture_output=True, text=True, check=False, timeout=60
    )
    said = run.stdout + run.stderr
    found = re.search(r"([0-9]+) rules successfully loaded, 0 rules failed", said)
    assert run.returncode == 0, said
    assert found is not None, said
    return int(found[1]), said


@pytest.mark.parametrize("name", ["every_type", "hostile"])
def test_suricata_loads_every_rule(name: str, suricata: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "family"
    folder.mkdir()
    files = files_of(getattr(families, name)())
    for file, text in files.items():
        (folder / file).write_text(text)
    rules = [x for x in files["suricata.rules"].splitlines() if not x.startswith("#")]

    count, _ = loaded(suricata, folder / "suricata.rules")

    assert count == len(rules) > 0


def test_suricata_refuses_what_is_wrong(suricata: list[str], tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    wrong = tmp_path / "wrong.rules"
    good = files_of(families.unknown_rat())["suricata.rules"].splitlines()
    wrong.write_text("\n".join([*good, 'alert tls any any -> any any (msg:"x"; no.such;)\n']))

    with pytest.raises(AssertionError):
        loaded(suricata, wrong)
