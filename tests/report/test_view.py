"""``audeo-bench view``: runs as one page, and as a list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_corpus import READER, TinyCorpus
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.leaderboards.audio import film_excerpts
from audeo_bench.records import Row
from audeo_bench.report.view import write_view


def boards(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/json" class="board-data">(.*?)</script>', page, re.S)
    return [json.loads(text) for text in found]


def details(page: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/json" class="detail-data">(.*?)</script>', page, re.S)
    return [json.loads(text) for text in found]


def test_two_runs_stand_side_by_side_with_film_and_sound(
    tiny_run: Callable[..., Path], tmp_path: Path
) -> None:
    runs = [tiny_run("reader"), tiny_run("other", READER.replace("0.9", "0.7"))]
    page = write_view(runs, tmp_path / "look.html").read_text()
    (board,) = boards(page)
    assert board["keys"]["name"] == ["other", "reader"]
    for truth in board["truths"].values():
        assert truth["film"].startswith("data:image/jpeg;base64,/9j/")
        assert truth["audio"].startswith("data:audio/ogg;base64,"), "once, whoever answers"
    for detail in details(page):
        for recording in detail["recordings"].values():
            assert recording["audio"].startswith("data:audio/ogg;base64,")
    assert "verified</span>" not in page
    assert "Table 2" not in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)


def test_a_quick_look_may_be_looked_at(tiny_run: Callable[..., Path], tmp_path: Path) -> None:
    page = write_view([tiny_run(limit=1)], tmp_path / "look.html", sound=False).read_text()
    assert list(details(page)[0]["recordings"]) == ["wtc2-01"]
    titles = [title for title, _ in details(page)[0]["facts"]]
    assert "Answered" in titles and "Submitted" not in titles  # it stands on no board
    assert "tiny-wtc2-limit1" in page


def test_films_that_others_recorded_are_never_shown(
    make_row: Callable[..., Row], tmp_path: Path, tiny: TinyCorpus
) -> None:
    assert film_excerpts(make_row("keywise", provenance="recorded"), tmp_path) == []
    assert not any(tmp_path.iterdir())


def test_runs_are_listed(tiny_run: Callable[..., Path], tmp_path: Path, monkeypatch) -> None:
    tiny_run("reader")
    monkeypatch.setenv("COLUMNS", "140")
    listed = CliRunner().invoke(app, ["view", "--runs", str(tmp_path / "runs")])
    assert listed.exit_code == 0, listed.output
    assert re.search(r"reader +│ tiny wtc2 +│ success +│ +3 │", listed.stdout)


def test_no_runs_is_one_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["view", "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert "no runs there; make one with" in done.stderr
    with pytest.raises(AudeoBenchError, match=r"run\.json"):
        write_view([tmp_path], tmp_path / "look.html")
