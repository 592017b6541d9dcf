"""Where in a picture the black keys' rhythm runs: groups of two and three, whatever the view.

Every row of the picture, sheared to a few angles, is cut into dark runs. Six runs whose middles stand as six
black keys in a row do (an octave) hardly ever come by chance; where many do in one row, that row crosses a
keyboard. The runs of that row are numbered outwards from the best octave, and followed up and down along the
keys.

Black keys are numbered along the reading direction of the row: 0 is an A#, 1 a C#, and so on for ever in both
directions. The rhythm is symmetrical about D, so that it cannot tell which way a keyboard is turned.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from audeo_bench.keyboard import IS_BLACK, KEY_X, OCTAVE, WHITE_WIDTH

_BLACK_X = KEY_X[IS_BLACK]
_OCTAVES = np.array([(_BLACK_X[i + 1 : i + 5] - _BLACK_X[i]) / OCTAVE for i in range(5)])
"""Where the four black keys between two of a name stand, as shares of the octave; shape (5, 4)."""

MOST = 3
"""Keyboards looked for in a picture."""
ANGLES = np.arange(-17.5, 17.6, 2.5)
"""Degrees; a strip through the black keys of a whole keyboard bears half a step of tilt."""
WINDOWS = (1 / 16, 1 / 5)
"""Widths of the windows, as shares of the picture's, in which dark and bright are told apart."""
LEAST_CONTRAST = 18.0
ROW_STEP = 2


