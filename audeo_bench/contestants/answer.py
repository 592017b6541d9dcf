"""Asking a contestant for one answer: seeded before, checked after."""

from __future__ import annotations

import hashlib
import random
import sys
import traceback
from typing import Any

import numpy as np

from audeo_bench.api import KEYS, Recording, RollToMidi, Stage, VideoToRoll
from audeo_bench.contestants.loading import Contestant
from audeo_bench.errors import AudeoBenchError


def answer(stage: Stage, contestant: Contestant, source: Any, recording: Recording) -> np.ndarray:
    """What a loaded contestant answers about frames or a roll: float32, shape (88, len(recording)).

    Raises
    ------
    AudeoBenchError
        It fails, or its answer is no roll; names the file, the line and the recording.
    """
    try:
        if isinstance(stage, VideoToRoll):
            found = stage.roll(source)
        else:
            assert isinstance(stage, RollToMidi), stage
            found = stage.midi(source)
    except (AudeoBenchError, OSError):
        raise
    except Exception as error:
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(contestant.path)
        ]
        where = f", line {lines[-1]}" if lines else ""
        raise AudeoBenchError(
            f"{contestant.path}{where}: {contestant.name} failed on recording {recording.id}: "
            f"{type(error).__name__}: {error} (traceback: run.json)."
        ) from error
    return check_roll(found, len(recording), contestant.name, recording.id)


def check_roll(answer: Any, frames: int, contestant: str, recording: str) -> np.ndarray:
    """A contestant's answer as float32 (float16 stays) of shape (88, frames), or one clear error that says
    what it was instead.
    """

    def refuse(found: str) -> AudeoBenchError:
        return AudeoBenchError(
            f"{contestant}, recording {recording}: the answer must be float32 in [0, 1] of shape "
            f"({KEYS}, {frames}), {found}."
        )

    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
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
    if roll.min() < 0 or roll.max() > 1:
        raise refuse(
            f"but its values run from {roll.min():.4g} to {roll.max():.4g}; apply a sigmoid to logits"
        )
    # Half precision stays, so that a value is held against a threshold as it was answered.
    return np.ascontiguousarray(roll, np.float16 if roll.dtype == np.float16 else np.float32)


def seed_everything(seed: int, recording: str) -> None:
    """Set Python's, numpy's and (where it is loaded) torch's generators for one recording."""
    number = int.from_bytes(hashlib.sha256(f"{seed} {recording}".encode()).digest()[:4], "big")
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 (a stranger's contestant may use numpy's global generator)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(number)
