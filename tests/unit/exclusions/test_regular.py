"""Files cut into pieces: what they say is what YAML says of them whole, or nothing is said."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from foxhunt import strict_yaml
from foxhunt.errors import ExclusionError
from foxhunt.exclusions import Exclusion, read_exclusions, reading
from foxhunt.exclusions.reading import _Pieces, _Reader
from foxhunt.exclusions.regular import cut_entries, cut_items
from foxhunt.strict_yaml import Mistake

FILE = """# of the SOC
exclusions:
  - id: a-0
    scenario: test-environment
    reason: "some: text"
    owner: soc@example.com
    expires: 2099-01-01
    scope: {families: ["*"], types: ["*"], tables: ["*"]}
    when:
      all:
        - source_ip: [10.0.0.0/24]
        - domain: [a.example.org]
  # between
  - id: a-1
    scenario: test-environment
    reason: |
      more
      lines
    owner: 'soc@example.com'
    expires: 2099-01-01  # a day
    within: 10m
    scope:
      families: ["*"]
      types:
        - "*"
      tables:
      - "*"
    when:
      all:
        - host: ["10.0.1.*", "ws-1"]
          user: x
        - any:
            - command_line: /a b/
            - not:
                process: psexec.exe

  - id: a-2
    scenario: test-environment
    reason: once
      more
    owner: soc@example.com
    expires: 2099-01-01
    scope: {families: ["*"], types: ["*"], tables: ["*"]}
    when:
      source_ip: [10.0.0.0/24]
"""
# What ends, begins or binds something in YAML, and lines that would be pieces elsewhere.
SNIPPETS = (
    *"\"'[]{}:,#-|>~?é0=\\ \t\r\x85\u2028\ufeff\x00\x07\n",
    *(": ", " # c", "\n\n", "    ", "\n    ", "\n        - ", "\n  - ", "- ", "&a ", "*a", "!t "),
    *("---\n", "...\n", "%YAML", "null", "id: x", "\n    owner: y", '\n    "owner": z'),
    *("\n        - host: h", "\n      any: x", "\n# c\n", "\n  # c\n", "\n         - x"),
    *("\n   ", "\n     ", "\n    - x", "change-me"),
)


def mutated(text: str, chance: random.Random) -> str:
    """The text with a snippet more, some characters or a line less, or a line elsewhere."""
    for _ in range(chance.choice((1, 1, 2))):
        at, lines = chance.randrange(len(text) + 1), text.split("\n")
        line = lines[chance.randrange(len(lines))]
        match chance.randrange(4):
            case 0 | 1:
                text = text[:at] + chance.choice(SNIPPETS) + text[at:]
            case 2:
                text = text[:at] + text[at + chance.randrange(1, 6) :]
            case _:
                lines.remove(line)
                if chance.random() < 0.7:
                    moved = chance.choice(("", " ", "  ")) + line.removeprefix(" ")
                    lines.insert(chance.randrange(len(lines) + 1), moved)
                text = "\n".join(lines)
    return text


def whole(text: str) -> tuple[list[Exclusion] | None, int]:
    """What is read of the file whole, None if there is a mistake in it; and how many nodes."""
    reader = _Reader("f")
    try:
        found = reader.read(text)
    except Mistake:
        return None, 0
    return (None if reader.mistakes else found), reader.nodes


def test_what_pieces_say_is_what_the_whole_says() -> None:
    chance, agreed = random.Random(4), 0  # noqa: S311  # nothing is kept secret

    for _ in range(1_500):
        text = mutated(FILE, chance)
        pieces = _Pieces("f")
        found = pieces.read(text)
        if found is not None:
            agreed += 1
            # As text too: where each is written, and the order of what it asks.
            assert (found, pieces.nodes, repr(found)) == (*whole(text), repr(whole(text)[0])), text

    assert agreed > 100


def test_a_usual_file_is_read_in_pieces() -> None:
    found = _Pieces("f").read(FILE)

    assert found is not None
    assert [(one.id, one.at.line, one.at.column) for one in found] == [
        ("a-0", 3, 5),
        ("a-1", 14, 5),
        ("a-2", 37, 5),
    ]


@pytest.mark.parametrize(
    "inserted",
    [
        "    owner: twice@example.com\n",
        "    colour: red\n",
        "    expires: 2099-01-01\n    - x\n",
        "...\n",
        "---\n",
        "\tx\n",
        "  x: y\n",
        "    reason: *a\n",
    ],
)
def test_a_mistake_is_left_to_who_can_name_it(inserted: str) -> None:
    before = "    expires: 2099-01-01\n"

    assert _Pieces("f").read(FILE.replace(before, inserted + before, 1)) is None


def test_a_quote_that_spans_fields_is_one_value_and_no_fields() -> None:
    text = FILE.replace("reason: once", 'reason: "a\n    within: 30m\n    b"')
    found, _ = whole(text)

    assert _Pieces("f").read(text) is None
    assert found is None  # and it is a mistake: `more` is left over


@pytest.mark.parametrize("id_", ["null", "~", "a: b", "A", "change-me", "a b"])
def test_an_id_that_is_none_is_not_taken_for_one(id_: str) -> None:
    assert _Pieces("f").read(FILE.replace("id: a-0", f"id: {id_}")) is None


@pytest.mark.parametrize("levels", range(10, 20))
def test_levels_are_counted_as_in_the_whole(levels: int) -> None:
    nested = "not: {" * levels + "host: x" + "}" * levels
    text = FILE.replace("domain: [a.example.org]", nested)

    assert (_Pieces("f").read(text) is None) == (whole(text)[0] is None)


def test_values_are_counted_as_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a piece that stands there twice is read once."""
    text = FILE + FILE[FILE.index("  - id: a-2") :].replace("a-2", "a-3")
    _, nodes = whole(text)
    for most, is_read in ((nodes, True), (nodes - 1, False)):
        monkeypatch.setattr(reading, "MAX_NODES", most)
        monkeypatch.setattr(strict_yaml, "MAX_NODES", most)

        assert (whole(text)[0] is not None) == is_read
        assert (_Pieces("f").read(text) is not None) == is_read


def test_other_layouts_are_not_cut() -> None:
    assert cut_entries("exclusions: []\n") is None
    assert cut_entries("exclusions:\n- id: a\n") is None
    assert cut_entries("exclusions:\n  -\n    id: a\n") is None
    assert cut_items("    when:\n      any:\n        - host: a") is None


def test_a_file_with_a_mistake_among_pieces_says_where(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(FILE.replace("user: x", "users: x"))

    with pytest.raises(ExclusionError, match=r"e\.yaml:31:11: H204: unknown field 'users'"):
        read_exclusions([str(path)])