def black_x(number: np.ndarray | int) -> np.ndarray:
    """The middle of black keys in mm from the left edge of the A below number 0."""
    number = np.asarray(number)
    return OCTAVE * (number // 5) + _BLACK_X[number % 5]


@dataclass(frozen=True)
class Rhythm:
    """Points on numbered black keys.

    Attributes
    ----------
    points : np.ndarray, shape (points, 2)
        x, y in the picture's pixels.
    numbers : np.ndarray, shape (points,), int
        The black key that each lies on.
    line : np.ndarray, shape (2, 2)
        Two points of the line through the middle of what was followed, as the keyboard runs.
    """

    points: np.ndarray
    numbers: np.ndarray
    line: np.ndarray


@dataclass(frozen=True)
class _Rows:
    """The dark runs of a sheared picture, in reading order: row (of every second), middle, width; the octave
    of black keys that starts with each run (0..4: the first key's number, -1: none) and how far it is off.
    """

    back: np.ndarray
    row: np.ndarray
    middle: np.ndarray
    width: np.ndarray
    octave: np.ndarray
    error: np.ndarray


def find_rhythms(picture: np.ndarray) -> list[Rhythm]:
    """The keyboards' rhythms in a picture of shape (height, width), uint8, about 640 wide; clearest first."""
    looks = []
    for angle in ANGLES:
        sheared, back = _shear(picture, float(angle))
        for window in WINDOWS:
            looks.append(_rows(sheared, back, round(window * picture.shape[1])))
    found: list[Rhythm] = []
    free = np.full(picture.shape, 255, np.uint8)
    while len(found) < MOST:
        rhythm = _clearest(looks, free, picture.shape)
        if rhythm is None:
            break
        found.append(rhythm)
        _block(free, rhythm)
    return found


def _shear(picture: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Every second row of the picture with lines of a slope brought level, and the matrix back, (2, 3)."""
    height, width = picture.shape
    slope = np.tan(np.radians(angle))
    forth = np.array([[1, 0, 0], [-slope, 1, slope * width / 2]])
    sheared = cv2.warpAffine(picture, forth, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return cv2.blur(sheared, (1, 3))[::ROW_STEP], cv2.invertAffineTransform(forth)


def _rows(picture: np.ndarray, back: np.ndarray, window: int) -> _Rows:
    picture = picture.astype(np.float32)
    kernel = np.ones((1, window | 1), np.uint8)
    bright, dark = cv2.dilate(picture, kernel), cv2.erode(picture, kernel)
    level = picture - 0.5 * (bright + dark)
    inside = (level < 0) & (bright - dark > np.maximum(LEAST_CONTRAST, 0.25 * bright))
    change = np.diff(inside.astype(np.int8), axis=1)
    starts, ends = np.nonzero(change.ravel() == 1)[0], np.nonzero(change.ravel() == -1)[0]
    columns = change.shape[1]
    following = np.searchsorted(ends, starts)
    starts, following = starts[following < len(ends)], following[following < len(ends)]
    ends = ends[following]
    whole = starts // columns == ends // columns
    row, start, end = starts[whole] // columns, starts[whole] % columns, ends[whole] % columns
    first = start + _crossing(level[row, start], level[row, start + 1])
    last = end + _crossing(level[row, end], level[row, end + 1])
    middle, width = 0.5 * (first + last), last - first
    # Dark lines where two white keys meet are no black keys.
    wide = width > 0.45 * _usual(row, width)
    row, middle, width = row[wide], middle[wide], width[wide]
    octave, error = _match_octaves(row, middle, width)
    return _Rows(back, row, middle, width, octave, error)


def _usual(row: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The median width of every run's row."""
    if not len(row):
        return width
    order = np.lexsort((width, row))
    starts = np.searchsorted(row, row, "left")
    counts = np.searchsorted(row, row, "right") - starts
    return width[order][starts + counts // 2]


def _crossing(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where between two samples the level is 0: 0..1."""
    step = before - after
    return np.clip(np.where(np.abs(step) > 1e-6, before / np.where(step == 0, 1, step), 0.5), 0, 1)


def _match_octaves(row: np.ndarray, middle: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    octave, error = np.full(len(row), -1), np.ones(len(row))
    count = len(row) - 5
    if count < 1:
        return octave, error
    length = middle[5:] - middle[:-5]
    usable = (row[5:] == row[:-5]) & (length > 12)
    length = np.where(usable, length, 1.0)
    places = np.stack([middle[k : count + k] - middle[:count] for k in range(1, 5)], 1) / length[:, None]
    misses = np.abs(places[:, None] - _OCTAVES).max(2)
    best = misses.argmin(1)
    error[:count] = misses[np.arange(count), best]
    widths = np.stack([width[k : count + k] for k in range(6)], 1) / length[:, None]
    usual = np.median(widths, 1)
    usable &= (usual > 0.04) & (usual < 0.12) & (widths.max(1) < 2.2 * usual) & (error[:count] < 0.035)
    octave[:count] = np.where(usable, best, -1)
    return octave, error


def _clearest(looks: list[_Rows], free: np.ndarray, shape: tuple[int, ...]) -> Rhythm | None:
    """The row with the most numbered black keys, outside of what is taken."""
    lines = []
    for look in looks:
        x, y = _to_picture(look.back, look.middle, look.row)
        column, line = x.astype(int).clip(0, shape[1] - 1), y.astype(int).clip(0, shape[0] - 1)
        usable = (look.octave >= 0) & (free[line, column] > 0)
        if usable.any():
            counts = np.bincount(look.row[usable])
            lines.append((int(counts.max()), -abs(float(look.back[1, 0])), int(counts.argmax()), look))
    lines.sort(key=lambda line: line[:2], reverse=True)
    best, most = None, 0
    for count, _, row, look in lines[:6]:
        if count < 2:
            break
        runs, numbers = _number(look, row, shape[1])
        straight = _straight(look.middle[runs], numbers)
        if straight.sum() > most:
            best, most = (look, row, runs[straight], numbers[straight]), int(straight.sum())
    if best is None or most < 7:
        return None
    return _follow(*best)


def _number(look: _Rows, row: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The runs of a row that are black keys, and their numbers, from the octave that lets most be
    numbered.
    """
    runs = np.nonzero(look.row == row)[0]
    middle, thickness = look.middle[runs], look.width[runs]
    best: dict[int, int] = {}
    tried: set[int] = set()
    for seed in sorted(np.nonzero(look.octave[runs] >= 0)[0], key=lambda run: look.error[runs[run]])[:12]:
        if seed in tried:
            continue
        numbers = _grow(middle, thickness, int(seed), int(look.octave[runs[seed]]), width)
        tried |= set(numbers)
        if len(numbers) > len(best):
            best = numbers
    order = sorted(best)
    return runs[order], np.array([best[run] for run in order], int)


def _straight(middle: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Which numbered runs lie within 4 mm of where one view of a straight keyboard has them."""
    x, place = black_x(numbers) / 500, (middle - middle.mean()) / 200
    solution, weight = np.zeros(3), np.ones(len(x))
    miss = np.zeros(len(x))
    for _ in range(8):
        system = np.stack([place, np.ones_like(place), -x * place], 1) * weight[:, None]
        solution = np.linalg.lstsq(system, x * weight, rcond=None)[0]
        depth = np.maximum(solution[2] * place + 1, 0.05)
        miss = ((solution[0] * place + solution[1]) / depth - x) * 500
        weight = 1 / np.sqrt(1 + np.abs(miss) / 2) / depth
    return np.abs(miss) < 4


def _grow(middle: np.ndarray, thickness: np.ndarray, seed: int, octave: int, width: int) -> dict[int, int]:
    """Number outwards from an octave: the next black key is where the last ones lead to, or hidden."""
    numbers = {seed + k: octave + k for k in range(6)}
    for step in (1, -1):
        order = sorted(numbers, reverse=step < 0)
        known = [(numbers[run], middle[run], thickness[run]) for run in order]
        number, hidden = known[-1][0], 0
        while hidden < 6:
            number += step
            last = np.array(known[-12:] if len(known) >= 10 else known[-6:])
            x, at = black_x(last[:, 0].astype(int)), float(black_x(number))
            curve = np.polyfit(x - at, last[:, 1], 2 if len(last) >= 10 else 1)
            place, white = curve[-1], abs(curve[-2]) * WHITE_WIDTH
            if not -white < place < width + white:
                break
            run = int(np.abs(middle - place).argmin())
            usual = np.median(last[:, 2])
            fits = abs(middle[run] - place) < 0.22 * white and 0.5 * usual < thickness[run] < 1.9 * usual
            if fits and run not in numbers:
                numbers[run] = number
                known.append((number, middle[run], thickness[run]))
                hidden = 0
            else:
                hidden += 1
    return numbers


def _follow(look: _Rows, row: int, runs: np.ndarray, numbers: np.ndarray) -> Rhythm:
    """Follow every numbered run up and down its key, as long as it keeps its width."""
    rows = np.searchsorted(look.row, np.arange(look.row.max() + 2))
    middles, lines, keys = [look.middle[runs]], [np.full(len(runs), row)], [numbers]
    for step in (-1, 1):
        alive, middle, width, at = np.ones(len(runs), bool), look.middle[runs], look.width[runs], row
        first_width = width
        while 0 <= at + step < len(rows) - 1:
            at += step
            here = slice(rows[at], rows[at + 1])
            if here.start == here.stop:
                break
            near = np.abs(look.middle[here][None] - middle[:, None]).argmin(1) + here.start
            same = np.abs(look.middle[near] - middle) < 0.3 * first_width
            alive = alive & same & (look.width[near] > 0.6 * width) & (look.width[near] < 1.5 * width)
            if not alive.any():
                break
            middle = np.where(alive, look.middle[near], middle)
            width = np.where(alive, 0.7 * width + 0.3 * look.width[near], width)
            middles.append(middle[alive])
            lines.append(np.full(alive.sum(), at))
            keys.append(numbers[alive])
    middle, at, key = np.concatenate(middles), np.concatenate(lines), np.concatenate(keys)
    slope = _slope(look.middle[runs], numbers, at, key)
    ends = look.middle[runs[[0, -1]]]
    line = np.stack(_to_picture(look.back, ends, np.median(at) + slope * (ends - ends.mean())), 1)
    return Rhythm(np.stack(_to_picture(look.back, middle, at), 1), key, line)


def _slope(middle: np.ndarray, numbers: np.ndarray, rows: np.ndarray, keys: np.ndarray) -> float:
    """How the keyboard slopes in the sheared picture: as the clearer of the black keys' two ends does."""
    fits = []
    for end in (np.minimum, np.maximum):
        reached = np.full(len(numbers), np.inf if end is np.minimum else -np.inf)
        end.at(reached, np.searchsorted(numbers, keys), rows)
        weight = np.ones(len(numbers))
        line, miss = np.zeros(2), np.zeros(len(numbers))
        for _ in range(8):
            system = np.stack([middle, np.ones_like(middle)], 1)
            line = np.linalg.lstsq(system * weight[:, None], reached * weight, rcond=None)[0]
            miss = np.abs(system @ line - reached)
            weight = 1 / (1 + (miss / max(0.7, 1.48 * float(np.median(miss)))) ** 2)
        fits.append((float(np.median(miss)), float(line[0])))
    return min(fits)[1]


def _to_picture(back: np.ndarray, middle: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = np.stack([middle, ROW_STEP * np.asarray(row, float)])
    x, y = back[:, :2] @ points + back[:, 2:]
    return x, y


def _block(free: np.ndarray, rhythm: Rhythm) -> None:
    """Take the black keys' area, and half as much around it, from what is free."""
    centre, size, angle = cv2.minAreaRect(rhythm.points.astype(np.float32))
    grown = (size[0] + min(size), size[1] + min(size))
    box = cv2.boxPoints((centre, grown, angle))
    cv2.fillConvexPoly(free, box.round().astype(np.int32), 0)
