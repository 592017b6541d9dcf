"""Is a row what its rolls say? Recompute rows whose rolls are here, and remember by hash which were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import open_corpus
from audeo_bench.crew import Unit, crew, fitting
from audeo_bench.files import sha256_of
from audeo_bench.leaderboards.boards import VERIFIED, held, read_verified
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.leaderboards.submit import find_runs, make_row
from audeo_bench.provenance import commit
from audeo_bench.records import Row, RunRecord, Verifications, Verified, write
from audeo_bench.runs.folder import read_record
from audeo_bench.version import __version__

TOLERANCE = 1e-9
"""How far numbers may lie apart between machines; counts must be equal."""


@dataclass(frozen=True)
class Verification:
    """What was found about one row.

    ``verified``: computed again from its rolls, equal. ``reported``: its rolls or its truth are not here, so
    only its submitter's word stands. ``wrong``: its rolls are here and say otherwise.
    """

    board: str
    contestant: str
    state: Literal["verified", "reported", "wrong"]
    words: str


def verify(
    folder: Path, runs: Path, workers: int | None = None, scheduler: str | None = None
) -> list[Verification]:
    """Recompute every row whose rolls are below ``runs``, and write ``verified.json``.

    A row that was verified before and has not changed since keeps its mark where its rolls, or the films that
    they are of, are not at hand.

    Parameters
    ----------
    folder, runs : Path
    workers : int or None
        Processes at once; None for what rows, cores and memory ask for.
    scheduler : str or None
        A dask scheduler whose workers do it; they must see the same boards and runs.

    Raises
    ------
    AudeoBenchError
        A row that cannot be read; a folder that cannot be written.
    """
    found, records = [], dict(_records(runs))
    with held(folder):
        known, kept = read_verified(folder), {}
        rows = [(path, read_row(path)) for path in row_paths(folder)]
        matches = [_match(row, path, records) for path, row in rows]
        units = [
            Unit(f"row {path}", _recompute, (row, path, match))
            for (path, row), match in zip(rows, matches, strict=True)
            if isinstance(match, Path)
        ]
        with crew(fitting(len(units)) if workers is None else workers, scheduler) as who:
            recomputed = {unit.given[1]: result for unit, result in who.done(units)}
        for (path, row), match in zip(rows, matches, strict=True):
            name, sha256 = f"{row.board}/{row.contestant}", sha256_of(path)
            before = known.get(name)
            result = recomputed[path] if isinstance(match, Path) else match
            if result.state == "verified":
                kept[name] = Verified(row_sha256=sha256, rolls_sha256=row.rolls_sha256, by=_who())
            elif result.state == "reported" and before and before.row_sha256 == sha256:
                kept[name] = before
                words = f"by {before.by}, from rolls {_shown(before.rolls_sha256)}; unchanged since"
                result = Verification(row.board, row.contestant, "verified", words)
            found.append(result)
        write(folder / VERIFIED, Verifications(rows=kept))
    return found


def _who() -> str:
    known = commit()
    return f"audeo-bench {__version__}" + (f", commit {known[:12]}" if known else "")


def _records(runs: Path) -> Iterator[tuple[Path, RunRecord]]:
    for folder in find_runs(runs):
        try:
            yield folder, read_record(folder)
        except AudeoBenchError:
            continue  # a run of another version verifies nothing


def _match(row: Row, path: Path, records: dict[Path, RunRecord]) -> Path | Verification:
    """The run folder that has the row's rolls, or what is to be said where there is none."""
    hashes = {name: answer.roll_sha256 for name, answer in row.answers.items()}
    same_system = None
    for run, record in records.items():
        if record.subject.board != row.board or record.subject.limit is not None:
            continue
        if {name: answer.roll_sha256 for name, answer in record.answers.items()} == hashes:
            return run
        if record.system == row.contestant:
            same_system = run
    if same_system is None:
        return Verification(row.board, row.contestant, "reported", "its rolls are not here")
    words = (
        f"{path}: its hashes are not those of the rolls in {same_system}; "
        "submit that run, or find the right one."
    )
    return Verification(row.board, row.contestant, "wrong", words)


def _recompute(row: Row, path: Path, run: Path) -> Verification:
    subject = read_record(run).subject
    try:  # what is not here says nothing about the row
        corpus = open_corpus(subject.corpus, subject.seed)
        corpus.ids(subject.split)
        if corpus.provenance == "recorded" and corpus.version != subject.version:
            raise AudeoBenchError(
                f"{subject.corpus} {corpus.version} is here, of other films or labels than {subject.version}."
            )
    except AudeoBenchError as fault:
        return Verification(
            row.board, row.contestant, "reported", f"its rolls are here, its truth is not: {fault}"
        )
    try:
        again = make_row(run, row.contestant)
    except AudeoBenchError as fault:
        return Verification(row.board, row.contestant, "wrong", f"{path}: {fault}")
    # What the harness and the corpus say is compared whole, numbers to the last digits that machines may
    # differ in.
    here, there = row.model_dump(mode="json", exclude_unset=True), again.model_dump(mode="json")
    if row.subject.truth_by is None:  # rows from before its name: the split's hash covers the truth itself
        here["scores"]["subject"]["truth_by"] = there["scores"]["subject"]["truth_by"]
    other_code = _set_aside_code(here["stages"], there["stages"])
    for field in ("answered_by", "stages", "marks", "answers", "scores"):
        difference = _difference(here[field], there[field], field)
        if difference:
            words = f"{path}: {difference}; submit the run again."
            return Verification(row.board, row.contestant, "wrong", words)
    words = f"equal to {run}, from rolls {_shown(row.rolls_sha256)}"
    words += "; answered by other code than now" if other_code else ""
    return Verification(row.board, row.contestant, "verified", words)


def _set_aside_code(here: list[dict[str, object]], again: list[dict[str, object]]) -> bool:
    """Take the later digests of code where both name some and they differ: equal rolls are equal whatever
    code gave them.
    """
    found = False
    for stage, now in zip(here, again, strict=False):
        for digest in ("sha256", "code_sha256"):
            if stage.get(digest) and now[digest] and stage[digest] != now[digest]:
                stage[digest], found = now[digest], True
    return found


def _difference(here: object, again: object, where: str) -> str | None:
    """The first place where two JSON contents differ, in words.

    A row from before a field may lack it where today's says None: not known, or nothing to say.
    """
    if isinstance(here, dict) and isinstance(again, dict) and here.keys() <= again.keys():
        each = (_difference(here.get(key), again[key], f"{where}.{key}") for key in again)
        return next((found for found in each if found), None)
    if isinstance(here, list) and isinstance(again, list) and len(here) == len(again):
        each = (
            _difference(one, other, f"{where}.{i}")
            for i, (one, other) in enumerate(zip(here, again, strict=True))
        )
        return next((found for found in each if found), None)
    if isinstance(here, float) and isinstance(again, float):
        return (
            None
            if abs(here - again) <= TOLERANCE * max(1, abs(again))
            else f"{where} is {here}, recomputed {again}"
        )
    return None if here == again else f"{where} is {_shown(here)}, recomputed {_shown(again)}"


def _shown(value: object) -> str:
    """Short enough for a line; of a digest the beginning."""
    text = str(value)
    whole = 12 if re.fullmatch(r"[0-9a-f]{64}", text) else 60
    return text if len(text) <= whole else f"{text[:whole]}…"
