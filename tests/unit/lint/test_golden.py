"""A file of each format with mistakes: what is said of it, with Microsoft's parser and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.lint import lint_paths
from tests.conftest import PACKAGE
from tests.golden_files import GOLDEN, check

CASES = (
    "hunt.kql",
    "analytic.yaml",
    "hunting.yaml",
    "template.json",
    "detection.json",
    "rule.bicep",
)


@pytest.mark.parametrize("judge", ["microsoft", "offline"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_said(
    case: str, judge: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = PACKAGE if judge == "microsoft" else tmp_path / "none"
    monkeypatch.setenv("FOXHUNT_KUSTO", str(package))
    monkeypatch.chdir(GOLDEN / "lint")
    report = lint_paths([case])
    lines = [
        f"{one.at}: {one.code} {one.level}: {one.message} ({one.fix})\n" for one in report.issues
    ]

    assert lines
    check(f"lint/{case}.{judge}.txt", "".join(lines))


def test_no_input_is_left_out() -> None:
    inputs = {path.name for path in (GOLDEN / "lint").iterdir() if path.suffix != ".txt"}

    assert inputs == set(CASES)


PIECES = (
    *("'", '"', "\\", "{", "}", "[", "]", "(", ")", "|", ";", "\n\n", "${", "'''", "\\u{", "\t"),
    *("\\ud800", ": ", "- ", "&a ", "*a", "!!x ", "\0", "null", "1e999", "let x = ", "\u2028"),
)


@given(data=st.data(), case=st.sampled_from(CASES))
def test_a_broken_file_is_judged_or_refused_and_never_a_traceback(
    data: st.DataObject, case: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """That Microsoft's parser is not there keeps it fast; it only sees text."""
    text = (GOLDEN / "lint" / case).read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 40)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    path = tmp_path_factory.mktemp("broken") / f"a{Path(case).suffix}"
    path.write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FOXHUNT_KUSTO", str(path))
        report = lint_paths([str(path)])

    lines = text.count("\n") + 1
    assert all(one.at.line is None or 1 <= one.at.line <= lines for one in report.issues)
