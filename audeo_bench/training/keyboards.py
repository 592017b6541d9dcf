"""What happens in one film, on another piano: keyboards out of photographs under the films' hands.

Every film is warped to the same picture of the keyboard, so what differs from one keyboard at rest can be
laid over another. Hands and presses of few films and of the simulated world so come to hundreds of pianos
(docs/notebook/training.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError
from audeo_bench.crew import Unit, crew, fitting
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.formats.npz import read_array
from audeo_bench.formats.picture import read_picture
from audeo_bench.keyboard.finding import SURE, find_keyboard
from audeo_bench.keyboard.rest import alone
from audeo_bench.keyboard.warp import HIGHEST_PITCH, homography
from audeo_bench.nn.frames import shrink
from audeo_bench.places import cache_folder
from audeo_bench.progress import progress_bar
from audeo_bench.roll import LOWEST_PITCH

SHARE = 0.5
"""Of the draws that get another keyboard."""
SMALL, LARGE = 0.12, 0.35
"""Of the picture's contrast: a change up to the first is the keyboard's own and is added to the other one;
one from the second on is something in front of it and hides the other one.
"""
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
FINER = 2
"""How many times finer a photograph is warped than the picture that is made of it."""
_VERSION = 2
"""Goes up whenever other keyboards come of the same photographs."""


@dataclass(frozen=True)
class Photographs:
    """A folder of photographs, or stills, of pianos from above.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @cached_property
    def paths(self) -> list[Path]:
        """Its pictures, by name.

        Raises
        ------
        AudeoBenchError
            No such folder, or no picture in it.
        """
        if not self.folder.is_dir():
            raise AudeoBenchError(
                f"{self.folder}: no such folder; give one of photographs of pianos from above."
            )
        found = sorted(path for path in self.folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not found:
            raise AudeoBenchError(
                f"{self.folder}: no picture ({', '.join(SUFFIXES)}) in it; give photographs of pianos from "
                "above."
            )
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the pictures."""
        digests = "".join(sha256_of(path) for path in self.paths)
        return hashlib.sha256(f"{_VERSION} {digests}".encode()).hexdigest()

    def keyboards(self, workers: int | None = None) -> np.ndarray:
        """The keyboards that are found for certain and whole, without hands; found on first use and kept.

        Parameters
        ----------
        workers : int or None
            As for :func:`audeo_bench.crew.crew`; None for as many as are worth their start.

        Returns
        -------
        np.ndarray, shape (n, 100, 900), uint8

        Raises
        ------
        AudeoBenchError
            No picture shows a whole keyboard.
        """
        kept = cache_folder() / "keyboards" / f"{self.digest[:16]}.npy"
        if not kept.is_file():
            units = [Unit(path.name, _keyboard, (path,)) for path in self.paths]
            found = {}
            with (
                progress_bar("finding keyboards", len(units), "pictures") as bar,
                crew(fitting(len(units)) if workers is None else workers) as who,
            ):
                for unit, keyboard in who.done(units):
                    found[unit.name] = keyboard
                    bar.advance()
            whole = [found[unit.name] for unit in units if found[unit.name] is not None]
            if not whole:
                raise AudeoBenchError(
                    f"{self.folder}: none of {len(units)} pictures shows all 88 keys for certain; see "
                    "`audeo-bench keyboard PICTURE`."
                )
            with atomic_write(kept) as temporary, temporary.open("wb") as file:
                np.save(file, np.stack(whole))
        return read_array(kept, [], remedy="delete it, and the keyboards are looked for again")

    def at(self, shape: tuple[int, int], workers: int | None = None) -> list[np.ndarray]:
        """:meth:`keyboards` at (height, width)."""
        return list(shrink(self.keyboards(workers), shape))


def _keyboard(path: Path) -> np.ndarray | None:
    """A picture's keyboard at rest, (100, 900), uint8; None where it is not found whole and for certain."""
    picture = read_picture(path, color=True, remedy="take it out of the folder")
    try:
        found = find_keyboard(picture)
    except AudeoBenchError:
        return None
    whole = (found.lowest_key, found.highest_key) == (LOWEST_PITCH, HIGHEST_PITCH)
    if not whole or found.confidence <= SURE:
        return None
    first = 0.5 / FINER - 0.5
    finer = np.array([[1 / FINER, 0, first], [0, 1 / FINER, first], [0, 0, 1]])
    size = FRAME_WIDTH * FINER, FRAME_HEIGHT * FINER
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) if picture.ndim == 3 else picture
    warped = cv2.warpPerspective(grey, homography(found.corners) @ finer, size, flags=flags)
    return alone(cv2.resize(warped, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_AREA))


def on_another(
    stacks: np.ndarray, keyboards: Sequence[np.ndarray], rng: np.random.Generator, share: float = SHARE
) -> None:
    """Lay what happens in some of the stacks over other keyboards, in place.

    Parameters
    ----------
    stacks : np.ndarray, shape (n, pictures, height, width), uint8
        The last picture is the keyboard at rest.
    keyboards : sequence of np.ndarray, each (height, width), uint8
        At rest.
    rng : np.random.Generator
    share : float
        Of the stacks.
    """
    for stack in stacks:
        if rng.random() < share:
            other = keyboards[int(rng.integers(len(keyboards)))]
            rest = stack[-1].copy()
            black, white = np.percentile(rest[::2, ::4], [5, 85])
            white_there = np.percentile(other[::2, ::4], 85)
            contrast = max(float(white - black), 20.0)
            gain = float(white_there) / max(float(white), 20.0)
            _lay(stack, rest, other, np.float32(gain), np.float32(contrast))


@njit(cache=True, fastmath=True)
def _lay(stack, rest, other, gain, contrast):
    pictures, height, width = stack.shape
    steep = np.float32(1) / ((LARGE - SMALL) * contrast)
    least = np.float32(SMALL) * contrast
    for picture in range(pictures - 1):
        for row in range(height):
            for column in range(width):
                now = np.float32(stack[picture, row, column])
                change = now - np.float32(rest[row, column])
                hides = min(max((abs(change) - least) * steep, np.float32(0)), np.float32(1))
                level = (1 - hides) * (other[row, column] + gain * change) + hides * gain * now
                stack[picture, row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
    stack[pictures - 1] = other
