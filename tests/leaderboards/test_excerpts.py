"""``audeo-bench leaderboard excerpts``: sound and film beside rows that are there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_corpus import TinyCorpus
from typer.testing import CliRunner

from audeo_bench.api import AudeoBenchError
from audeo_bench.cli import app
from audeo_bench.corpus import CORPORA
from audeo_bench.leaderboards.audio import keep_excerpts
from audeo_bench.leaderboards.rows import write_row
from audeo_bench.records import Row
from audeo_bench.report.boards import build

KEPT = {
    "start": 0,
    "frames": 50,
    "threshold": 0.4,
    "answer": {"C4": "3+9"},
    "truth": {"C4": "3+9", "E4": "3+9"},
}


def with_excerpts(row: Row, excerpt: dict[str, Any] | None) -> Row:
    content = row.model_dump(by_alias=True)
    for answer in content["answers"].values():
        answer["excerpt"] = excerpt
    return Row.model_validate(content)


@pytest.fixture
def folder(tmp_path: Path, make_row: Callable[..., Row], tiny: TinyCorpus) -> Path:
    """Two rows of the tiny corpus, and one of films that others recorded."""
    for name, right in (("keywise", 0.8), ("resnet", 0.4)):
        write_row(
            with_excerpts(make_row(name, right, corpus="tiny"), {"start": 0, "frames": 50, **KEPT}), tmp_path
        )
    films = {"corpus": "akbari", "split": "test", "provenance": "recorded", "truth": "pressed"}
    write_row(with_excerpts(make_row("keywise", **films), None), tmp_path)
    return tmp_path


def rows_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*.json")}


def test_rows_get_sound_and_film_and_do_not_change(folder: Path) -> None:
    before = rows_of(folder)
    done = CliRunner().invoke(app, ["leaderboard", "excerpts", "--boards", str(folder)])
    assert done.exit_code == 0, done.output
    board = folder / "tiny-wtc2"
    wanted = [*(board / "audio" / whose / "wtc2-01.ogg" for whose in ("keywise", "resnet", "truth"))]
    wanted.append(board / "film" / "wtc2-01.jpg")
    said = [line.removeprefix("excerpt: ") for line in done.stdout.splitlines()[:-1]]
    assert said == list(map(str, wanted))
    assert sorted(path for path in folder.rglob("*") if path.suffix in (".ogg", ".jpg")) == wanted
    assert rows_of(folder) == before
    page = build(folder)[1].read_text()
    assert len(re.findall("data:audio/ogg;base64,", page)) == 3
    assert len(re.findall("data:image/jpeg;base64,", page)) == 1


def test_what_was_kept_is_written_anew(folder: Path) -> None:
    old = folder / "tiny-wtc2" / "film" / "wtc2-01.jpg"
    old.parent.mkdir()
    old.write_bytes(b"of another corpus")
    assert old in keep_excerpts(folder, "tiny-wtc2", recordings=2)
    assert old.read_bytes().startswith(b"\xff\xd8")
    assert (folder / "tiny-wtc2" / "audio" / "resnet" / "wtc2-02.ogg").is_file()


def test_of_recorded_films_nothing_is_kept(folder: Path) -> None:
    path = folder / "akbari-test" / "keywise.json"
    assert keep_excerpts(folder, "akbari-test") == []
    assert list(path.parent.iterdir()) == [path]


def test_no_such_board_is_one_error(folder: Path) -> None:
    with pytest.raises(AudeoBenchError, match="akbari-test"):
        keep_excerpts(folder, "nowhere")


def test_a_corpus_that_is_not_here_leaves_nothing_behind(folder: Path, monkeypatch) -> None:
    monkeypatch.delitem(CORPORA, "tiny")
    with pytest.raises(AudeoBenchError, match="tiny"):
        keep_excerpts(folder)
    assert not list(folder.rglob("*.ogg"))
