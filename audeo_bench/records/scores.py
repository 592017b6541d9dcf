"""What the answers scored: ``scores.json``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from audeo_bench.records.run import Subject
from audeo_bench.records.strict import Count, Number, Sha256, Strict

KeyRange = Literal["88", "51"]
"""All keys, or the 51 that the authors' release scores (indices 15..65)."""

METRIC_VERSION = "2"
"""Changes whenever the same rolls would get other numbers; runs of different versions are not compared."""

Counts = list[list[Count]]
Shares = list[list[Annotated[float, Field(ge=0)]]]


class BlockSums(Strict):
    """:class:`audeo_bench.score.frames.FrameCounts` as lists: a list of blocks for each threshold."""

    frames: Counts
    tp: Counts
    fp: Counts
    fn: Counts
    precision: Shares
    recall: Shares
    accuracy: Shares
    f1: Shares

    @model_validator(mode="after")
    def _possible(self) -> BlockSums:
        if len({(len(rows), *{len(row) for row in rows}) for _, rows in self}) != 1:
            raise ValueError("block sums of unequal lengths")
        truths = []
        for frames, tp, fn in zip(self.frames, self.tp, self.fn, strict=True):
            truths.append((frames, [found + missed for found, missed in zip(tp, fn, strict=True)]))
        if any(truth != truths[0] for truth in truths):
            raise ValueError("another truth at another threshold")
        for name in ("precision", "recall", "accuracy", "f1"):
            for sums, frames in zip(getattr(self, name), self.frames, strict=True):
                if any(value > count + 1e-6 for value, count in zip(sums, frames, strict=True)):
                    raise ValueError(f"{name} above 100 %")
        return self

    def fits(self, keys: int, block: int) -> bool:
        """Whether so many keys and frames a block can give these sums."""
        rows = zip(self.frames, self.tp, self.fp, self.fn, strict=True)
        return all(
            0 < frames <= block and tp + fp + fn <= keys * frames
            for each in rows
            for frames, tp, fp, fn in zip(*each, strict=True)
        )


class NoteCounts(Strict):
    """Notes matched, true and estimated, by one metric; add the fields of several recordings to pool them."""

    matched: Count
    reference: Count
    estimated: Count

    @model_validator(mode="after")
    def _possible(self) -> NoteCounts:
        if self.matched > min(self.reference, self.estimated):
            raise ValueError("more notes matched than there are")
        return self

    @property
    def precision(self) -> float:
        return self.matched / self.estimated if self.estimated else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.reference if self.reference else 0.0

    @property
    def f1(self) -> float:
        """0 where either side has no notes, as in mir_eval."""
        both = self.reference + self.estimated
        return 2 * self.matched / both if both else 0.0


class CellCounts(Strict):
    """Frames, and cells (a key in a frame) rightly on, wrongly on and wrongly off, by group."""

    frames: list[Count]
    tp: list[Count]
    fp: list[Count]
    fn: list[Count]


class CauseCounts(Strict):
    """The errors of one recording at one threshold, on all 88 keys.

    Attributes
    ----------
    false_positives : dict of str to (int or None)
        By ``CAUSES`` of :mod:`audeo_bench.score.causes`; they sum to all false positives. ``pressed`` is None
        where unknown.
    by_polyphony, by_register : CellCounts
        By ``POLYPHONIES`` of the frame and ``REGISTERS`` of the key; every register has all the frames.
    """

    false_positives: dict[str, Count | None]
    by_polyphony: CellCounts
    by_register: CellCounts


class RecordingScores(Strict):
    """One recording.

    Attributes
    ----------
    blocks : dict of {"88", "51"} to BlockSums
    notes : list of dict, or None
        For each threshold, by the names in ``NOTE_METRICS``. None where the true notes are unknown.
    causes : list of CauseCounts
        For each threshold, on all 88 keys.
    """

    blocks: dict[KeyRange, BlockSums]
    notes: list[dict[str, NoteCounts]] | None
    causes: list[CauseCounts]


class Scores(Strict):
    """All scores of one run.

    Block sums are the stored thing; every average, total and interval is computed from them.

    Attributes
    ----------
    thresholds : tuple of float
    block : int
        Frames a block.
    recordings : dict of str to RecordingScores
    """

    metric_version: Literal["2"] = METRIC_VERSION
    subject: Subject
    thresholds: tuple[float, ...]
    block: Annotated[int, Field(ge=1)]
    recordings: dict[str, RecordingScores]

    @model_validator(mode="after")
    def _possible(self) -> Scores:
        if not self.recordings:
            raise ValueError("no recordings")
        if len(set(self.thresholds)) != len(self.thresholds) or not all(0 < t <= 1 for t in self.thresholds):
            raise ValueError("thresholds are given once, above 0 and at most 1")
        for name, recording in self.recordings.items():
            if set(recording.blocks) != {"88", "51"}:
                raise ValueError(f"{name} has key ranges {sorted(recording.blocks)}")
            whole = recording.blocks["88"]
            listed = [whole.frames, recording.blocks["51"].frames, recording.causes, recording.notes]
            if any(len(each) != len(self.thresholds) for each in listed if each is not None):
                raise ValueError(f"{name} has block sums of unequal lengths")
            if recording.blocks["51"].frames != whole.frames or not all(
                sums.fits(int(keys), self.block) for keys, sums in recording.blocks.items()
            ):
                raise ValueError(f"{name} has counts that its frames and keys cannot give")
            for place, causes in enumerate(recording.causes):
                wrong = sum(count or 0 for count in causes.false_positives.values())
                if wrong != sum(whole.fp[place]):
                    raise ValueError(f"{name} has causes that do not add up to its false positives")
        return self

    def frames(self, recording: str) -> int:
        """How many frames of a recording were scored."""
        return sum(self.recordings[recording].blocks["88"].frames[0])


class StoredScores(Strict):
    """What ``scores.json`` holds: a run's scores, and the rolls (by :class:`Answer`) that they are of."""

    schema_number: Annotated[Literal[2], Number] = Field(default=2, alias="schema")
    rolls: dict[str, Sha256]
    scores: Scores
