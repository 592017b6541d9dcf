"""Checkpoints of the authors' release: PyTorch files, read as tensors alone."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from audeo_bench.api import AudeoBenchError
from audeo_bench.formats.archive import open_archive
from audeo_bench.formats.regular import regular_file

RELEASE_SUFFIXES = (".pth", ".pt", ".tar")
"""How the release's checkpoints end: Video2Roll's ``.pth``; Roll2Midi's training writes ``.tar``."""

LIMIT = 2**30
"""Bytes of a checkpoint, packed and unpacked; Roll2Midi's with its optimisers has 120 million."""
TUPLES = 20_000
"""A parameter takes four."""


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
    regular_file(path, "copy it again", LIMIT)
    try:
        _check_sizes(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        # PyTorch's message is a page about switching the check off; of use is what the file asked for.
        asked = re.search(r"GLOBAL (\S+)", str(fault))
        found = f"it asks for {asked[1].rstrip('.')}" if asked else "it is no file of tensors"
        raise AudeoBenchError(
            f"{path}: refused, {found}; a checkpoint may hold nothing but tensors. None of it was run."
        ) from fault
    except Exception as fault:  # a damaged file fails in any way it likes
        first = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise AudeoBenchError(
            f"{path}: not a readable PyTorch checkpoint ({first}); copy it again."
        ) from fault


def _check_sizes(path: Path) -> None:
    """Refuse what would unpack to more than the limit, or nest so deeply that to hash it ends the process."""
    if zipfile.is_zipfile(path):
        with open_archive(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LIMIT:
                raise ValueError(f"more than {LIMIT:,} bytes when unpacked")
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    _check_nesting(io.BytesIO(archive.read(name)), 1)
        return
    with path.open("rb") as file:  # before PyTorch 1.6: four pickles one after the other
        _check_nesting(file, 4)


def _check_nesting(file: IO[bytes], pickles: int) -> None:
    tuples = 0
    for _ in range(pickles):
        for operation, _, _ in pickletools.genops(file):
            tuples += operation.name.startswith("TUPLE")
            if tuples > TUPLES:
                raise ValueError(f"more than {TUPLES:,} tuples")
