"""Where a film's keyboard is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.film.reading import still_pictures
from audeo_bench.keyboard.finding import Keyboard, find_keyboard


def keyboard_in_film(
    path: Path | str, samples: int = 32, lowest_key: int | None = None
) -> tuple[Keyboard, np.ndarray]:
    """Find the keyboard in a film.

    Parameters
    ----------
    path : Path or str
    samples : int
        Pictures spread over the film whose median is searched.
    lowest_key : int, optional
        As for :func:`find_keyboard`.

    Returns
    -------
    keyboard : Keyboard
        In film pixels as displayed.
    still : np.ndarray, shape (height, width), uint8
        The median.

    Raises
    ------
    AudeoBenchError
        The film cannot be read, or shows no keyboard.
    """
    pictures = still_pictures(path, samples)
    still = np.median(pictures, axis=0).astype(np.uint8)
    try:
        return find_keyboard(still, lowest_key), still
    except AudeoBenchError as fault:
        raise AudeoBenchError(f"{path}: {fault}") from None
