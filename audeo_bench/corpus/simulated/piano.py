"""The keyboard as the camera sees it without hands: all keys up, and what each pressed key changes.

Every ray is followed once, through black keys, white keys, gaps, key slip and fallboard; a frame is then
``up + sum(depth[k] * patches[k])``.

A key that is down lies in a pit: the walls of its neighbours hide the sky from it and shade it, one of their
flanks comes into sight, and its front edge moves away from where the others' edges are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.optics import plane_to_picture
from audeo_bench.keyboard import (
    BLACK_HEIGHT,
    BLACK_LENGTH,
    IS_BLACK,
    KEY_DIP,
    KEY_X,
    WHITE_LENGTH,
    WHITE_WIDTH,
)

PATCH_WIDTH = 52
_PIVOT = 230.0
_BLACK_FRONT = WHITE_LENGTH - BLACK_LENGTH
_SLOT = 6.4
"""Half the width of the slot in the white keys through which a black key comes up."""
_FACE = 20.0
"""Height of a white key's front."""
_WHITE_KEYS = np.flatnonzero(~IS_BLACK)
# Which black key stands on the line left of each of the 52 white keys (-1: none), and where.
_BLACK_AT = np.array([k - 1 if k and IS_BLACK[k - 1] else -1 for k in _WHITE_KEYS] + [-1])
_BLACK_X = np.where(_BLACK_AT >= 0, KEY_X[_BLACK_AT], -1e6)


class _View(NamedTuple):
    """What the compiled functions need to know of a look: numbers and arrays only."""

    to_plane: np.ndarray
    camera: np.ndarray
    lean_x: float
    lean_y: float
    ambient: float
    shade: float
    white: float
    black: float
    half_gap: float
    gap: float
    flank: float
    sheen: float
    sheen_at: float
    sheen_length: float
    felt: float
    felt_width: float
    fallboard: float
    face: float
    slip: float
    slip_at: float
    slip_below: float
    cheek: float
    dimming: float
    wear: np.ndarray
    black_x: np.ndarray
    black_at: np.ndarray
    white_keys: np.ndarray


@dataclass(frozen=True)
class Piano:
    """Pictures of one piano under one light.

    Attributes
    ----------
    up : np.ndarray, shape (100, 900), float32
        All keys up.
    patches : np.ndarray, shape (88, 100, 52), float32
        What is added where a key is fully down.
    columns : np.ndarray, shape (88,), int64
        The picture's column where each patch begins.
    rows : np.ndarray, shape (88, 2), int64
        First row, and the one after the last, where a patch is not zero.
    light : np.ndarray, shape (100, 900), float32
        How much light falls on each place, around 1; already in the pictures above.
    """

    up: np.ndarray
    patches: np.ndarray
    columns: np.ndarray
    rows: np.ndarray
    light: np.ndarray


@njit(cache=True)
def _sink(y: float) -> float:
    return KEY_DIP * (1.0 - y / _PIVOT)


@njit(cache=True)
def _lane(white: int, y: float, black_x: np.ndarray) -> tuple[float, float, bool, bool]:
    """Left and right edge of a white key's top at depth ``y``, and on which sides a black key stands."""
    left, right = white * WHITE_WIDTH, (white + 1) * WHITE_WIDTH
    wall_left = wall_right = False
    if y > _BLACK_FRONT - 1.5:
        if black_x[white] > 0.0:
            left, wall_left = black_x[white] + _SLOT, True
        if black_x[white + 1] > 0.0:
            right, wall_right = black_x[white + 1] - _SLOT, True
    return left, right, wall_left, wall_right


@njit(cache=True)
def _hidden(distance: float, height: float) -> float:
    """Share of an even sky that an endless wall takes from a level place beside it."""
    if height <= 0.0:
        return 0.0
    return 0.5 * (1.0 - distance / np.sqrt(distance * distance + height * height))


