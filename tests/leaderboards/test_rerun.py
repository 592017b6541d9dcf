"""Rows of a pull request are run again, as ``.github/workflows/verify-row.yml`` does it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_corpus import READER, TinyCorpus
from typer.main import get_command
from typer.testing import CliRunner

from audeo_bench.cli import app
from audeo_bench.leaderboards.boards import read_verified
from audeo_bench.leaderboards.rerun import changed_rows
from audeo_bench.leaderboards.submit import submit
from audeo_bench.places import checkout

Handed = Callable[..., Path]


@pytest.fixture
def handed_in(tiny: TinyCorpus, tiny_run: Callable[..., Path], tmp_path: Path) -> Handed:
    """A row and the file that made it, as a pull request brings them; returns the row's file."""

    def hand_in(name: str = "reader", text: str = READER) -> Path:
        row = submit(tiny_run(name, text), tmp_path / "leaderboards")
        folder = tmp_path / "submissions" / name
        folder.mkdir(parents=True)
        shutil.copy(tmp_path / "contestants" / f"{name}.py", folder)
        return row

    return hand_in


def rerun(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    places = ("--root", tmp_path, "--boards", tmp_path / "leaderboards")
    command = ["leaderboard", "rerun", *arguments, *map(str, places), "--by", "CI at commit abc"]
    done = CliRunner().invoke(app, command)
    return done.exit_code, done.output


def test_an_honest_row_is_marked(handed_in: Handed, tmp_path: Path) -> None:
    row = handed_in()
    code, said = rerun(tmp_path, str(row))
    assert code == 0, said
    assert re.match(r"verified  tiny-wtc2/reader: F1 [\d.]+ %, the row says [\d.]+ %, the same rolls", said)
    assert read_verified(row.parents[1])["tiny-wtc2/reader"].by == "rerun by CI at commit abc"


def test_a_row_that_does_not_come_out_again_fails(handed_in: Handed, tmp_path: Path) -> None:
    row = handed_in("fickle", READER)
    other = READER.replace("0.9 / 255", "0.2 / 255")
    (tmp_path / "submissions" / "fickle" / "fickle.py").write_text(other)
    code, said = rerun(tmp_path, str(row))
    assert code == 1
    assert "put the very file that answered into submissions/fickle/" in " ".join(said.split())
    assert read_verified(row.parents[1]) == {}


def test_scores_of_another_model_fail(handed_in: Handed, tmp_path: Path) -> None:
    honest, better = handed_in("weak", READER.replace("0.9 / 255", "0.3 / 255")), handed_in()
    content = json.loads(honest.read_text()) | {"scores": json.loads(better.read_text())["scores"]}
    honest.write_text(json.dumps(content))
    code, said = rerun(tmp_path, str(honest))
    assert code == 1
    assert re.search(r"wrong +tiny-wtc2/weak: F1 [\d.]+ %, the row says", said)


def test_only_rows_that_changed_are_run(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    boards = tmp_path / "leaderboards"
    (boards / "b").mkdir(parents=True)
    for name in ("old", "gone"):
        (boards / "b" / f"{name}.json").write_text(name)
    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "rows")
    git("tag", "base")
    (boards / "b" / "new.json").write_text("new")
    (boards / "verified.json").write_text("{}")
    (boards / "b" / "gone.json").unlink()
    git("add", "-A")
    git("commit", "-m", "one more")
    assert changed_rows(boards, "base") == [boards / "b" / "new.json"]


def test_the_workflow_calls_this_command_and_may_only_read() -> None:
    root = checkout()
    if root is None:
        pytest.skip("the workflow is in the checkout")
    text = (root / ".github" / "workflows" / "verify-row.yml").read_text()
    options = re.search(r"audeo-bench leaderboard rerun (.*)", text)
    assert options
    known = get_command(app).commands["leaderboard"].commands["rerun"]  # type: ignore[attr-defined]
    assert set(re.findall(r"--\w+", options[1])) <= {name for each in known.params for name in each.opts}
    assert "permissions:\n  contents: read\n" in text
    assert "pull_request_target" not in text
    assert "secrets." not in text
