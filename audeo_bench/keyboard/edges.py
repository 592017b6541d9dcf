"""Where the keys end in depth: which side is the player's, and where front edge and fallboard are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from audeo_bench.keyboard import WHITE_WIDTH
from audeo_bench.keyboard.levelled import SCALE, Levelled
from audeo_bench.keyboard.rhythm import black_x

_FRONT_SHARE = 55 / 95
"""How far white keys stand before the black ones, in lengths of a black key."""


@dataclass(frozen=True)
class Lanes:
    """Brightness along lanes on black keys, and on the white keys to their left and right: (rows, keys)."""

    view: Levelled
    black_x: np.ndarray
    black: np.ndarray
    left: np.ndarray
    right: np.ndarray
    white_level: np.ndarray
    black_level: np.ndarray

    @classmethod
    def of(cls, view: Levelled, numbers: np.ndarray) -> Lanes:
        x = black_x(numbers)
        black, left, right = view.lanes(x), view.lanes(x - 13.0), view.lanes(x + 13.0)
        middle = len(view.grey) // 2
        around = slice(middle - 4, middle + 5)
        white, dark = np.median(np.fmin(left, right)[around], 0), np.median(black[around], 0)
        white, dark = _filled(white), _filled(dark)
        return cls(view, x, black, left, right, white, dark)

    @cached_property
    def _smooth(self) -> np.ndarray:
        return cv2.GaussianBlur(self.view.grey, (0, 0), 0.8)

    def black_zone(self) -> tuple[int, int]:
        """The first and last row in which black keys are darker than their neighbours."""
        contrast = (np.fmin(self.left, self.right) - self.black) / np.maximum(
            self.white_level - self.black_level, 8
        )
        share = _median(np.clip(contrast, -1, 1.5))
        middle = len(share) // 2
        clear = share > 0.5 * max(0.4, float(np.median(share[middle - 6 : middle + 7])))
        top = middle - int(np.argmin(np.append(clear[middle::-1], False))) + 1
        bottom = middle + int(np.argmin(np.append(clear[middle:], False))) - 1
        return top, bottom

    def nearness(self, edge: int, step: int) -> float:
        """How much the rows beyond an end of the black keys look like the fronts of white keys: bright where
        the black keys stood, with a dark line where two white keys meet.
        """
        rows = edge + step * np.arange(round(9 * SCALE), round(38 * SCALE))
        rows = rows[(rows >= 0) & (rows < len(self.view.grey))]
        if len(rows) < 4:
            return -1.0
        middle = 0.5 * (self.white_level + self.black_level)
        across = np.fmin(np.fmin(self.left, self.right), self.black)[rows]
        too_bright = np.fmax(np.fmax(self.left, self.right), self.black)[rows] > 1.6 * self.white_level + 20
        shown = ~np.isnan(across)
        if not shown.any():
            return -1.0
        bright = float(((across > middle) & ~too_bright)[shown].mean())
        meets = np.round(self.black_x / WHITE_WIDTH) * WHITE_WIDTH
        strip = replace(self.view, grey=self.view.grey[rows], seen=self.view.seen[rows])
        sides = np.fmin(strip.lanes(meets - 5.5, 2.0), strip.lanes(meets + 5.5, 2.0))
        dark = (sides - strip.lanes(meets, 1.0)) / np.maximum(self.white_level, 20)
        gap = float(np.nan_to_num(np.median(_median(dark))))
        return bright + float(np.clip(6 * gap, -0.3, 0.9))

    def front_edge(self, top: int, bottom: int) -> tuple[Line, float]:
        """The line where the white fronts end, about where the black keys' length has it."""
        length = bottom - top
        return self.edge(bottom + _FRONT_SHARE * length, 0.16 * length, True, bottom + 0.3 * length)

    def far_edge(self, top: int, bottom: int) -> tuple[Line, float]:
        """The line where the white keys come out from under the fallboard."""
        return self.edge(top - 0.5, 0.10 * (bottom - top), False)

    def edge(self, expected: float, spread: float, falls: bool, low: float = 0.0) -> tuple[Line, float]:
        """The clearest line about a row, straight and nearly level; and how clear it is, 0..1."""
        grey = self._smooth
        first = int(max(0, expected - 3 * spread, low))
        last = int(min(len(grey) - 2, expected + 3 * spread))
        if last - first < 3:
            return Line(expected, 0.0), 0.0
        x = np.unique(np.concatenate([self.black_x - 13, self.black_x + 13]))
        strip = slice(first, last + 2)
        lanes = replace(self.view, grey=grey[strip], seen=self.view.seen[strip]).lanes(x, 3.0)
        whites = np.interp(x, self.black_x, self.white_level)
        steps = np.diff(lanes, axis=0) / np.maximum(whites, 15)
        steps = np.nan_to_num(-steps if falls else steps)
        # A step may take two or three rows; no lane decides alone.
        steps = np.clip(cv2.blur(steps.astype(np.float32), (1, 3)) * 3, -0.8, 0.8)
        centre, half = x.mean(), max(1.0, np.ptp(x) / 2)
        best, line = -1.0, Line(expected, 0.0)
        rows = np.arange(len(steps))
        for tilt in np.linspace(-9, 9, 37):
            shift = tilt * (x - centre) / half
            at = rows[:, None] + shift[None]
            inside = (at >= 0) & (at <= len(steps) - 1)
            whole = at.clip(0, len(steps) - 1)
            base = whole.astype(int).clip(0, max(0, len(steps) - 2))
            part = whole - base
            lane = np.arange(len(x))[None]
            value = (1 - part) * steps[base, lane] + part * steps[base + 1, lane]
            strength = np.where(inside, value, 0).mean(1)
            prior = np.exp(-0.5 * ((rows + first + 0.5 - expected) / spread) ** 2 - 0.5 * (tilt / 6) ** 2)
            score = strength * (0.15 + prior)
            if score.max() > best:
                row = int(score.argmax())
                best = float(score[row])
                line = Line(row + first + 0.5 - tilt * centre / half, tilt / half)
        return line, float(np.clip(best / 0.3, 0, 1))


@dataclass(frozen=True)
class Line:
    """row = start + slope · x, rows of the levelled picture, x in mm."""

    start: float
    slope: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.start + self.slope * x


def _median(values: np.ndarray) -> np.ndarray:
    """Over the last axis, without what is not seen; 0 where nothing is."""
    kept = np.where(np.isnan(values).all(-1, keepdims=True), 0, values)
    return np.nanmedian(kept, -1)


def _filled(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(values), 128.0)
    return np.interp(np.arange(len(values)), np.nonzero(known)[0], values[known])