@njit(cache=True)
def _black(x0: float, y0: float, slope_x: float, slope_y: float, view: _View, pressed: int) -> float:
    """Grey level where the ray meets a black key, or -1."""
    if y0 < _BLACK_FRONT - 16.0:
        return -1.0
    end = x0 + slope_x * BLACK_HEIGHT
    low, high = min(x0, end) - 9.0, max(x0, end) + 9.0
    for line in range(max(0, int(np.floor(low / WHITE_WIDTH))), min(52, int(high / WHITE_WIDTH) + 2)):
        key = view.black_at[line]
        if key < 0 or view.black_x[line] < low + 3.0 or view.black_x[line] > high - 3.0:
            continue
        sunk = 0.0
        if key == pressed:
            sunk = _sink(y0) * 0.95
        height = BLACK_HEIGHT - sunk
        for step in range(7):
            z = height * (1.0 - step / 6.0)
            down = (height - z) / BLACK_HEIGHT
            x, y = x0 + slope_x * z, y0 + slope_y * z
            half = 4.4 + 1.1 * down
            front = _BLACK_FRONT + 4.5 * (1.0 - down)
            if y < front or y > WHITE_LENGTH or abs(x - view.black_x[line]) > half:
                continue
            level = view.black * view.wear[key]
            towards = (x - view.black_x[line]) * view.lean_x > 0
            if step == 0:
                side = (x - view.black_x[line]) / half
                edge = max(0.0, abs(side) - 0.72) / 0.28
                level += (0.1 * view.white if towards else -5.0) * edge
                # The lamp's reflection wanders when the key tilts.
                centre = view.sheen_at - (16.0 if key == pressed else 0.0)
                away = (y - centre) / (view.sheen_length * 2.2)
                level += view.sheen * np.exp(-away * away) * (0.35 + 0.65 * max(0.0, 1.0 - abs(side - 0.3)))
                level += 14.0 * max(0.0, 1.0 - (y - front) / 5.0)
                return level * (1.0 - 0.25 * (sunk > 0.0))
            if y < front + 1.2 and abs(x - view.black_x[line]) < half - 0.4:
                return level + (34.0 if key != pressed else 20.0) * (1.0 - 0.6 * down)  # type: ignore[return-value]
            return max(2.0, level + (9.0 if towards else -7.0))  # type: ignore[return-value]
    return -1.0


@njit(cache=True)
def _before_keys(y0: float, inside: float, slope_y: float, sunk: float, view: _View) -> float:
    """Grey level before the front edge of a key that has sunk by ``sunk``: its face, the gap, the slip.

    ``inside`` is the distance to the key's nearer side.
    """
    # Seen from the player's side a ray goes on under the edge until it meets the face, unless the slip is
    # before it.
    if slope_y < 0.0:
        at_slip = (-view.slip_at - y0) / slope_y
        if y0 >= -view.slip_at or -at_slip < view.slip_below:
            depth = y0 / slope_y
            if depth < _FACE + sunk and inside > view.half_gap:
                shade = 1.0 - 0.6 * max(0.0, depth - sunk) / _FACE - 0.35 * min(1.0, sunk / 6.0)
                return view.white * view.face * max(0.05, shade)
            return 12.0
    y = y0 - slope_y * view.slip_below
    if y > -view.slip_at:
        return 14.0
    shine = 0.35 * np.exp(-(((y + view.slip_at + 2.0) / 1.6) ** 2))
    return view.slip * (1.0 + shine)


