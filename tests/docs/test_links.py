"""Links between the documents lead somewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A link of Markdown, inline or by reference; code spans and blocks are no links.
_LINK = re.compile(
    r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.M
)
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_CODE_BLOCK = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def documents() -> list[Path]:
    """Every Markdown file of the repository, in git or not yet; golden pages are data."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    golden = ROOT / "tests" / "golden"
    return [path for path in paths if path.is_file() and golden not in path.parents]


DOCUMENTS = documents()


def links_of(text: str) -> list[str]:
    return [inline or reference for inline, reference in _LINK.findall(_CODE.sub("", text))]


def anchors_of(text: str) -> set[str]:
    """Anchors as code hosts make them of headings: lower case, blanks as hyphens, no marks."""
    headings = re.findall(r"^#+ (.+)$", _CODE_BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.strip().lower()).replace(" ", "-") for one in headings}


def test_there_are_documents_and_links() -> None:
    names = {str(path.relative_to(ROOT)) for path in DOCUMENTS}

    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/errors.md"} <= names
    assert sum(len(links_of(path.read_text("utf-8"))) for path in DOCUMENTS) >= 3


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(path: Path) -> None:
    broken = []
    for link in links_of(path.read_text("utf-8")):
        if _EXTERNAL.match(link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        is_there = file.exists() and (file == ROOT or ROOT in file.parents)
        if is_there and anchor and file.suffix == ".md":
            is_there = anchor in anchors_of(file.read_text("utf-8"))
        if not is_there:
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ('see [a](docs/a.md) and [b](b.md#c "t")', ["docs/a.md", "b.md#c"]),
        ("`[a](x.md)`\n```\n[b](y.md)\n```\n", []),
        ("[a]: z.md\n", ["z.md"]),
        ("![image](i.png)", ["i.png"]),
    ],
)
def test_links_are_found(text: str, links: list[str]) -> None:
    assert links_of(text) == links
