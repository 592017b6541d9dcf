"""From the corpus's frames to what a net looks at: small pictures, stacks of frames, the keyboard at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from audeo_bench.api import Frames, idle_keyboard

STACK = 5
"""Frames in one stack; the net answers for the middle one (paper, section 3)."""


def shrink(window: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Area-average frames to a smaller shape.

    Parameters
    ----------
    window : np.ndarray, shape (n, 100, 900), uint8
    shape : (height, width)

    Returns
    -------
    np.ndarray, shape (n, height, width), uint8
        Rounded to whole grey levels, so that frames read from a cache and frames shrunk on the fly are the
        same.
    """
    n, height, width = window.shape
    if (height, width) == tuple(shape):
        return window
    rows, columns = height // shape[0], width // shape[1]
    if rows * shape[0] == height and columns * shape[1] == width:
        sums = np.zeros((n, *shape), np.uint16)
        for row in range(rows):
            for column in range(columns):
                sums += window[:, row::rows, column::columns]
        return ((sums + rows * columns // 2) // (rows * columns)).astype(np.uint8)
    pixels = torch.from_numpy(np.ascontiguousarray(window)).float()[:, None]
    return F.adaptive_avg_pool2d(pixels, shape)[:, 0].round().to(torch.uint8).numpy()


@dataclass(frozen=True)
class _Small:
    """Frames at a smaller shape, shrunk as they are read."""

    frames: Frames | np.ndarray
    small: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), *self.small

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, window: slice, /) -> np.ndarray:
        return shrink(np.asarray(self.frames[window]), self.small)


def idle_picture(frames: Frames | np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A recording's keyboard at rest at a smaller shape; see :func:`audeo_bench.api.idle_keyboard`.

    Parameters
    ----------
    frames : Frames, or np.ndarray of shape (T, height, width), uint8
        Frames that have the smaller shape already are left as they are.
    shape : (height, width)

    Returns
    -------
    np.ndarray, shape (height, width), uint8
    """
    return idle_keyboard(_Small(frames, shape))


def stack_indices(middle: np.ndarray, total: int, stack: int = STACK) -> np.ndarray:
    """Frame numbers of the stack around each middle frame.

    Where a neighbour is missing the middle frame is repeated, as the authors' release does at inference.

    Parameters
    ----------
    middle : np.ndarray, shape (n,), int
    total : int
        Frames in the recording.
    stack : int
        Frames in a stack, an odd number.

    Returns
    -------
    np.ndarray, shape (n, stack), int
    """
    indices = middle[:, None] + np.arange(-(stack // 2), stack // 2 + 1)
    missing = (indices < 0) | (indices >= total)
    return np.where(missing, middle[:, None], indices)


def to_unit(pixels: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """uint8 pixels -> float32 in 0..1, no further normalisation (as the release)."""
    return torch.tensor(pixels, device=device).float().div_(255)
