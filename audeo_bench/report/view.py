"""Runs to look at: one page of scores, rolls, film and sound, and a list of them in the terminal."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.leaderboards.audio import film_excerpts, render_row
from audeo_bench.leaderboards.boards import board_of
from audeo_bench.leaderboards.submit import find_runs, look_at
from audeo_bench.paper.reported import reported
from audeo_bench.progress import progress_bar
from audeo_bench.records import Row
from audeo_bench.report.html import render_page
from audeo_bench.report.numbers import percent
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import table
from audeo_bench.runs.folder import read_record
from audeo_bench.runs.scoring import kept_scores
from audeo_bench.score import value


def write_view(runs: Sequence[Path], output: Path, sound: bool = True) -> Path:
    """Write one page that needs nothing else: the scores of runs, and of each recording the 20 seconds with
    the most notes, answer against truth, with sound, and with its film unless that was recorded.

    Parameters
    ----------
    runs : sequence of Path
        Run folders. Those that answer for the same recordings stand in one table.
    output : Path
    sound : bool
        Whether answer and truth are played by FluidSynth; without, the page plays plain tones.

    Raises
    ------
    AudeoBenchError
        No run, or one that is not finished or damaged.
    """
    if not runs:
        raise AudeoBenchError("view: name a run folder, such as runs/simulated-wtc2/keywise.")
    groups: dict[str, list[Row]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="audeo-bench-") as temporary:
        folder = Path(temporary)
        with progress_bar("looking at", len(runs), "runs") as bar:
            for run, name in zip(runs, _names(runs), strict=True):
                row = look_at(run, name)
                subject = row.subject
                part = "" if subject.limit is None else f"-limit{subject.limit}"
                row = row.model_copy(update={"board": f"{row.board}{part}"})
                groups[row.board].append(row)
                film_excerpts(row, folder)
                if sound:
                    render_row(row, folder, truth=True)
                bar.advance()
        boards = [board_of(name, rows, {}) for name, rows in groups.items()]
        page = render_page(boards, (), reported(), folder, own=True)
    with atomic_write(output) as written:
        written.write_text(page, encoding="utf-8")
    return output


def _names(runs: Sequence[Path]) -> list[str]:
    """Folder names, with as much of the path before them as tells them apart."""
    paths = [run.resolve() for run in runs]
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["_".join(path.parts[-length:]).strip("/") for path in paths]
        if len(set(names)) == len(set(paths)):
            return names
    return [str(path) for path in paths]


def list_runs(folder: Path) -> Sheet:
    """Every run below a folder: what answered for what, how far it is, and its F1 where it is scored."""
    made = table(f"Runs below {folder}", "System", "Recording", "Status", "Answered", "F1", "Folder")
    for run in find_runs(folder):
        record = read_record(run)
        scores = kept_scores(run, record)
        part = "" if record.subject.limit is None else f", first {record.subject.limit}"
        made.add_row(
            record.system,
            f"{record.subject.corpus} {record.subject.split}{part}",
            record.status,
            str(len(record.answers)),
            percent(None if scores is None else 100 * value(scores)),
            str(run),
        )
    if not made.lines:
        raise AudeoBenchError(f"{folder}: no runs there; make one with `audeo-bench midi --limit 1`.")
    return made
