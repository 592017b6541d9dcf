"""Weights that were just trained are put where every command looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from audeo_bench.contestants.loading import VARIANT, alone, find, own_weights
from audeo_bench.contestants.module import weights_beside
from audeo_bench.contestants.process import lent
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_writes, sha256_of
from audeo_bench.formats.text import read_json


def place(name: str, weights: Path) -> Path | None:
    """Copy trained weights, and the record of what made them, to where every command finds them.

    Parameters
    ----------
    name : str
        What was trained: ``./my_cnn.py``, ``keywise``, or a chain that ends so.
    weights : Path
        Where the training left them; its folder's name is what the training is called.

    Returns
    -------
    Path or None
        ``weights/my_cnn.safetensors`` beside the file; for a shipped contestant a place in the data home,
        which ``keywise@CALLED`` names. None where nothing was touched: no such name is possible, weights lie
        there that no training of this program wrote, or the folder cannot be written.
    """
    first, *others = [find(part.strip()) for part in name.split("+")]
    last = others[-1] if others else first
    called = weights.parent.name
    if last.shipped and not VARIANT.fullmatch(called):
        return None
    target = own_weights(called) / f"{last.name}.safetensors" if last.shipped else weights_beside(last.path)
    if others:
        target = target.with_name(f"{first.name}+{last.name}.safetensors")
    record = target.with_suffix(".json")
    if target.exists() and not _trained_here(target, record):
        return None
    try:
        with atomic_writes(target, record) as temporaries:
            for source, temporary in zip((weights, weights.with_suffix(".json")), temporaries, strict=True):
                shutil.copyfile(source, temporary)
    except OSError:
        return None
    return target


def typed(name: str, weights: Path) -> str:
    """How commands name what was just trained and placed: ``keywise@CALLED``, or the file as before."""
    first, plus, others = name.partition("+")
    return f"{first}@{weights.parent.name}{plus}{others}" if find(first).shipped else name


def _trained_here(place: Path, record: Path) -> bool:
    try:
        return read_json(record, remedy="").get("weights_sha256") == sha256_of(place)
    except (AudeoBenchError, OSError, AttributeError):
        return False


def load_again(name: str, weights: Path) -> None:
    """Load trained weights as ``midi`` will, in a process of the contestant's own.

    Raises
    ------
    AudeoBenchError
        The contestant's ``load`` does not read what its ``save`` wrote.
    """
    last = name.rpartition("+")[2].strip()
    with lent(alone(last, [f"{find(last).name}={weights}"])):
        pass
