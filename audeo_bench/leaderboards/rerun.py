"""Rows run again: the contestant's own file answers anew, and the row must come out the same.

What continuous integration does with the rows of a pull request (``.github/workflows/verify-row.yml``). The
file and its weights lie in the repository, shipped or below ``submissions/``, known by their SHA-256.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from audeo_bench.api import AudeoBenchError
from audeo_bench.contestants.loading import Contestant, System, alone
from audeo_bench.corpus import open_corpus
from audeo_bench.files import sha256_of
from audeo_bench.leaderboards.boards import VERIFIED, held, read_verified
from audeo_bench.leaderboards.rows import read_row
from audeo_bench.leaderboards.submit import make_row
from audeo_bench.leaderboards.verify import Verification
from audeo_bench.records import Row, StageRecord, Verifications, Verified, write
from audeo_bench.runs.evaluation import evaluate
from audeo_bench.runs.task import Task
from audeo_bench.score import MAIN, frame_sums, percents

CLOSE = 0.1
"""How many percentage points an F1 may lie apart, since machines round differently."""
SUBMISSIONS = "submissions"


def changed_rows(folder: Path, since: str) -> list[Path]:
    """The rows below ``folder`` that were added or changed since a commit.

    Raises
    ------
    AudeoBenchError
        No such commit, or ``folder`` is in no checkout.
    """
    command = ["git", "diff", "--name-only", "--diff-filter=AMR", "--relative", f"{since}...HEAD", "--", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[:200]
        raise AudeoBenchError(f"{folder}: git cannot say what changed since {since}: {said}")
    paths = [folder / line for line in done.stdout.splitlines()]
    return sorted(path for path in paths if path.suffix == ".json" and path.parent.parent == folder)


def rerun(paths: Sequence[Path], folder: Path, root: Path, by: str) -> Iterator[Verification]:
    """Run rows again, one after the other; those that come out the same are marked in ``verified.json``.

    Parameters
    ----------
    paths : sequence of Path
        The rows' files.
    folder : Path
        The boards' folder.
    root : Path
        The checkout, in which contestants' files and weights are looked for.
    by : str
        Who ran it, for the mark.

    Yields
    ------
    Verification
        ``reported`` is a row that was handed in as answers only: there is nothing to run.
    """
    for path in paths:
        row = None
        try:
            row = read_row(path)
            with TemporaryDirectory(
                prefix="audeo-bench-"
            ) as runs:  # an earlier run's answers are no new ones
                found = _rerun(row, root, Path(runs))
        except AudeoBenchError as fault:
            board, contestant = path.parent.name, path.stem
            found = Verification(board, contestant, "wrong", str(fault))
        if row is not None and found.state == "verified":
            mark = Verified(row_sha256=sha256_of(path), rolls_sha256=row.rolls_sha256, by=f"rerun by {by}")
            with held(folder):
                marks = read_verified(folder) | {f"{row.board}/{row.contestant}": mark}
                write(folder / VERIFIED, Verifications(rows=marks))
        yield found


def _rerun(row: Row, root: Path, runs: Path) -> Verification:
    def say(state: Literal["verified", "reported", "wrong"], words: str) -> Verification:
        return Verification(row.board, row.contestant, state, words)

    if row.answered_by == "files":
        return say("reported", "answers only: there is no model to run")
    corpus = open_corpus(row.subject.corpus, row.subject.seed)
    task = Task(corpus, row.subject.split, runs, seed=row.origin.seed or 0)
    if task.subject.differences(row.subject):
        return say(
            "wrong", f"is of another version of {row.board} than this program's; run and submit it again"
        )
    system = System(tuple(_stage(stage, root) for stage in row.stages))
    (done,) = evaluate([system], task)
    again = make_row(done.folder, row.contestant, corpus)
    if again.marks != row.marks or again.trained_on != row.trained_on:
        return say("wrong", "says another thing of its training data than its file does; submit it again")
    old, new = _f1(row), _f1(again)
    worst = max(old, key=lambda name: abs(old[name] - new[name]))
    values = f"F1 {new['']:.2f} %, the row says {old['']:.2f} %"
    if abs(old[worst] - new[worst]) > CLOSE:
        where = f"; on {worst} {new[worst]:.2f} % against {old[worst]:.2f} %" if worst else ""
        return say("wrong", f"{values}{where}")
    return say(
        "verified", f"{values}, {'the same rolls' if _same(row, again) else 'rolls equal but for rounding'}"
    )


def _f1(row: Row) -> dict[str, float]:
    """In percent; over everything under ``""``, and of each recording."""
    sums = frame_sums(row.scores, MAIN.keys)
    return {"": percents(sums)["f1"], **{name: percents({name: each})["f1"] for name, each in sums.items()}}


def _same(one: Row, other: Row) -> bool:
    return all(one.answers[name].roll_sha256 == other.answers[name].roll_sha256 for name in one.answers)


def _stage(stage: StageRecord, root: Path) -> Contestant:
    """The contestant's file and weights that a row names, found by what they hold."""
    file = _held(stage.file, stage.sha256, "*.py", root)
    if file is None:
        raise AudeoBenchError(
            f"{stage.name}: no file here has the SHA-256 that the row names ({str(stage.sha256)[:12]}); "
            f"put the very file that answered into {SUBMISSIONS}/{stage.name}/."
        )
    found = alone(str(file))
    if stage.weights_sha256 is None:
        return found
    weights = _held(stage.weights, stage.weights_sha256, "*.safetensors", root)
    if weights is None:
        raise AudeoBenchError(
            f"{stage.name}: no weights here have the row's SHA-256 ({stage.weights_sha256[:12]}); "
            f"put them into {SUBMISSIONS}/{stage.name}/weights/."
        )
    return replace(found, weights=weights, weights_sha256=stage.weights_sha256)


def _held(place: str | None, sha256: str | None, pattern: str, root: Path) -> Path | None:
    named = [root / place] if place and (root / place).resolve().is_relative_to(root.resolve()) else []
    for path in (*named, *sorted((root / SUBMISSIONS).rglob(pattern))):
        if path.is_file() and sha256_of(path) == sha256:
            return path.resolve()
    return None
