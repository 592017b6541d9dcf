"""Names from outside are shown as they are, in a terminal of any encoding."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from audeo_bench.report.terminal import beside_paper, show, stdout, table


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


def test_a_table_to_be_pasted_has_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    show([table1()], "csv")
    head, *rows = capsys.readouterr().out.splitlines()
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
