"""`foxhunt hunt` as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import jsonschema
import pytest

from foxhunt.reports import load_schema

from .running import foxhunt


def test_open_findings_are_exit_code_1_and_defanged(tmp_path: Path, feed: str, logs: Path) -> None:
    ran = foxhunt("hunt", str(logs), "--indicators", feed, home=tmp_path)

    assert ran.code == 1
    assert "1 open finding on 1 host" in ran.out
    assert "texornacu[.]com" in ran.out
    assert "10.0.0.5" in ran.out
    assert "evil" not in ran.out
    assert "quarantined" in ran.err


def test_json_is_what_the_schema_says(tmp_path: Path, feed: str, logs: Path) -> None:
    events = tmp_path / "events.ndjson"
    arguments = ("--indicators", feed, "--format", "json", "--events", str(events))

    ran = foxhunt("hunt", str(logs), *arguments, home=tmp_path)

    result = json.loads(ran.out)
    jsonschema.validate(result, load_schema("hunt-1"))
    (finding,) = result["findings"]
    assert (finding["match"], finding["host"], finding["events"]) == ("exact", "10.0.0.5", 2)
    assert finding["observed"] == ["TEXORNACU.COM.", "c2.texornacu.com"]
    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        jsonschema.validate(line, load_schema("events-1"))
    assert [(line["row"], line["match"]) for line in lines] == [(1, "subdomain"), (2, "exact")]
    assert {line["finding"] for line in lines} == {finding["id"]}


def test_a_log_that_is_long_enough_to_be_sifted_gives_what_a_short_one_does(
    tmp_path: Path, feed: str
) -> None:
    duckdb.execute(
        "COPY (SELECT TIMESTAMP '2026-06-01 10:00:00' AS TimeGenerated, 'A' AS QueryType, "
        "'10.0.0.5' AS ClientIP, CASE i WHEN 7 THEN 'TEXORNACU.COM.' WHEN 999999 THEN "
        "'c2.texornacu.com' WHEN 9 THEN 'xtexornacu.com' ELSE i || '.example.org' END AS Name "
        f"FROM range(1000000) t(i)) TO '{tmp_path / 'dns.parquet'}' (FORMAT parquet)"
    )

    ran = foxhunt(
        *("hunt", str(tmp_path / "dns.parquet"), "--format", "json"),
        *("--indicators", feed),
        home=tmp_path,
    )

    (finding,) = json.loads(ran.out)["findings"]
    assert [row["_row"] for row in finding["rows"]] == [8, 1_000_000]


def test_term_mode_finds_the_look_alikes_too(tmp_path: Path, feed: str, logs: Path) -> None:
    ran = foxhunt(
        "hunt",
        str(logs),
        "--indicators",
        feed,
        "--match",
        "term",
        "--format",
        "json",
        home=tmp_path,
    )

    (finding,) = json.loads(ran.out)["findings"]
    assert (finding["match"], finding["events"]) == ("term", 4)


def test_nothing_found_is_exit_code_0_and_says_it_looked(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    ran = foxhunt(
        "hunt", str(logs), "--indicators", feed, "--until", "2026-06-01T10:00:00", home=tmp_path
    )

    assert ran.code == 0
    assert "Looked and found nothing" in ran.out


def test_an_unreadable_file_is_exit_code_3_beside_findings(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    (logs / "odd.bin").write_bytes(b"\x00\x01\x02 no log")

    ran = foxhunt("hunt", str(logs), "--indicators", feed, home=tmp_path)

    assert ran.code == 3
    assert "INCOMPLETE" in ran.out
    assert "odd.bin" in ran.out
    assert "texornacu[.]com" in ran.out


def test_no_data_for_the_indicators_is_not_a_clean_hunt(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    ran = foxhunt("hunt", str(logs), "--indicators", feed, "--family", "AsyncRAT", home=tmp_path)

    assert ran.code == 3
    assert "DID NOT LOOK" in ran.out or "INCOMPLETE" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no indicators|foxhunt sync"),
        (("--indicators", "missing.json"), "missing.json"),
        (("--indicators", "FEED", "--family", "Unknown RTA"), "did you mean 'Unknown RAT'"),
        (("--indicators", "FEED", "--since", "yesterday"), "--since 'yesterday' is no day or time"),
        (("--indicators", "FEED", "--table", "DnsEvents"), "is not NAME=PATH"),
        (("--indicators", "FEED", "--table", "Dns=LOGS"), "unknown table 'Dns'"),
        (("--indicators", "FEED", "--format", "xml"), "'xml' is not one of"),
        (
            ("--indicators", "FEED", "--until", "2026-01-01", "--since", "2026-01-02"),
            "nothing lies",
        ),
        (("--indicators", "FEED", "missing/"), "missing/"),
        (("--indicators", "FEED", "--out", "no/such/folder.html"), "cannot write"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(
    tmp_path: Path, feed: str, logs: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = [a.replace("FEED", feed).replace("LOGS", str(logs)) for a in arguments]

    ran = foxhunt("hunt", str(logs), *given, home=tmp_path)

    assert ran.code == 2
    assert re.search(message, ran.err)
    assert ran.out == ""
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("format_name", ["table", "json", "ndjson", "csv", "md", "html"])
def test_every_format_goes_to_a_file_whole(
    tmp_path: Path, feed: str, logs: Path, format_name: str
) -> None:
    out = tmp_path / f"report.{format_name}"

    ran = foxhunt(
        "hunt", str(logs), "--indicators", feed, "--format", format_name, "--out", str(out),
        home=tmp_path,
    )  # fmt: skip

    assert (ran.code, ran.out) == (1, "")
    assert "texornacu" in out.read_text("utf-8")
    assert not list(tmp_path.glob(".report*"))


def test_a_reader_that_closes_the_pipe_does_not_change_the_exit_code(
    tmp_path: Path, feed: str, logs: Path
) -> None:
    command = "from foxhunt.cli import main; main()"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", command, "hunt", str(logs), "--indicators", feed],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_ctrl_c_ends_cleanly_and_leaves_nothing_half_done(tmp_path: Path, feed: str) -> None:
    big = tmp_path / "big.csv"
    with big.open("w") as out:
        out.write("TimeGenerated,Computer,Name,QueryType\n")
        for number in range(1_500_000):
            out.write(f"2026-06-01T10:00:00Z,DC{number % 7},n{number}.a{number}.org,A\n")
    report = tmp_path / "report.html"
    arguments = ["hunt", str(big), "--indicators", feed, "--format", "html", "--out", str(report)]
    process = subprocess.Popen(
        [sys.executable, "-c", "from foxhunt.cli import main; main()", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert b"Traceback" not in err, err
    assert process.returncode in (130, 0), err  # 0: a machine that was done before the signal
    assert report.exists() is (process.returncode == 0)


def test_a_terminal_gets_colour_and_a_pipe_does_not(tmp_path: Path, feed: str, logs: Path) -> None:
    main, side = pty.openpty()
    code = "from foxhunt.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "hunt", str(logs), "--indicators", feed],
        stdout=side,
        stderr=subprocess.DEVNULL,
    )
    os.close(side)
    chunks = []
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # Linux ends a pseudo-terminal with EIO
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(main)

    assert process.wait(60) == 1
    assert b"\x1b[" in b"".join(chunks)
    assert "\x1b[" not in foxhunt("hunt", str(logs), "--indicators", feed, home=tmp_path).out


@pytest.mark.parametrize(
    ("fault", "code"), [("MemoryError('no room')", 3), ("KeyboardInterrupt()", 130)]
)
def test_a_fault_of_ours_is_not_open_findings(fault: str, code: int) -> None:
    """Python itself ends with 1, which scripts read as a finding."""
    text = (
        "import foxhunt.cli, foxhunt.cli.app\n"
        f"def broken(**_): raise {fault}\n"
        "foxhunt.cli.app.app = broken\nfoxhunt.cli.main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, check=False, timeout=60)

    assert ran.returncode == code
    assert (b"nothing was evaluated to its end" in ran.stderr) is (code == 3)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is honoured by Linux")
def test_a_hunt_runs_with_two_gigabytes_of_addresses(tmp_path: Path, feed: str, logs: Path) -> None:
    """As ``ulimit -v`` sets them; Arrow and DuckDB would reserve more than they use."""
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2_000 << 20,) * 2); "
        "from foxhunt.cli import main; main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", limited, "hunt", str(logs), "--indicators", feed],
        capture_output=True,
        check=False,
        timeout=120,
        env=os.environ | {"FOXHUNT_HOME": str(tmp_path / "store")},
    )

    assert done.returncode == 1, done.stderr.decode()[-2000:]
    assert "1 open finding" in done.stdout.decode()
