"""Checkpoints of the authors' release: PyTorch files, read as tensors alone."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audeo_bench.api import AudeoBenchError

RELEASE_SUFFIXES = (".pth", ".pt", ".tar")
"""How the release's checkpoints end: Video2Roll's ``.pth``; Roll2Midi's training writes ``.tar``."""


def read_release_checkpoint(path: Path) -> dict[str, Tensor]:
    """The parameters in a checkpoint, by name; nothing in the file is executed.

    Of a Roll2Midi checkpoint (``state_dict_G``, ``state_dict_D`` and their optimisers) the generator's are
    given. A ``module.`` in front of every name, which training on several devices leaves, is taken off.

    Raises
    ------
    AudeoBenchError
        Not a PyTorch file, a file that asks for anything but tensors, or one without parameters.
    """
    content = _tensors_only(path)
    state = content.get("state_dict_G", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise AudeoBenchError(
            f"{path}: holds no net's parameters; give a checkpoint of the authors' release."
        )
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return dict(state)


def _tensors_only(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        # PyTorch's message is a page about switching the check off; of use is what the file asked for.
        asked = re.search(r"GLOBAL (\S+)", str(fault))
        found = f"it asks for {asked[1].rstrip('.')}" if asked else "it is no file of tensors"
        raise AudeoBenchError(
            f"{path}: refused, {found}; a checkpoint may hold nothing but tensors. None of it was run."
        ) from fault
    except (RuntimeError, ValueError, EOFError, OSError, KeyError, TypeError, AttributeError) as fault:
        first = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise AudeoBenchError(
            f"{path}: not a readable PyTorch checkpoint ({first}); copy it again."
        ) from fault
