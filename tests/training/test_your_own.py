"""The net of docs/your-model.md, trained as a stranger would: what stands there is what runs here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from audeo_bench.contestants.loading import alone
from audeo_bench.files import sha256_of
from audeo_bench.places import checkout
from audeo_bench.training.placing import place

TINY_COMMAND = str(Path(__file__).parents[1] / "tiny_command.py")

ROOT = checkout() or Path()
pytestmark = pytest.mark.skipif(checkout() is None, reason="documents are in the checkout")


def python_of(page: str, begins: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
    return next(block for block in blocks if begins in block)


def train(*arguments: str, code: int = 0) -> str:
    """What the command says; a process of its own trains, to which this one's corpora are unknown."""
    options = ("--corpus", "tiny", "--device", "cpu", "--precision", "32-true")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, TINY_COMMAND, "train", *arguments, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of somebody's own with the page's file in it, and the work folder elsewhere."""
    monkeypatch.setenv("AUDEO_BENCH_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "theirs" / "my_cnn.py"
    file.parent.mkdir()
    quick = python_of("docs/your-model.md", "class MyCnn").replace("else 400", "else 4")
    file.write_text(quick)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return file


def test_it_is_about_fifty_lines() -> None:
    assert len(python_of("docs/your-model.md", "class MyCnn").strip().splitlines()) < 70


def test_a_strangers_net_trains_and_is_found_by_every_command(mine: Path) -> None:
    smoked = train("../theirs/my_cnn.py", "--smoke")
    assert "next:    audeo-bench train ../theirs/my_cnn.py --corpus tiny" in smoked
    assert not (mine.parent / "weights").exists()

    trained = train(str(mine), "--epochs", "1")
    placed = mine.parent / "weights" / "my_cnn.safetensors"
    assert f"placed:  {placed}" in trained
    assert alone("../theirs/my_cnn.py").weights == placed
    record = json.loads(placed.with_suffix(".json").read_text())
    assert record["trained_on"] == ["tiny/wtc1"]

    following = re.findall(r"audeo-bench (midi|check|compare) (\S+)", trained)
    assert [command for command, _ in following] == ["midi", "check", "compare"]

    more = train(str(mine), "--epochs", "2")
    assert "epoch 2" in more
    assert "epoch 1" not in more


def test_weights_that_do_not_load_are_found_by_a_smoke_run(mine: Path) -> None:
    mine.write_text(mine.read_text().replace("load_file(weights))", 'load_file(weights)["nothing"])'))
    said = train(str(mine), "--smoke", code=2)
    assert "nothing" in said


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("import sys; sys.exit(3)", "SystemExit: 3."),
        ("import os; os.kill(os.getpid(), 11)", "its process was ended by SIGSEGV."),
    ],
)
def test_a_fit_that_ends_its_process_is_one_line(mine: Path, line: str, cause: str) -> None:
    begin = "def fit(self, context):"
    mine.write_text(mine.read_text().replace(begin, f"{begin}\n        {line}"))
    said = train(str(mine), "--smoke", code=2)
    (error,) = said.strip().splitlines()
    assert error.startswith(f"audeo-bench: error: {mine}")
    assert error.endswith(f"my_cnn failed: {cause}")


def test_weights_of_another_origin_are_left_alone(mine: Path) -> None:
    weights = mine.parent.parent / "trainings" / "my_cnn.safetensors"
    weights.parent.mkdir()

    def trained(content: bytes) -> Path | None:
        weights.write_bytes(content)
        weights.with_suffix(".json").write_text(json.dumps({"weights_sha256": sha256_of(weights)}))
        return place(str(mine), weights)

    own = mine.parent / "weights" / "my_cnn.safetensors"
    assert trained(b"a first training") == trained(b"a second") == own
    assert own.read_bytes() == b"a second"
    own.write_bytes(b"a month of work")
    assert trained(b"a third") is None
    assert own.read_bytes() == b"a month of work"
