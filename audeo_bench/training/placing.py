"""Weights that were just trained are put where every command looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from audeo_bench.contestants.loading import alone, find
from audeo_bench.contestants.module import weights_beside
from audeo_bench.contestants.process import lent
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_writes, sha256_of
from audeo_bench.formats.text import read_json


def place_beside(name: str, weights: Path) -> Path | None:
    """Copy trained weights, and the record of what made them, beside the contestant's file.

    Parameters
    ----------
    name : str
        What was trained: ``./my_cnn.py``, or a chain that ends so.
    weights : Path
        Where the training left them.

    Returns
    -------
    Path or None
        ``weights/my_cnn.safetensors`` beside the file. None where nothing was touched: the contestant is a
        shipped one, weights lie there that no training of this program wrote, or the folder cannot be
        written.
    """
    first, *others = [find(part.strip()) for part in name.split("+")]
    last = others[-1] if others else first
    if last.shipped:
        return None
    place = weights_beside(last.path)
    if others:
        place = place.with_name(f"{first.name}+{last.name}.safetensors")
    record = place.with_suffix(".json")
    if place.exists() and not _trained_here(place, record):
        return None
    try:
        with atomic_writes(place, record) as temporaries:
            for source, temporary in zip((weights, weights.with_suffix(".json")), temporaries, strict=True):
                shutil.copyfile(source, temporary)
    except OSError:
        return None
    return place


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
