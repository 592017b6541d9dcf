"""What the answers scored: ``scores.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field, model_validator

from audeo_bench.records.run import Subject
from audeo_bench.records.strict import Count, Number, Sha256, Strict

KeyRange = Literal["88", "51"]
"""All keys, or the 51 that the authors' release scores (indices 15..65)."""

METRIC_VERSION = "2"
"""Changes whenever the same rolls would get other numbers; runs of different versions are not compared."""

NoteMetric = Literal["onset@50", "onset@100", "full@50", "offtol@50"]
"""See ``NOTE_METRICS`` of :mod:`audeo_bench.score.notes`."""

Cause = Literal["pressed", "edge", "octave", "neighbour", "other"]
POLYPHONIES = ("0", "1", "2", "3", "4+")
"""Keys that truly sound in the frame."""
REGISTERS = tuple(f"octave {octave}" for octave in range(9))
"""Octaves of scientific pitch notation: octave 4 is C4..B4; octave 0 holds A0..B0 and octave 8 only C8."""

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
        """Whether so many keys and frames a block can give these counts: all blocks but the last are full."""
        frames, tp, fp, fn = (np.array(each) for each in (self.frames, self.tp, self.fp, self.fn))
        if not frames.size or (frames[:, :-1] != block).any() or (frames[:, -1] > block).any():
            return False
        return bool((frames > 0).all() and (tp + fp + fn <= keys * frames).all())

    def agree(self, keys: int) -> bool:
        """Whether each block's shares can be those of its counts, and of each other.

        A frame loses at most 1, and at least one in ``keys`` for each wrong or missed key; its F1 is the
        harmonic mean of its precision and recall, and twice its accuracy over 1 more than that. Both are
        concave, so that the means over a block's frames lie below the curve.
        """
        n, fp, fn = (np.array(each, float) for each in (self.frames, self.fp, self.fn))
        shares = (self.precision, self.recall, self.accuracy, self.f1)
        p, r, accuracy, f1 = (np.array(each, float) for each in shares)
        most = np.divide(2 * p * r, p + r, out=np.zeros_like(p), where=p + r > 0)
        bounds = [
            (n - fp, p),
            (p, n - fp / keys),
            (n - fn, r),
            (r, n - fn / keys),
            (n - fp - fn, accuracy),
            (accuracy, n - (fp + fn) / keys),
            (accuracy, np.minimum(p, r)),
            (accuracy, f1),
            (p + r - n, f1),
            (f1, most),
            (f1, 2 * accuracy * n / (accuracy + n)),
        ]
        return all((low <= high + 1e-6).all() for low, high in bounds)


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

    def sum_to(self, groups: int, tp: int, fp: int, fn: int) -> bool:
        """Whether there are so many groups, and so many cells in all."""
        return {len(each) for _, each in self} == {groups} and (
            (sum(self.tp), sum(self.fp), sum(self.fn)) == (tp, fp, fn)
        )


class CauseCounts(Strict):
    """The errors of one recording at one threshold, on all 88 keys.

    Attributes
    ----------
    false_positives : dict of str to (int or None)
        By all of ``CAUSES`` of :mod:`audeo_bench.score.causes`; they sum to all false positives. ``pressed``
        is None where unknown.
    by_polyphony, by_register : CellCounts
        By ``POLYPHONIES`` of the frame and ``REGISTERS`` of the key; every register has all the frames.
    """

    false_positives: dict[Cause, Count | None]
    by_polyphony: CellCounts
    by_register: CellCounts


class RecordingScores(Strict):
    """One recording.

    Attributes
    ----------
    blocks : dict of {"88", "51"} to BlockSums
    notes : list of dict, or None
        For each threshold, by all of ``NOTE_METRICS``. None where the true notes are unknown.
    causes : list of CauseCounts
        For each threshold, on all 88 keys.
    """

    blocks: dict[KeyRange, BlockSums]
    notes: list[dict[NoteMetric, NoteCounts]] | None
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

    metric_version: Literal["2"]
    subject: Subject
    thresholds: Annotated[tuple[float, ...], Field(min_length=1)]
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
            if not all(sums.agree(int(keys)) for keys, sums in recording.blocks.items()):
                raise ValueError(f"{name} has precision, recall, accuracy and F1 that contradict its counts")
            for place, causes in enumerate(recording.causes):
                _check_causes(name, causes, whole, place)
            _check_notes(name, recording.notes or ())
        return self

    def frames(self, recording: str) -> int:
        """How many frames of a recording were scored."""
        return sum(self.recordings[recording].blocks["88"].frames[0])


def _check_causes(name: str, causes: CauseCounts, whole: BlockSums, place: int) -> None:
    kinds = causes.false_positives
    if set(kinds) != set(get_args(Cause)):
        raise ValueError(f"{name} has the causes {sorted(kinds)}")
    tp, fp, fn, frames = (sum(each[place]) for each in (whole.tp, whole.fp, whole.fn, whole.frames))
    if sum(count or 0 for count in kinds.values()) != fp:
        raise ValueError(f"{name} has causes that do not add up to its false positives")
    if (
        not causes.by_polyphony.sum_to(len(POLYPHONIES), tp, fp, fn)
        or not causes.by_register.sum_to(len(REGISTERS), tp, fp, fn)
        or sum(causes.by_polyphony.frames) != frames
        or set(causes.by_register.frames) != {frames}
    ):
        raise ValueError(f"{name} has errors by group that do not add up to its counts")


def _check_notes(name: str, notes: Sequence[Mapping[NoteMetric, NoteCounts]]) -> None:
    if any(set(counts) != set(get_args(NoteMetric)) for counts in notes):
        raise ValueError(f"{name} lacks note metrics at a threshold")
    if len({each.reference for counts in notes for each in counts.values()}) > 1 or any(
        len({each.estimated for each in counts.values()}) > 1 for counts in notes
    ):
        raise ValueError(f"{name} has other notes by another metric")


class StoredScores(Strict):
    """What ``scores.json`` holds: a run's scores, and the rolls (by :class:`Answer`) that they are of.

    Attributes
    ----------
    sha256 : str
        Of the rest: a file that was edited is scored anew.
    """

    schema_number: Annotated[Literal[3], Number] = Field(default=3, alias="schema")
    rolls: dict[str, Sha256]
    scores: Scores
    sha256: Sha256

    @classmethod
    def of(cls, rolls: Mapping[str, str], scores: Scores) -> StoredScores:
        return cls(rolls=dict(rolls), scores=scores, sha256=_digest(rolls, scores))

    @model_validator(mode="after")
    def _as_written(self) -> StoredScores:
        if self.sha256 != _digest(self.rolls, self.scores):
            raise ValueError("was edited since it was written")
        return self


def _digest(rolls: Mapping[str, str], scores: Scores) -> str:
    content = json.dumps([dict(rolls), scores.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
