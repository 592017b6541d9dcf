"""Before and after a contestant's answer: generators are seeded, what comes back is checked."""

from __future__ import annotations

import hashlib
import random
import sys
from typing import Any

import numpy as np

from audeo_bench.api import KEYS
from audeo_bench.errors import AudeoBenchError

SLACK = 1e-6
"""How far beyond 0..1 a value may lie and is clipped: what rounding does to a softmax or a sum of weights."""


def check_roll(answer: Any, frames: int, contestant: str, recording: str) -> np.ndarray:
    """A contestant's answer, floats of any precision or bool, as float32 (float16 stays) of shape
    (88, frames), or one clear error that says what it was instead.
    """

    def refuse(found: str) -> AudeoBenchError:
        return AudeoBenchError(
            f"{contestant}, recording {recording}: the answer must be floats in [0, 1] or bool, of shape "
            f"({KEYS}, {frames}), {found}."
        )

    answer = _without_torch(answer)
    if np.ma.isMaskedArray(answer):
        raise refuse("but it is a masked array, and a masked cell is no answer; fill it with probabilities")
    try:
        roll = np.asarray(answer)
    except Exception as error:
        raise refuse(f"but it is {type(answer).__name__}, which is no array ({error})") from error
    if roll.dtype != np.bool_ and not np.issubdtype(roll.dtype, np.floating):
        raise refuse(f"but its dtype is {roll.dtype}")
    if roll.shape != (KEYS, frames):
        turned = "; it looks transposed" if roll.shape == (frames, KEYS) else ""
        raise refuse(f"but its shape is {roll.shape}{turned}")
    if not np.isfinite(roll).all():
        key, frame = np.argwhere(~np.isfinite(roll))[0]
        raise refuse(
            f"but {(~np.isfinite(roll)).sum()} values are not finite, first at key {key}, frame {frame}"
        )
    if roll.size and (roll.min() < -SLACK or roll.max() > 1 + SLACK):
        raise refuse(
            f"but its values run from {roll.min():.4g} to {roll.max():.4g}; apply a sigmoid to logits"
        )
    # Half precision stays, so that a value is held against a threshold as it was answered.
    dtype = np.float16 if roll.dtype == np.float16 else np.float32
    return np.clip(np.ascontiguousarray(roll, dtype), 0, 1)


def check_sound(answer: Any, contestant: str, recording: str) -> np.ndarray:
    """Mono samples as float32, or one clear error that says what they were instead."""
    answer = _without_torch(answer)
    samples, masked = np.asarray(answer), np.ma.isMaskedArray(answer)
    if samples.ndim != 1 or samples.dtype.kind != "f" or masked or not np.isfinite(samples).all():
        raise AudeoBenchError(
            f"{contestant}, recording {recording}: the sound must be finite mono float samples at 16 kHz, "
            f"but it is {'masked ' if masked else ''}{samples.dtype} of shape {samples.shape}."
        )
    return np.ascontiguousarray(samples, np.float32)


def _without_torch(answer: Any) -> Any:
    """What numpy can read: a tensor on the processor without gradients, of a type that numpy knows."""
    if not hasattr(answer, "detach"):
        return answer
    answer = answer.detach().cpu()
    return answer.float() if str(answer.dtype) == "torch.bfloat16" else answer


def seed_everything(seed: int, recording: str) -> None:
    """Set Python's, numpy's and (where it is loaded) torch's generators for one recording."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {recording}".encode()).digest()[:4], "big")
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 (a stranger's contestant may use numpy's global generator)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(number)
