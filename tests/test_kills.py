"""kill -9 of whole commands at random moments: a rerun gives the files of an undisturbed run, and no others.

Takes minutes, so it runs only where it is asked for: ``AUDEO_BENCH_KILLS=100 pytest tests/test_kills.py -s``,
which divides so many kills among the commands. ``AUDEO_BENCH_KILLS_SEED`` gives other moments.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus.films.test_film_corpus import CORNERS, row, write_film
from tiny_corpus import READER, write_contestant

KILLS, SEED = (
    int(os.environ.get("AUDEO_BENCH_KILLS", "0")),
    int(os.environ.get("AUDEO_BENCH_KILLS_SEED", "0")),
)
pytestmark = pytest.mark.skipif(not KILLS, reason="takes minutes; set AUDEO_BENCH_KILLS to how many kills")
TIMES = {
    *("seconds", "started", "finished", "command", "training_seconds", "submitted", "verified_at"),
    *("hardware", "directory"),
}
"""Fields of records that differ from run to run, or from folder to folder."""
LEARNER = """
import json
import numpy as np
from audeo_bench.api import KEYS, VideoToRoll

class Learner(VideoToRoll):
    mean = 0.5
    def fit(self, context):
        shape = (50, 450)
        self.mean = float(np.mean([frames[::25].mean() for frames in context.frames(shape)]) / 255)
    def save(self, weights):
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(json.dumps(self.mean))
    def load(self, weights):
        self.mean = json.loads(weights.read_text())
    def roll(self, frames):
        return np.full((KEYS, len(frames)), self.mean, np.float32)
"""
CORNERS_TYPED = " ".join(f"{x:g},{y:g}" for x, y in CORNERS)


@dataclass(frozen=True)
class Place:
    """A folder that a command works in, and what all of them share."""

    folder: Path
    shared: Path

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "AUDEO_BENCH_DATA": str(self.folder / "data"),
            "AUDEO_BENCH_CACHE": str(self.folder / "cache"),
            "PYTHONPATH": os.pathsep.join(place for place in sys.path if place),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "audeo_bench", *words],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *words: str) -> None:
        process = self.start(*words)
        _, said = process.communicate()
        assert process.returncode == 0, said.decode()

    def files(self) -> dict[str, Any]:
        """What lies below the folder; locks aside, which stay."""
        return {
            str(path.relative_to(self.folder)): _content(path)
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name not in (".lock", ".lock-holder")
        }


def _content(path: Path) -> Any:
    if path.suffix != ".json":
        return path.read_bytes()
    return _untimed(json.loads(path.read_text(encoding="utf-8")))


def _untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _untimed(part) for name, part in value.items() if name not in TIMES}
    return [_untimed(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Command:
    """A command's words, and what has to be there before it."""

    words: Callable[[Path], list[str]]
    before: tuple[str, ...] = ()


COMMANDS = {
    "data add": Command(lambda s: ["data", "add", "recordings", "mine", str(s / "films/mine.toml")]),
    "midi": Command(
        lambda s: [
            *("midi", "--corpus", "mine", "--split", "wtc2", "--no-figure"),
            *("--contestant", str(s / "reader.py"), "--contestant", str(s / "learner.py")),
            *("--weights", f"learner={s / 'learner.json'}"),
        ],
        ("data add",),
    ),
    "submit": Command(
        lambda s: ["submit", "runs/mine-wtc2/reader", "--replace", "--boards", "boards"], ("data add", "midi")
    ),
    "leaderboard build": Command(
        lambda s: ["leaderboard", "build", "--boards", "boards"], ("data add", "midi", "submit")
    ),
    "leaderboard verify": Command(
        lambda s: ["leaderboard", "verify", "--boards", "boards", "--runs", "runs", "--workers", "1"],
        ("data add", "midi", "submit"),
    ),
    "join": Command(
        lambda s: ["join", str(s / "answers"), "--corpus", "mine", "--split", "wtc2"], ("data add",)
    ),
    "compare": Command(
        lambda s: [
            *("compare", str(s / "learner.py"), "--weights", f"learner={s / 'learner.json'}"),
            *("--against", str(s / "reader.py"), "--corpus", "mine", "--split", "wtc2"),
        ],
        ("data add",),
    ),
    "view": Command(
        lambda s: ["view", "runs/mine-wtc2/reader", "runs/mine-wtc2/learner", "-o", "view.html"],
        ("data add", "midi"),
    ),
    "data export": Command(lambda s: ["data", "export", "mine/one", "-o", "out"], ("data add",)),
    "train": Command(
        lambda s: ["train", str(s / "learner.py"), "--smoke", "--corpus", "mine", "--output", "trained"],
        ("data add",),
    ),
    "perform": Command(
        lambda s: [
            *(
                "perform",
                str(s / "films/one.mp4"),
                "--corners",
                CORNERS_TYPED,
                "--system",
                str(s / "reader.py"),
            ),
            *("-o", "out.mp4", "--midi", "out.mid", "--wav", "out.wav"),
        ]
    ),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    films = folder / "films"
    films.mkdir()
    splits = {"one": "wtc2", "two": "wtc2", "three": "train", "four": "validation"}
    for number, name in enumerate(splits):
        write_film(films, name, number)
    rows = [row(name, start_s=0.0, split=split, work="Study") for name, split in splits.items()]
    (films / "mine.toml").write_text('name = "mine"\ntruth = "true MIDI"\n' + "".join(rows))
    write_contestant(folder, "reader", READER)
    write_contestant(folder, "learner", LEARNER)
    (folder / "learner.json").write_text("0.25")
    (folder / "answers").mkdir()
    for name in ("one", "two"):
        shutil.copy(films / f"{name}.mid", folder / "answers")
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_a_rerun_gives_what_an_undisturbed_run_gives(name, shared, tmp_path, capsys):
    command, chance = COMMANDS[name], random.Random(f"{SEED} {name}")
    whole = Place(tmp_path / "whole", shared)
    whole.folder.mkdir()
    for earlier in command.before:
        whole.run(*COMMANDS[earlier].words(shared))
    prepared = tmp_path / "prepared"
    shutil.copytree(whole.folder, prepared)
    begun = time.monotonic()
    whole.run(*command.words(shared))
    took, wanted, moments = time.monotonic() - begun, whole.files(), []
    for number in range(max(1, KILLS // len(COMMANDS))):
        killed = Place(tmp_path / "killed", shared)
        if number % 3 == 0:  # else it is killed again while it continues
            shutil.rmtree(killed.folder, ignore_errors=True)
            shutil.copytree(prepared, killed.folder)
        process = killed.start(*command.words(shared))
        moment = chance.uniform(0.1, 1.0) * took
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            moments.append(moment)
        process.kill()
        process.communicate()
        if number % 3 == 2 or number == KILLS // len(COMMANDS) - 1:
            killed.run(*command.words(shared))
            found = killed.files()
            assert found.keys() == wanted.keys(), "files were left behind, or are missing"
            assert [path for path in wanted if found[path] != wanted[path]] == []
    with capsys.disabled():
        print(
            f"\n{name}: {len(moments)} kills in a run of {took:.1f} s; every rerun equals an undisturbed run"
        )
