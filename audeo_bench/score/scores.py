"""Everything that is known about how well one run answered: what ``scores.json`` holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.api import AudeoBenchError, Notes, Provenance
from audeo_bench.files import atomic_write
from audeo_bench.score.causes import Cells, cause_counts
from audeo_bench.score.frames import (
    BLOCK,
    KEY_RANGES,
    Average,
    FrameCounts,
    KeyRange,
    average,
    check_rolls,
    frame_counts,
    join,
)
from audeo_bench.score.notes import roll_note_counts

if TYPE_CHECKING:
    import pandas as pd

METRIC_VERSION = "1"
"""Changes whenever the same rolls would get other numbers; runs of different versions are not compared."""
THRESHOLDS = (0.3, 0.4, 0.5)
TOTAL, MEAN = "total", "mean"
"""Names in tables: all frames of all recordings as one, as the paper; and the mean over recordings."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class BlockSums(_Model):
    """:class:`audeo_bench.score.frames.FrameCounts` as lists: a list of blocks for each threshold."""

    frames: list[list[int]]
    tp: list[list[int]]
    fp: list[list[int]]
    fn: list[list[int]]
    precision: list[list[float]]
    recall: list[list[float]]
    accuracy: list[list[float]]
    f1: list[list[float]]


class NoteScore(_Model):
    """Notes matched, true and estimated, by one metric at one threshold."""

    matched: int
    reference: int
    estimated: int


class CellScores(_Model):
    """Frames and cells by group, in the order of ``POLYPHONIES`` or ``REGISTERS``."""

    frames: list[int]
    tp: list[int]
    fp: list[int]
    fn: list[int]


class CauseScores(_Model):
    """:class:`audeo_bench.score.causes.CauseCounts` as lists."""

    false_positives: dict[str, int | None]
    by_polyphony: CellScores
    by_register: CellScores


class RecordingScores(_Model):
    """One recording.

    Attributes
    ----------
    blocks : dict of {"88", "51"} to BlockSums
    notes : list of dict, or None
        For each threshold, by the names in ``NOTE_METRICS``. None where the true notes are unknown.
    causes : list of CauseScores
        For each threshold, on all 88 keys.
    """

    blocks: dict[KeyRange, BlockSums]
    notes: list[dict[str, NoteScore]] | None
    causes: list[CauseScores]


class Subject(_Model):
    """Which recordings were answered for. Only runs of equal subjects are compared.

    Attributes
    ----------
    limit : int or None
        Only the first so many recordings of the split were scored: a quick look, for no board.
    """

    corpus: str = "arrays"
    version: str = "unknown"
    seed: int = 0
    split: str = "unknown"
    split_hash: str = "unknown"
    provenance: Provenance | None = None
    truth: Literal["sounding", "pressed"] = "sounding"
    limit: int | None = None


class Scores(_Model):
    """All scores of one run.

    Block sums are the stored thing; every average, total and interval is computed from them.
    """

    metric_version: str = METRIC_VERSION
    subject: Subject
    thresholds: tuple[float, ...]
    block: int
    recordings: dict[str, RecordingScores]

    def counts(self, keys: KeyRange = "88") -> dict[str, FrameCounts]:
        """Block sums of each recording as arrays, ready for ``average`` and the statistics."""
        return {
            name: FrameCounts(
                self.thresholds,
                keys,
                self.block,
                **{field: np.array(values) for field, values in recording.blocks[keys]},
            )
            for name, recording in self.recordings.items()
        }

    def value(
        self,
        metric: str = "f1",
        threshold: float = 0.4,
        average_kind: Average = "frame_mean",
        keys: KeyRange = "88",
    ) -> float:
        """One total over all frames of all recordings, in 0..1."""
        counts = join(list(self.counts(keys).values())).at(threshold)
        return float(getattr(average(counts, average_kind), metric)[0])

    def table(self) -> pd.DataFrame:
        """Frame and note metrics in long form; see :func:`audeo_bench.score.tables.metric_table`."""
        from audeo_bench.score.tables import metric_table

        return metric_table(self)

    def causes(self) -> pd.DataFrame:
        """Errors by cause, polyphony and register; see :func:`audeo_bench.score.tables.cause_table`."""
        from audeo_bench.score.tables import cause_table

        return cause_table(self)

    def to_json(self) -> str:
        """The same scores give the same bytes: keys sorted, floats written so that they read back exactly."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "scores.json") -> Scores:
        """The inverse of :meth:`to_json`.

        Raises
        ------
        AudeoBenchError
            Not JSON, another metric version, an unknown or missing field, or lists of unequal lengths.
        """
        try:
            content = json.loads(text)
            version = content.get("metric_version") if isinstance(content, dict) else None
            if version != METRIC_VERSION:
                raise AudeoBenchError(
                    f"{name}: found metric version {version!r}, not {METRIC_VERSION!r}; score the run again."
                )
            scores = cls.model_validate_json(text)
            scores.check_lengths()
        except (ValidationError, ValueError) as fault:
            found = "; ".join(line.strip() for line in str(fault).splitlines()[:3])
            raise AudeoBenchError(f"{name}: not a scores file ({found}); score the run again.") from fault
        return scores

    def write(self, path: Path) -> None:
        """Write ``scores.json`` atomically."""
        with atomic_write(Path(path)) as temporary:
            temporary.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Scores:
        """Read what :meth:`write` wrote; errors name the file."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise AudeoBenchError(f"{path}: cannot be read ({fault}); score the run again.") from fault
        return cls.from_json(text, str(path))

    def check_lengths(self) -> None:
        """Raise ValueError where block sums are missing or of unequal lengths."""
        for name, recording in self.recordings.items():
            if set(recording.blocks) != set(KEY_RANGES):
                raise ValueError(f"{name} has key ranges {sorted(recording.blocks)}")
            for sums in recording.blocks.values():
                shapes = {(len(rows), *{len(row) for row in rows}) for _, rows in sums}
                if len(shapes) != 1 or next(iter(shapes))[0] != len(self.thresholds):
                    raise ValueError(f"{name} has block sums of unequal lengths")


