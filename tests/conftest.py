"""Rows as a board holds them, made from small random rolls; nothing is trained and nothing filmed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_corpus import READER, TinyCorpus, write_contestant

from audeo_bench.contestants.loading import system
from audeo_bench.corpus import CORPORA
from audeo_bench.leaderboards.excerpt import cut_excerpt
from audeo_bench.leaderboards.rows import write_row
from audeo_bench.records import Row, as_text
from audeo_bench.runs.folder import roll_sha256
from audeo_bench.runs.predict import predict
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, Rolls, Subject, score_rolls

FRAMES = 1200


def random_truth(seed: int, frames: int = FRAMES) -> np.ndarray:
    """Notes of 3 to 20 frames between C2 and C6."""
    rng = np.random.default_rng(seed)
    roll = np.zeros((88, frames), bool)
    for _ in range(frames // 5):
        key, first = rng.integers(15, 64), rng.integers(frames)
        roll[key, first : first + rng.integers(3, 20)] = True
    return roll


def rough_answer(truth: np.ndarray, seed: int, right: float) -> np.ndarray:
    """Probabilities that hear most of the truth and some more, in runs of half a second."""
    rng = np.random.default_rng(seed)
    steps = -(-truth.shape[1] // 12)
    doubt = np.repeat(rng.random((88, steps)), 12, axis=1)[:, : truth.shape[1]]
    extra = np.roll(truth, 2, axis=0) & (doubt > 0.5 + 0.5 * right)
    return np.where((truth & (doubt < right)) | extra, 0.9, 0.1).astype(np.float32)


@pytest.fixture(scope="session")
def make_row() -> Callable[..., Row]:
    """``make_row("name", right=0.7)``: a row on the board ``simulated-wtc2`` with three recordings."""

    def make(
        contestant: str,
        right: float = 0.7,
        seed: int = 0,
        split: str = "wtc2",
        provenance: str = "simulated",
        corpus: str = "simulated",
        truth: str = "sounding",
        recordings: int = 3,
        **changes: Any,
    ) -> Row:
        truths = {f"{split}-{number:02d}": random_truth(number) for number in range(1, recordings + 1)}
        rolls = {name: (t, rough_answer(t, seed + i, right)) for i, (name, t) in enumerate(truths.items())}
        subject = Subject(
            corpus=corpus,
            version="1",
            split=split,
            split_hash="f" * 64,
            provenance=provenance,
            truth=truth,
        )
        scores = score_rolls({name: Rolls(*pair) for name, pair in rolls.items()}, subject)
        content = {
            "schema": 3,
            "board": f"{corpus}-{split}",
            "contestant": contestant,
            "answered_by": "harness",
            "stages": (
                {
                    "name": contestant,
                    "sha256": "a" * 64,
                    "weights_sha256": "b" * 64,
                    "parameters": 1_234_567,
                    "configuration": {"width": 16},
                    "trained_on": ("simulated/wtc1",),
                },
            ),
            "marks": (),
            "answers": {
                name: {
                    "title": f"Prelude and Fugue {name}",
                    "frames": truth.shape[1],
                    "roll_sha256": roll_sha256(roll),
                    "excerpt": cut_excerpt(roll, truth, MAIN.threshold),
                }
                for name, (truth, roll) in rolls.items()
            },
            "scores": scores,
            "origin": {
                "command": "audeo-bench midi --split wtc2",
                "seed": 0,
                "commit": None,
                "versions": {"audeo-bench": "0.1.0"},
                "hardware": {},
            },
            "times": {
                "started": "2026-11-21T12:00:00+00:00",
                "submitted": "2026-11-21T12:30:00+00:00",
                "seconds": 12.5,
                "frames_per_second": round(len(rolls) * FRAMES / 12.5, 1),
            },
        }
        return Row.model_validate(content | changes)

    return make


@pytest.fixture(scope="session")
def thousand_rows(tmp_path_factory: pytest.TempPathFactory, make_row: Callable[..., Row]) -> Path:
    """A ``leaderboards`` folder with a thousand rows on one board."""
    folder = tmp_path_factory.mktemp("thousand")
    board = folder / "simulated-wtc2"
    board.mkdir()
    texts = [as_text(make_row(f"base-{number}", 0.4 + 0.02 * number, seed=number)) for number in range(20)]
    for number in range(1000):
        name = f"contestant-{number:04d}"
        text = texts[number % 20].replace(f'"base-{number % 20}"', f'"{name}"')
        (board / f"{name}.json").write_text(text)
    return folder


@pytest.fixture
def boards_folder(tmp_path: Path, make_row: Callable[..., Row]) -> Path:
    """A ``leaderboards`` folder with two rows on one board."""
    folder = tmp_path / "leaderboards"
    for name, right in (("video2roll", 0.6), ("keywise", 0.8)):
        write_row(make_row(name, right, seed=int(100 * right)), folder)
    return folder


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> TinyCorpus:
    """The corpus of a few seconds, to be opened by its name like any other."""
    monkeypatch.setitem(CORPORA, "tiny", "tiny_corpus:TinyCorpus")
    return TinyCorpus()


@pytest.fixture
def tiny_run(tiny: TinyCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """``tiny_run("reader")``: the run folder of a contestant that answers for the tiny corpus."""

    def run(name: str = "reader", text: str = READER, **options: Any) -> Path:
        contestant = system(str(write_contestant(tmp_path / "contestants", name, text)))
        monkeypatch.setattr(sys, "argv", ["/usr/bin/audeo-bench", "midi"])
        return predict(contestant, Task(tiny, "wtc2", tmp_path / "runs", **options)).folder

    return run
