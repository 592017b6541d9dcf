"""How far the crop that a set's file gives lies from the corners that are found in the film itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.corpus.films.preparing import Job, given_corners
from audeo_bench.corpus.sets.here import films_of, open_set
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write
from audeo_bench.film.finding import keyboard_in_film
from audeo_bench.keyboard import WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.keyboard.warp import whole_keyboard, worst_key
from audeo_bench.progress import progress_bar

__all__ = ["CropBeside", "beside", "crops_of"]


class CropBeside(BaseModel):
    """A crop beside the corners that were found.

    Attributes
    ----------
    film_sha256 : str
    crop, corners : eight floats
        A0 far, C8 far, C8 near, A0 near in film pixels.
    confidence : float
        Of the found corners, 0..1.
    pixels : float
        Mean distance of the four corners, in film pixels.
    keys : float
        How far the key that lies worst is beside its place, in widths of a white key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    film_sha256: str
    crop: tuple[float, ...]
    corners: tuple[float, ...]
    confidence: float
    pixels: float
    keys: float


def beside(crop: np.ndarray, corners: np.ndarray) -> tuple[float, float]:
    """Mean distance of four corners in pixels, and the worst key's place in widths of a white key.

    Parameters
    ----------
    crop, corners : np.ndarray, shape (4, 2)
        A0 far, C8 far, C8 near, A0 near in film pixels; ``corners`` are taken for the truth.
    """
    pixels = float(np.linalg.norm(crop - corners, axis=1).mean())
    return pixels, worst_key(crop, corners, (WHITE_LENGTH / 2,)) / WHITE_WIDTH


def crops_of(place: str) -> Iterator[CropBeside | AudeoBenchError]:
    """Measure every film of a set that is here and has a crop; what was measured is kept.

    Parameters
    ----------
    place : str
        A set's name, or the path of its file.

    Yields
    ------
    CropBeside, or AudeoBenchError where no keyboard is found.
    """
    name = open_set(place)[0].name
    jobs = [Job(name, here) for here in films_of(place) if here.film.crop is not None]
    with progress_bar("crops beside found corners", len(jobs), "films") as bar:
        for job in jobs:
            try:
                yield _measured(job)
            except AudeoBenchError as fault:
                yield fault
            bar.advance(1)


def _measured(job: Job) -> CropBeside:
    crop = given_corners(job.here.film, job.here.path)
    assert crop is not None
    path = job.folder / "crop.json"
    try:
        kept = CropBeside.model_validate_json(path.read_text(encoding="utf-8"))
        if kept.film_sha256 == job.here.sha256 and kept.crop == tuple(crop.ravel().tolist()):
            return kept
    except (OSError, UnicodeDecodeError, ValidationError):
        pass  # not measured yet
    found, _ = keyboard_in_film(job.here.path)
    corners = whole_keyboard(found.corners, found.lowest_key, found.highest_key)
    pixels, keys = beside(crop, corners)
    measured = CropBeside(
        id=job.here.film.id,
        film_sha256=job.here.sha256,
        crop=tuple(crop.ravel().tolist()),
        corners=tuple(np.round(corners, 2).ravel().tolist()),
        confidence=round(float(found.confidence), 3),
        pixels=round(pixels, 2),
        keys=round(keys, 3),
    )
    with atomic_write(path) as temporary:
        temporary.write_text(measured.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return measured
