"""Table 2 on the boards: a finished ``audeo-bench identify`` as a committed file, counts and all.

``leaderboards/identification-<corpus>.json`` is the run's ``identify.json``, read strictly, sorted.
"""

from __future__ import annotations

from pathlib import Path

from audeo_bench.errors import AudeoBenchError
from audeo_bench.leaderboards.boards import held
from audeo_bench.leaderboards.rows import AGAIN
from audeo_bench.records import Identification, read, write

RESULT = "identify.json"
"""In a run folder: what ``audeo-bench identify`` wrote."""


def submit_identification(run: Path, folder: Path, replace: bool = False) -> Path:
    """Copy a finished identification run into ``folder``; returns the file.

    Raises
    ------
    AudeoBenchError
        A quick look, segments that nobody was asked about, a file that is not ``identify``'s, or one that is
        there already and not to be replaced.
    """
    found = read(run / RESULT, Identification, AGAIN)
    if found.quick_look:
        raise AudeoBenchError(
            f"{run}: a quick look is for no board; identify without --limit or --recording."
        )
    unasked = [row for row in found.rows if row.groups["total"].unasked]
    if unasked:
        raise AudeoBenchError(
            f"{run}: {unasked[0].groups['total'].unasked} segments of {unasked[0].system} are not asked yet; "
            "run the same `audeo-bench identify` command again."
        )
    suffix = f"-corpus{found.corpus.seed}" if found.corpus.seed else ""
    path = folder / f"identification-{found.corpus.name}{suffix}.json"
    with held(folder):
        if path.exists() and not replace:
            raise AudeoBenchError(f"{path}: is there already; write --replace to replace it.")
        return write(path, found)


def read_identifications(folder: Path) -> list[Identification]:
    """Every committed identification result, in the order of their files' names.

    Raises
    ------
    AudeoBenchError
        A file that is not such a result.
    """
    return [read(path, Identification, AGAIN) for path in sorted(folder.glob("identification-*.json"))]
