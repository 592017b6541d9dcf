"""Table 2 on the boards: a finished ``audeo-bench identify`` as a committed file, counts and all.

``leaderboards/identification-<corpus>.json`` is the run's ``identify.json``, read strictly, sorted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from audeo_bench.api import AudeoBenchError, Provenance
from audeo_bench.files import atomic_write
from audeo_bench.leaderboards.boards import locked
from audeo_bench.leaderboards.rows import Percent, Strict, as_text, read_strictly

RESULT = "identify.json"
"""In a run folder: what ``audeo-bench identify`` wrote."""
Count = Annotated[int, Field(ge=0)]


class Tally(Strict):
    """Segments by outcome; ``percent`` is right of answered. An error is no answer."""

    percent: Percent | None
    answered: Count
    right: Count
    wrong: Count
    nothing: Count
    error: Count
    unasked: Count

    @model_validator(mode="after")
    def _adds_up(self) -> Tally:
        percent = round(100 * self.right / self.answered, 2) if self.answered else None
        if self.answered != self.right + self.wrong + self.nothing or percent != self.percent:
            raise ValueError("the counts do not add up to the percentage")
        return self


class FalseAccepts(Strict):
    """With the right piece left out of the catalogue: segments named all the same."""

    accepted: Count
    asked: Count


class IdentificationRow(Strict):
    """What one service made of one system."""

    service: str
    version: str
    system: str
    groups: dict[Literal["total", "wtc1_variants", "wtc2_other"], Tally]
    strips: dict[str, list[Literal["right", "wrong", "nothing", "error"] | None]]
    false_accepts: FalseAccepts | None
    median_margin: float | None


class CorpusName(Strict):
    name: str
    version: str
    seed: int


class Identification(Strict):
    """All rows of one run of ``audeo-bench identify`` over a corpus."""

    schema_version: Literal[1]
    corpus: CorpusName
    provenance: Provenance
    quick_look: bool
    title_rules: int | str
    versions: dict[str, str]
    commit: str | None
    command: list[str]
    rows: list[IdentificationRow]


def submit_identification(run: Path, folder: Path, replace: bool = False) -> Path:
    """Copy a finished identification run into ``folder``; returns the file.

    Raises
    ------
    AudeoBenchError
        A quick look, segments that nobody was asked about, a file that is not ``identify``'s, or one that is
        there already and not to be replaced.
    """
    found = read_strictly(run / RESULT, Identification)
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
    with locked(folder):
        if path.exists() and not replace:
            raise AudeoBenchError(f"{path}: is there already; write --replace to replace it.")
        with atomic_write(path) as temporary:
            temporary.write_text(as_text(found), encoding="utf-8")
    return path


def read_identifications(folder: Path) -> list[Identification]:
    """Every committed identification result, in the order of their files' names.

    Raises
    ------
    AudeoBenchError
        A file that is not such a result.
    """
    return [read_strictly(path, Identification) for path in sorted(folder.glob("identification-*.json"))]