@njit(cache=True)
def _shade(x0: float, y0: float, view: _View, pressed: int) -> float:
    """Grey level, before illumination, of the ray through (x0, y0) of the key plane; ``pressed``: -1 none."""
    slope_x, slope_y = (view.camera[0] - x0) / view.camera[2], (view.camera[1] - y0) / view.camera[2]
    level = _black(x0, y0, slope_x, slope_y, view, pressed)
    if level >= 0.0:
        return level
    if y0 > WHITE_LENGTH:
        if y0 < WHITE_LENGTH + view.felt_width:
            return view.felt
        away = (y0 - WHITE_LENGTH - view.felt_width - 3.0) / 1.5
        return view.fallboard * (1.0 + 0.5 * np.exp(-away * away))
    white = int(np.floor(x0 / WHITE_WIDTH))
    if white < 0 or white > 51:
        return view.cheek if y0 > -view.slip_at else view.slip
    left, right, wall_left, wall_right = _lane(white, y0, view.black_x)
    if x0 < left or x0 > right:
        # Beyond the slot's middle line the neighbour's top begins.
        if x0 < left and x0 < left - 2.0 * _SLOT:
            white -= 1
        elif x0 > right and x0 > right + 2.0 * _SLOT:
            white += 1
        else:
            return 14.0
        left, right, wall_left, wall_right = _lane(white, y0, view.black_x)
    key = view.white_keys[white]
    sunk, x, y = 0.0, x0, y0
    if key == pressed:
        sunk = _sink(y0)
        x, y = x0 - slope_x * sunk, y0 - slope_y * sunk
    if y < 0.0:
        return _before_keys(y0, min(x0 - left, right - x0), slope_y, sunk, view)
    if sunk > 0.0:
        left, right, wall_left, wall_right = _lane(white, y, view.black_x)
        if x < left or x > right:
            # The flank of a neighbour: under a black key it is in the dark of the slot.
            beside_black = wall_left if x < left else wall_right
            return 14.0 if beside_black else view.white * view.flank * (0.6 + 0.4 * view.ambient)
    to_left, to_right = x - left, right - x
    inside = min(to_left, to_right)
    # A gap is thinner than the distance between rays.
    gap = min(1.0, max(0.0, 0.5 + (view.half_gap - inside) / 0.7))
    # Walls on both sides: black keys stand above every white one, other white ones above a sunk one.
    high_left, high_right = sunk, sunk
    if wall_left:
        high_left += BLACK_HEIGHT
        if view.black_at[white] == pressed:
            high_left -= 0.95 * _sink(y)
    if wall_right:
        high_right += BLACK_HEIGHT
        if view.black_at[white + 1] == pressed:
            high_right -= 0.95 * _sink(y)
    # White walls give back what black ones swallow.
    sky = 1.0
    if not wall_left:
        sky -= 0.4 * _hidden(to_left, sunk)
    if not wall_right:
        sky -= 0.4 * _hidden(to_right, sunk)
    for line in (white, white + 1):
        black = view.black_at[line]
        if black >= 0 and y > _BLACK_FRONT - 30.0:
            # A black key's wall begins at its front; a place before that sees less of it.
            distance, behind = max(0.7, abs(x - view.black_x[line]) - 5.5), y - _BLACK_FRONT - 2.0
            length = 0.5 * (1.0 + behind / np.sqrt(behind * behind + (distance + 4.0) * (distance + 4.0)))
            high = BLACK_HEIGHT + sunk - (0.95 * _sink(y) if black == pressed else 0.0)
            sky -= length * _hidden(distance, high)
    reach = view.lean_x * high_right - to_right if view.lean_x > 0 else -view.lean_x * high_left - to_left
    walled = (high_right if view.lean_x > 0 else high_left) > 0.0
    shadow = min(1.0, max(0.0, 0.5 + reach / 2.0)) if walled else 0.0
    if view.lean_y > 0.0 and y < _BLACK_FRONT:
        # Black fronts throw their shadows towards the player.
        for line in (white, white + 1):
            black = view.black_at[line]
            if black < 0:
                continue
            high = BLACK_HEIGHT + sunk - (0.95 * _sink(y) if black == pressed else 0.0)
            long = view.lean_y * high - (_BLACK_FRONT - y)
            middle = view.black_x[line] - view.lean_x / view.lean_y * (_BLACK_FRONT - y)
            if abs(x - middle) < 5.5:
                shadow = max(shadow, min(1.0, max(0.0, 0.5 + long / 2.0)))
    level = view.white * view.wear[key]
    level *= view.ambient * sky + (1.0 - view.ambient) * (1.0 - view.shade * shadow)
    level *= 1.0 - 0.10 * max(0.0, 1.0 - y / 3.0) - 0.05 * max(0.0, 1.0 - (inside - view.half_gap))
    level *= 1.0 - 0.10 * max(0.0, (y - 60.0) / 90.0)
    if sunk > 0.0:
        level *= 1.0 - view.dimming * (1.0 - 0.6 * y / WHITE_LENGTH)
    return level * (1.0 - gap) + view.gap * (0.5 if sunk > 0.0 else 1.0) * gap  # type: ignore[return-value]


