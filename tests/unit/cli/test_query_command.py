"""`foxhunt query` with a long list: the note, and the option that switches it off."""

from __future__ import annotations

import json
from pathlib import Path

from .running import foxhunt

LISTED = ", ".join(f'"m{number}.com"' for number in range(40)) + ', "evil.com"'


def test_a_long_list_is_noted_and_plain_gives_the_same_rows(tmp_path: Path) -> None:
    log = tmp_path / "dns.json"
    rows = [
        {"Type": "DnsEvents", "TimeGenerated": f"2026-06-01T10:00:0{at}Z", "Name": name}
        for at, name in enumerate(("c2.Evil.com", "notevil.com", "m1.com.org", ""))
    ]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = (
        f"let bad = dynamic([{LISTED}]);\nDnsEvents | where Name has_any (bad)\n"
        "| project Name | order by Name asc"
    )

    fast = foxhunt("query", text, str(log), "--format", "csv", home=tmp_path)
    plain = foxhunt("query", text, str(log), "--format", "csv", "--plain", home=tmp_path)

    assert (fast.code, fast.out) == (0, "Name\r\nc2.Evil.com\r\nm1.com.org\r\n")
    assert (plain.code, plain.out) == (fast.code, fast.out)
    assert fast.err == "over distinct values: Name has_any with 41 values (--plain: row by row)\n"
    assert plain.err == ""
