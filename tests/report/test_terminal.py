"""Names from outside are shown as they are, in a terminal of any encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from audeo_bench.report.terminal import stdout, table


@pytest.mark.parametrize("name", ["[red]x.py", "[/x]", ":smile:", "[link=http://x]y[/link]"])
def test_markup_in_names_is_text(capsys: pytest.CaptureFixture[str], name: str) -> None:
    made = table(f"title {name}", "System", caption=f"caption {name}")
    made.add_row(name)
    stdout().print(made)
    assert capsys.readouterr().out.count(name) == 3


def test_escape_sequences_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("title", "System")
    made.add_row("\x1b[31mred\x07")
    stdout().print(made)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert r"\x1b[31mred\x07" in shown


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
@pytest.mark.parametrize(
    "arguments",
    [("data", "list"), ("fidelity",), ("compare", "\udcff\x1b[31m.json", "\u00e9.json")],
    ids=lambda arguments: arguments[0],
)
def test_an_ascii_terminal_is_enough(locale: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audeo_bench", *map(os.fsencode, arguments)],
        env={**os.environ, "PYTHONCOERCECLOCALE": "0", **locale},
        capture_output=True,
        check=False,
    )
    assert done.returncode == (2 if arguments[0] == "compare" else 0), done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
