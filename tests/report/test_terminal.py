"""Names from outside are shown as they are, in a terminal of any encoding."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audeo_bench.leaderboards.identification import read_identifications
from audeo_bench.paper.fidelity import fidelity
from audeo_bench.report.boards import sheets
from audeo_bench.report.comparison import fidelity_tables
from audeo_bench.report.identification import table2
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import beside_paper, show, stdout, table

BOARDS = Path(__file__).parents[2] / "leaderboards"


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


SYSTEMS = ("video2roll+roll2midi", "resnet_aggregation_slope", "keywise+roll2midi")


def table1():
    made = table(
        "Table 1", "System", "Threshold", "Source", "Precision", "Recall", "Accuracy", "F1", "Frames/s"
    )
    for name in SYSTEMS:
        numbers = [beside_paper(value, -10.5) for value in (61.2, 65.6, 46.4, 56.4)]
        made.add_row(name, "0.4", "re-enacted", *numbers, "1,234")
    return made


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_names_are_whole_at_every_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    show([table1()])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    if width >= 80:
        assert all(name in text for name in SYSTEMS)
        assert "56.4  -10.5" in text
    assert ("Not shown at this width" in " ".join(text.split())) == (width < 110)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_name_is_not_folded_so_that_other_words_have_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    made = table("Table 1", "System", "Trained on", "F1")
    made.add_row(SYSTEMS[1], "akbari/train, simulated/wtc1-looks, audeo-films/wtc1 (19 of 21 films)", "56.4")
    show([made])
    text = capsys.readouterr().out
    assert all(name in text for name in (SYSTEMS[1], "akbari/train", "simulated/wtc1-looks"))


def groups() -> Sheet:
    made = table("F1 by register (%, micro, all 88 keys)", "System", *(f"octave {n}" for n in range(9)))
    made.add_row("resnet_aggregation_slope", *["98.7"] * 9)
    return made


def table_2() -> list[Sheet]:
    rows = [row for found in read_identifications(BOARDS) for row in found.rows]
    return [table2([row], "simulated", quick=False) for row in rows]


@pytest.mark.parametrize("width", [60, 79, 80, 81, 100, 120, 140])
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: sheets(BOARDS), id="boards"),
        pytest.param(lambda: [*fidelity_tables(fidelity(BOARDS))], id="fidelity"),
        pytest.param(table_2, id="table 2"),
        pytest.param(lambda: [table1(), groups()], id="table 1"),
    ],
)
def test_no_table_is_wider_than_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, made: Any
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for one in made():
        show([one])
        text = capsys.readouterr().out
        lines = [line.rstrip() for line in text.splitlines()]
        assert max(map(len, lines)) <= width
        assert {(line[0], line[-1]) for line in lines if line and line[0] in "┏┃┡│└├"} <= set(
            zip("┏┃┡│└├", "┓┃┩│┘┤", strict=True)
        )
        if isinstance(one, Sheet):
            said = set(re.sub("[┃│,.]", " ", text).split())
            notes = " ".join((one.title, one.caption or "", *one.headings))
            assert set(re.sub("[┃│,.]", " ", notes).split()) <= said


def test_a_long_name_is_folded_behind_a_sign(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    made = table("Table 1", "System", "F1", "reproduced")
    made.add_row("ResNet+Aggregation+slope [27]", "56.4", "61.5")
    show([made])
    text = capsys.readouterr().out
    assert re.search(r"│ ResNet\+ +│", text)
    assert re.search(r"│ Aggregation\+", text)


def test_several_tables_to_be_read_by_a_program_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("QUICK LOOK: Table 1 (simulated)", "System", "F1", caption="F1 in %.\nOf two.")
    made.add_row("mine\n3 training seeds", "56.4")
    show([made, made], "csv")
    one = "# QUICK LOOK: Table 1 (simulated)\n# F1 in %.\n# Of two.\nSystem,F1\n"
    one += '"mine, 3 training seeds",56.4\n'
    assert capsys.readouterr().out == f"{one}\n{one}"
    for form, caption in (
        ("markdown", "\n\nF1 in %.\nOf two.\n"),
        ("latex", r"\caption{QUICK LOOK: Table 1 (simulated). F1 in \%. Of two.}"),
    ):
        show([made], form)  # type: ignore[arg-type]
        shown = capsys.readouterr().out
        assert caption in shown
        assert "mine, 3 training seeds" in shown


def test_a_table_to_be_pasted_has_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    show([table1()], "csv")
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert title == "# Table 1"
    assert head == "System,Threshold,Source,Precision,Recall,Accuracy,F1,Frames/s"
    assert rows[0].startswith("video2roll+roll2midi,0.4,re-enacted,61.2  -10.5,")
    show([table1()], "markdown")
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |"
    assert r"| resnet\_aggregation\_slope | 0.4 |" in lines[5]
    show([table1()], "latex")
    latex = capsys.readouterr().out
    assert r"\begin{tabular}{lrlrrrrr}" in latex
    assert r"resnet\_aggregation\_slope & 0.4 & re-enacted" in latex
    assert latex.count(r" \\") == 4


@pytest.mark.parametrize("text", ["a & b_c", "50 % #1 $x$", "{~^\\}"])
def test_names_mean_nothing_to_latex(capsys: pytest.CaptureFixture[str], text: str) -> None:
    made = table("T", "System")
    made.add_row(text)
    show([made], "latex")
    shown = capsys.readouterr().out
    row = shown.splitlines()[6].strip().removesuffix(r"\\")
    assert not re.search(r"(?<!\\)[&%$#_]", row)