@njit(cache=True)
def _look(first: int, last: int, top: int, bottom: int, view: _View, pressed: int) -> np.ndarray:
    """Average 2x2 rays a pixel for columns first..last and rows top..bottom."""
    picture = np.zeros((bottom - top, last - first), np.float32)
    to_plane = view.to_plane
    for row in range(top, bottom):
        for column in range(first, last):
            total = 0.0
            for ray in range(4):
                u = column + (ray % 2 + 0.5) / 2
                v = row + (ray // 2 + 0.5) / 2
                depth = to_plane[2, 0] * u + to_plane[2, 1] * v + to_plane[2, 2]
                x = (to_plane[0, 0] * u + to_plane[0, 1] * v + to_plane[0, 2]) / depth
                y = (to_plane[1, 0] * u + to_plane[1, 1] * v + to_plane[1, 2]) / depth
                total += _shade(x, y, view, pressed)
            picture[row - top, column - first] = total / 4
    return picture


def _places(to_plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on the key plane every pixel's middle lies: x and y in mm, each (100, 900), float32."""
    row, column = np.mgrid[0.5:FRAME_HEIGHT, 0.5:FRAME_WIDTH]
    x, y, depth = np.einsum("ij,jrc->irc", to_plane, np.stack([column, row, np.ones_like(row)]))
    return (x / depth).astype(np.float32), (y / depth).astype(np.float32)


def illuminate(appearance: Appearance) -> np.ndarray:
    """The light's gradient and large soft shadow over the picture, shape (100, 900), float32, around 1."""
    row, column = np.mgrid[-1 : 1 : FRAME_HEIGHT * 1j, -1 : 1 : FRAME_WIDTH * 1j]
    terms = np.stack([np.ones_like(row), column, row, column**2, column * row, row**2])
    light = (appearance.illumination[:, None, None] * terms).sum(0)
    place, width, slope, depth = appearance.cast_shadow
    edge = ((column + 1) / 2 - place - slope * row * 0.15) / width
    return (light * (1 - abs(depth) / (1 + np.exp(-np.sign(depth) * 4 * edge)))).astype(np.float32)


def build_piano(appearance: Appearance) -> Piano:
    """Look at the piano of ``appearance`` once with all keys up and once for every pressed key."""
    to_picture = plane_to_picture(appearance)
    camera = np.array(appearance.camera)
    light = appearance.light
    view = _View(
        np.linalg.inv(to_picture),
        camera,
        light[0] / light[2],
        light[1] / light[2],
        appearance.ambient,
        # Of several lamps one throws the shadows.
        1.4 * appearance.shadow_strength,
        appearance.white_level,
        appearance.black_level,
        appearance.gap_width / 2,
        appearance.gap_level,
        appearance.flank_level,
        *appearance.sheen,
        *appearance.felt,
        appearance.fallboard_level,
        appearance.face_level,
        *appearance.slip,
        appearance.cheek_level,
        appearance.press_dimming,
        appearance.wear,
        _BLACK_X,
        _BLACK_AT,
        _WHITE_KEYS,
    )
    lit = illuminate(appearance)
    up = _look(0, FRAME_WIDTH, 0, FRAME_HEIGHT, view, -1)
    x, y = _places(view.to_plane)
    level, wide = appearance.strip
    shown = level * np.exp(-(((y - WHITE_LENGTH) / wide) ** 2))
    bright, middle, along, across = appearance.burst
    patches = np.zeros((88, FRAME_HEIGHT, PATCH_WIDTH), np.float32)
    columns = np.zeros(88, np.int64)
    for key in range(88):
        # What stands up leans away from the camera.
        lean = (KEY_X[key] - camera[0]) / camera[2] * (7.0 if IS_BLACK[key] else -4.0)
        column, _, factor = to_picture @ [KEY_X[key] + lean, WHITE_LENGTH / 2, 1]
        columns[key] = np.clip(round(column / factor) - PATCH_WIDTH // 2, 0, FRAME_WIDTH - PATCH_WIDTH)
        begin, end = columns[key], columns[key] + PATCH_WIDTH
        down = _look(begin, end, 0, FRAME_HEIGHT, view, key)
        patches[key] = (down - up[:, begin:end]) * lit[:, begin:end]
        if bright:
            place = slice(begin, end)
            away = ((x[:, place] - KEY_X[key]) / along) ** 2 + ((y[:, place] - middle) / across) ** 2
            patches[key] += np.where(away < 9, bright * np.exp(-away), 0)
    filled = np.abs(patches).max(2) > 0
    rows = np.stack([filled.argmax(1), FRAME_HEIGHT - filled[:, ::-1].argmax(1)], 1)
    return Piano(up * lit + shown, patches, columns, rows, lit)
