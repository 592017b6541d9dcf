"""What the camera sees before the piano, under the hands: a table or the floor, and the player's legs, which
sway a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

ROOM = 24
"""Columns by which the legs may sway to either side."""


@dataclass(frozen=True)
class Lap:
    """Lengths in mm of the key plane, brightness in grey levels before illumination.

    Attributes
    ----------
    edge : float
        How far before the keys the piano ends.
    floor_level : float
        The table or the floor.
    legs : bool
        Whether a player's legs are seen.
    legs_level : float
    middle, gap, width : float
        Where the player sits, how far apart the legs are, how wide one is.
    splay : float
        mm by which a leg leads outwards for every mm towards the player.
    shade : float
        Share of light that the piano takes at its edge.
    folds : tuple of 3 floats
        Depth of the cloth's folds, their phase, their direction in radians.
    stripes : tuple of 2 floats
        Contrast of the cloth's stripes, and their period.
    sway : float
        How far the legs move to either side at most; 0 for a player who sits still.
    """

    edge: float
    floor_level: float
    legs: bool
    legs_level: float
    middle: float
    gap: float
    width: float
    splay: float
    shade: float
    folds: tuple[float, float, float]
    stripes: tuple[float, float]
    sway: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Lap:
        """Draw a player's seat and clothes; three of four times legs are seen."""
        return cls(
            edge=rng.uniform(10, 36),
            floor_level=rng.uniform(5, 235),
            legs=bool(rng.random() < 0.75),
            legs_level=rng.uniform(6, 235),
            middle=rng.uniform(380, 840),
            gap=float(rng.choice([0.0, 1.0], p=[0.25, 0.75])) * rng.uniform(10, 170),
            width=rng.uniform(115, 190),
            splay=rng.uniform(-0.4, 0.7),
            shade=rng.uniform(0.1, 0.8),
            folds=(rng.uniform(0.0, 0.14), rng.uniform(0, 2 * np.pi), rng.uniform(0, np.pi)),
            stripes=(float(rng.random() < 0.2) * rng.uniform(0.1, 0.6), rng.uniform(7, 30)),
            sway=float(rng.random() < 0.6) * rng.uniform(2, 16),
        )

    def swaying(self, times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """mm by which the legs stand to the right of their place at ``times`` in seconds, float32."""
        slow, slower = rng.uniform(0.08, 0.35), rng.uniform(0.02, 0.08)
        phases = rng.uniform(0, 2 * np.pi, 2)
        waves = np.sin(2 * np.pi * np.stack([slow * times, slower * times]).T + phases)
        return (self.sway * (waves @ [0.4, 0.6])).astype(np.float32)

    def _shaded(self, y: np.ndarray) -> np.ndarray:
        """Share of light that reaches ``y`` past the piano's edge."""
        inside = np.clip((-y - self.edge) / 40.0, 0, 1)
        return 1 - self.shade * (1 - inside) ** 2

    def floor(self, y: np.ndarray) -> np.ndarray:
        """Grey level of table or floor at depth ``y`` (negative before the keys), where no leg is."""
        return self.floor_level * self._shaded(y)

    def cloth(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Grey level of the legs at points of the key plane, and whether there is a leg (0 or 1)."""
        splay = self.splay * (-y - self.edge)
        side = np.abs(x - self.middle)
        across = (side - self.gap / 2 - splay - self.width / 2) / (self.width / 2)
        there = self.legs & (np.abs(across) < 1)
        round_ = np.sqrt(np.clip(1 - across**2, 0, 1))
        depth, phase, direction = self.folds
        along = np.cos(direction) * x + np.sin(direction) * y
        fold = np.sin(along * 0.21 + phase + 0.8 * np.sin(0.05 * y + 0.03 * x))
        contrast, period = self.stripes
        level = self.legs_level * (0.5 + 0.5 * round_) * (1 + depth * fold)
        level = level * (1 - contrast * (np.sin(2 * np.pi * side / period) > 0))
        return level * self._shaded(y), there.astype(float)


@dataclass(frozen=True)
class LapPicture:
    """The strip before the piano, from ``first`` to the picture's last row.

    Attributes
    ----------
    first : int
        Its first row.
    bare : np.ndarray, shape (rows, columns), float32
        The picture without legs.
    cloth, share : np.ndarray, shape (rows, columns + 2 * ROOM), float32
        The legs' grey level times their share of the pixel, and that share; ``ROOM`` columns wider than the
        picture on either side.
    free : np.ndarray, shape (rows, columns), float32
        1 where the piano does not hide them.
    """

    first: int
    bare: np.ndarray
    cloth: np.ndarray
    share: np.ndarray
    free: np.ndarray


def look_down(lap: Lap, up: np.ndarray, light: np.ndarray, homography: np.ndarray) -> LapPicture:
    """Draw the strip once.

    Parameters
    ----------
    lap : Lap
    up : np.ndarray, shape (rows, columns), float32
        The piano; what it shows further before the keys than the lap's edge is covered.
    light : np.ndarray, shape (rows, columns), float32
        How much light falls on each place, around 1.
    homography : np.ndarray, shape (3, 3)
        From (x, y, 1) on the key plane to (column, row, 1) times a factor.
    """
    rows, columns = up.shape
    to_plane = np.linalg.inv(homography)
    # Four samples a pixel.
    v, u = np.mgrid[0.25:rows:0.5, -ROOM + 0.25 : columns + ROOM : 0.5]
    depth = to_plane[2, 0] * u + to_plane[2, 1] * v + to_plane[2, 2]
    x = (to_plane[0, 0] * u + to_plane[0, 1] * v + to_plane[0, 2]) / depth
    y = (to_plane[1, 0] * u + to_plane[1, 1] * v + to_plane[1, 2]) / depth
    outside = (y < -lap.edge).astype(float)
    level, there = lap.cloth(x, y)

    def pixels(samples: np.ndarray) -> np.ndarray:
        return samples.reshape(rows, 2, -1, 2).mean((1, 3))

    inside = slice(ROOM, ROOM + columns)
    free = pixels(outside)[:, inside]
    bare = up * (1 - free) + pixels(lap.floor(y) * outside)[:, inside] * light
    seen = (free > 0).any(1)
    first = int(seen.argmax()) if seen.any() else rows
    wide = np.pad(light, ((0, 0), (ROOM, ROOM)), mode="edge")
    parts = (bare, pixels(level * there) * wide, pixels(there), free)
    return LapPicture(first, *(np.ascontiguousarray(part[first:], np.float32) for part in parts))


@njit(cache=True)
def sit(picture, dirty, first, bare, cloth, share, free, shift):
    """Paint the strip into ``picture``, its legs ``shift`` columns to the right of their place; ``dirty``
    marks the columns in which legs are, or would be in their place.
    """
    width = bare.shape[1]
    shift = min(max(shift, np.float32(2 - ROOM)), np.float32(ROOM - 2))
    whole = int(np.floor(shift))
    near = np.float32(shift - whole)
    far = np.float32(1) - near
    for row in range(len(bare)):
        out = picture[first + row]
        for column in range(width):
            at = ROOM + column - whole
            seen = free[row, column] * (far * share[row, at] + near * share[row, at - 1])
            level = free[row, column] * (far * cloth[row, at] + near * cloth[row, at - 1])
            out[column] = bare[row, column] * (np.float32(1) - seen) + level
            if seen > 0 or share[row, ROOM + column] > 0:
                dirty[column] = True