def score_recording(
    truth: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    name: str = "recording",
    pressed: np.ndarray | None = None,
    notes: Notes | None = None,
    block: int = BLOCK,
) -> RecordingScores:
    """Score one recording's roll in every way.

    Parameters
    ----------
    truth : np.ndarray, shape (88, T), bool
        ``Recording.sounding``.
    probabilities : np.ndarray, shape (88, T), values in 0..1
    thresholds : sequence of float
        On where ``probability >= threshold``.
    name : str
        The recording's id, for error messages.
    pressed : np.ndarray or None, shape (88, T), bool
        ``Recording.pressed``, for the causes.
    notes : Notes or None
        ``Recording.notes``, for the note metrics.

    Raises
    ------
    AudeoBenchError
        What cannot be scored, naming the recording and what was found.
    """
    truth, probabilities = check_rolls(truth, probabilities, name)
    counts: dict[KeyRange, FrameCounts] = {
        keys: frame_counts(truth, probabilities, thresholds, keys, block, name) for keys in KEY_RANGES
    }
    chosen = counts["88"].thresholds
    if pressed is not None and pressed.shape != truth.shape:
        raise AudeoBenchError(f"{name}: found pressed of shape {pressed.shape} for truth of {truth.shape}.")
    causes = []
    for threshold in chosen:
        found = cause_counts(truth, probabilities >= threshold, pressed)
        causes.append(
            CauseScores(
                false_positives=found.false_positives,
                by_polyphony=_cell_scores(found.polyphony),
                by_register=_cell_scores(found.register),
            )
        )
    matched = None
    if notes is not None:
        matched = [
            {kind: NoteScore(**asdict(c)) for kind, c in roll_note_counts(notes, probabilities, t).items()}
            for t in chosen
        ]
    sums: dict[KeyRange, BlockSums] = {}
    for keys in KEY_RANGES:
        sums[keys] = BlockSums(**_lists(counts[keys], BlockSums.model_fields))
    return RecordingScores(blocks=sums, notes=matched, causes=causes)


def score_rolls(
    rolls: Mapping[str, tuple[np.ndarray, np.ndarray]],
    subject: Subject | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    pressed: Mapping[str, np.ndarray] | None = None,
    notes: Mapping[str, Notes] | None = None,
    progress: Callable[[str], Any] = lambda name: None,
) -> Scores:
    """Score the rolls of a whole split.

    Parameters
    ----------
    rolls : mapping of recording id to (truth, probabilities)
        Each of shape (88, T). Looked up one recording at a time, so it may load lazily.
    subject : Subject or None
        Which recordings these are; None for arrays from anywhere, which compare only with such.
    pressed, notes : mappings by recording id, or None
        As in :func:`score_recording`; recordings may be left out.
    progress : callable
        Called with each recording's id when it is done.
    """
    if not rolls or {TOTAL, MEAN} & set(rolls):
        raise AudeoBenchError(
            f"rolls: found the recordings {list(rolls)}; give at least one, none called total or mean."
        )
    scored = {}
    for name in rolls:
        truth, probabilities = rolls[name]
        scored[name] = score_recording(
            truth,
            probabilities,
            thresholds,
            name=name,
            pressed=(pressed or {}).get(name),
            notes=(notes or {}).get(name),
        )
        progress(name)
    return Scores(
        subject=subject or Subject(),
        thresholds=tuple(float(threshold) for threshold in thresholds),
        block=BLOCK,
        recordings=scored,
    )


def _lists(arrays: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(arrays, name).tolist() for name in names}


def _cell_scores(cells: Cells) -> CellScores:
    return CellScores(**_lists(cells, CellScores.model_fields))
