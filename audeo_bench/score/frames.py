"""Frame-level precision, recall, accuracy and F1, kept as sums over 20-second blocks.

Both averages in use, exactly:

``frame_mean``
    The mean over frames of each frame's own value, as Table 1 of the paper: scikit-learn's
    ``average="samples"`` with ``zero_division=1`` (a frame in which nothing is predicted has precision 1, one
    in which nothing sounds recall 1, a silent frame predicted silent F1 1), and TP / (TP + FP + FN) with
    0/0 = 1 as accuracy. F1 is therefore not the harmonic mean of the two values beside it.
``micro``
    Ratios of the sums over all frames, as ``mir_eval.multipitch.metrics``, with 0/0 = 0 as there.

The sums are all that the statistics need, so the rolls are read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.records import KeyRange
from audeo_bench.roll import KEYS, PAPER_KEYS

Average = Literal["frame_mean", "micro"]
KEY_RANGES: tuple[KeyRange, ...] = get_args(KeyRange)
AVERAGES: tuple[Average, ...] = get_args(Average)
METRICS = ("precision", "recall", "accuracy", "f1")
BLOCK = 500
"""Frames in a block: 20 seconds."""

_SUMS = ("frames", "tp", "fp", "fn", *METRICS)


@dataclass(frozen=True)
class FrameCounts:
    """What a roll got right and wrong, summed over the frames of each block.

    Attributes
    ----------
    thresholds : tuple of float
    keys : {"88", "51"}
        All keys, or the 51 that the authors' release scores (indices 15..65).
    block : int
        Frames a block; a recording's last one may be shorter.
    frames, tp, fp, fn : np.ndarray, shape (thresholds, blocks), int64
        Frames, and cells (a key in a frame) rightly on, wrongly on and wrongly off.
    precision, recall, accuracy, f1 : np.ndarray, shape (thresholds, blocks), float64
        Sums over the block's frames of the frame's own value; divide by ``frames`` for the block's mean.
    """

    thresholds: tuple[float, ...]
    keys: KeyRange
    block: int
    frames: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    accuracy: np.ndarray
    f1: np.ndarray

    @property
    def blocks(self) -> int:
        return self.frames.shape[1]

    def at(self, threshold: float) -> FrameCounts:
        """The same sums at one threshold only."""
        if threshold not in self.thresholds:
            known = ", ".join(f"{each:g}" for each in self.thresholds)
            raise AudeoBenchError(
                f"threshold {threshold:g}: scored at {known} alone; choose one of these "
                "(a board's rows have no others), or compare with run folders."
            )
        row = self.thresholds.index(threshold)
        return FrameCounts(
            (threshold,), self.keys, self.block, *(getattr(self, name)[row : row + 1] for name in _SUMS)
        )


@dataclass(frozen=True)
class FrameMetrics:
    """Averaged values in 0..1, each an array whose last axis runs over thresholds."""

    precision: np.ndarray
    recall: np.ndarray
    accuracy: np.ndarray
    f1: np.ndarray


def frame_counts(
    truth: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Sequence[float],
    keys: KeyRange = "88",
    block: int = BLOCK,
    name: str = "roll",
) -> FrameCounts:
    """Compare a predicted roll with the truth. Every frame counts; nothing is trimmed.

    Parameters
    ----------
    truth : np.ndarray, shape (88, T), bool
    probabilities : np.ndarray, shape (88, T), values in 0..1
    thresholds : sequence of float
        A key is predicted on where ``probability >= threshold``, compared in the roll's own float type.
    keys : {"88", "51"}
    block : int
        Frames a block.
    name : str
        Whose rolls these are, for error messages.

    Raises
    ------
    AudeoBenchError
        See :func:`check_rolls`; also a threshold outside 0..1 or an unknown key range.
    """
    truth, probabilities = check_rolls(truth, probabilities, name)
    chosen = tuple(float(threshold) for threshold in thresholds)
    if not chosen or not all(0 < threshold <= 1 for threshold in chosen):
        raise AudeoBenchError(f"thresholds: found {chosen}; give one or more above 0 and at most 1.")
    if len(set(chosen)) != len(chosen):
        raise AudeoBenchError(f"thresholds: found {chosen}; give each once.")
    if keys not in KEY_RANGES:
        raise AudeoBenchError(f"keys: found {keys!r}; choose one of {', '.join(KEY_RANGES)}.")
    scored = PAPER_KEYS if keys == "51" else slice(0, KEYS)
    truth, probabilities = truth[scored], probabilities[scored]
    sounding = _keys_on(truth)
    predicted, found = [], []
    for threshold in chosen:
        roll = probabilities >= threshold
        predicted.append(_keys_on(roll))
        found.append(_keys_on(np.logical_and(roll, truth, out=roll)))
    return block_sums(np.stack(found), np.stack(predicted), sounding, chosen, keys, block)


def block_sums(
    found: np.ndarray,
    predicted: np.ndarray,
    sounding: np.ndarray,
    thresholds: tuple[float, ...],
    keys: KeyRange = "88",
    block: int = BLOCK,
) -> FrameCounts:
    """Turn numbers of keys per frame into block sums.

    Parameters
    ----------
    found : np.ndarray, shape (thresholds, T), int
        Keys predicted on that truly sound.
    predicted : np.ndarray, shape (thresholds, T), int
        Keys predicted on.
    sounding : np.ndarray, shape (T,), int
        Keys that truly sound.
    """
    starts = np.arange(0, len(sounding), block)
    tp, on = found.astype(np.int64), predicted.astype(np.int64)
    true = np.broadcast_to(sounding.astype(np.int64), tp.shape)
    lengths = np.diff(starts, append=len(sounding))

    def per_block(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=1)

    return FrameCounts(
        thresholds=thresholds,
        keys=keys,
        block=block,
        frames=np.broadcast_to(lengths, (len(thresholds), len(starts))).copy(),
        tp=per_block(tp),
        fp=per_block(on - tp),
        fn=per_block(true - tp),
        precision=per_block(_ratio(tp, on, empty=1.0)),
        recall=per_block(_ratio(tp, true, empty=1.0)),
        accuracy=per_block(_ratio(tp, on + true - tp, empty=1.0)),
        f1=per_block(_ratio(2 * tp, on + true, empty=1.0)),
    )


def join(counts: Sequence[FrameCounts]) -> FrameCounts:
    """Put the blocks of several recordings one after another: their average is the total over all frames."""
    first = counts[0]
    if any((c.thresholds, c.keys, c.block) != (first.thresholds, first.keys, first.block) for c in counts):
        raise AudeoBenchError("join: found block sums of different thresholds, key ranges or block lengths.")
    sums = {name: np.concatenate([getattr(c, name) for c in counts], axis=1) for name in _SUMS}
    return FrameCounts(first.thresholds, first.keys, first.block, **sums)


def average(
    counts: FrameCounts, kind: Average = "frame_mean", weights: np.ndarray | None = None
) -> FrameMetrics:
    """Average block sums over all their frames.

    Parameters
    ----------
    counts : FrameCounts
    kind : {"frame_mean", "micro"}
    weights : np.ndarray or None, shape (..., blocks)
        How often each block counts, as a bootstrap draws them. None counts each once.

    Returns
    -------
    metrics : FrameMetrics
        Arrays of shape (..., thresholds).
    """
    if kind not in AVERAGES:
        raise AudeoBenchError(f"average: found {kind!r}; choose one of {', '.join(AVERAGES)}.")
    weights = np.ones(counts.blocks) if weights is None else weights

    def total(name: str) -> np.ndarray:
        return weights @ cast(np.ndarray, getattr(counts, name)).T

    if kind == "frame_mean":
        frames = total("frames")
        return FrameMetrics(*(total(name) / frames for name in METRICS))
    return micro(total("tp"), total("fp"), total("fn"))


def metric_values(counts: FrameCounts) -> Iterator[tuple[KeyRange, float, Average, str, float]]:
    """All totals of some block sums: key range, threshold, average, metric and value."""
    for kind in AVERAGES:
        metrics = average(counts, kind)
        for place, threshold in enumerate(counts.thresholds):
            for metric in METRICS:
                yield counts.keys, threshold, kind, metric, float(getattr(metrics, metric)[place])


def micro(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> FrameMetrics:
    """Ratios of summed cells, 0/0 = 0 as in ``mir_eval.multipitch.compute_accuracy``."""
    return FrameMetrics(
        precision=_ratio(tp, tp + fp, empty=0.0),
        recall=_ratio(tp, tp + fn, empty=0.0),
        accuracy=_ratio(tp, tp + fp + fn, empty=0.0),
        f1=_ratio(2 * tp, 2 * tp + fp + fn, empty=0.0),
    )


def check_rolls(truth: np.ndarray, probabilities: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give both rolls back, truth as bool, or say what is wrong with them.

    Raises
    ------
    AudeoBenchError
        Shapes other than (88, T > 0) or unequal, truth that is not on or off, NaN, or values outside 0..1.
    """
    truth, probabilities = np.asarray(truth), np.asarray(probabilities)
    for what, roll in (("truth", truth), ("probabilities", probabilities)):
        if roll.ndim != 2 or roll.shape[0] != KEYS or roll.shape[1] == 0:
            raise AudeoBenchError(f"{name}: found {what} of shape {roll.shape}; give (88, frames).")
        if roll.dtype.kind not in "buif":
            raise AudeoBenchError(f"{name}: found {what} of type {roll.dtype}; give numbers.")
    if truth.shape != probabilities.shape:
        raise AudeoBenchError(
            f"{name}: found {probabilities.shape[1]} frames of probabilities for {truth.shape[1]} of truth; "
            "give one answer a frame."
        )
    low, high = probabilities.min(), probabilities.max()
    if np.isnan(low):
        raise AudeoBenchError(
            f"{name}: found NaN in {np.isnan(probabilities).sum()} cells; give probabilities in 0..1."
        )
    if low < 0 or high > 1:
        raise AudeoBenchError(
            f"{name}: found values from {low:g} to {high:g}; give probabilities in 0..1 (sigmoid them?)."
        )
    if truth.dtype != bool:
        # The release's labels are velocity-like: a whole number, above 0 where the key is on.
        if np.isnan(truth).any() or (truth < 0).any() or (truth != np.floor(truth)).any():
            raise AudeoBenchError(
                f"{name}: found truth that is neither on nor off; give bool, or whole numbers."
            )
        truth = truth > 0
    return truth, probabilities


def _keys_on(roll: np.ndarray) -> np.ndarray:
    """How many keys are on in each frame: (keys, T) bool -> (T,) uint8, at most 88 and so never over 255."""
    return np.add.reduce(np.ascontiguousarray(roll).view(np.uint8), axis=0, dtype=np.uint8)


def _ratio(part: np.ndarray, whole: np.ndarray, empty: float) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), empty), where=whole > 0)
