"""From points on numbered black keys to the plane of the keys: where x is, where the keys begin and end in
depth.

The reading frame: x in mm from the left edge of the A below black key 0, along the row; y in mm, 0 at the
front edge of the white keys and 150 at their far end, once both are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from audeo_bench.keyboard import WHITE_LENGTH, WHITE_WIDTH
from audeo_bench.keyboard.rhythm import OCTAVE, Rhythm, black_x

SCALE = 0.75
"""Pixels a mm of the levelled picture."""
REACH = 230.0
"""Millimetres that the levelled picture shows to either side of the row in which the rhythm was found."""
WIDEST = 1800
LEAST_KEYS = 6
_LANE = 3.5
_FRONT_SHARE = 55 / 95
"""How far white keys stand before the black ones, in lengths of a black key."""


@dataclass(frozen=True)
class Levelled:
    """The picture in the reading frame, rows downwards.

    Attributes
    ----------
    grey : np.ndarray, shape (rows, columns), float32
    seen : np.ndarray, shape (rows, columns), bool
        Where the picture is.
    left, top : float
        x of the first column's and y of the first row's middle, mm; y falls downwards.
    """

    grey: np.ndarray
    seen: np.ndarray
    left: float
    top: float

    def turned(self) -> Levelled:
        """Rows in the opposite order."""
        return replace(self, grey=self.grey[::-1], seen=self.seen[::-1])

    def columns(self, x: np.ndarray | float) -> np.ndarray:
        """Fractional columns of x in mm."""
        return (np.asarray(x, float) - self.left) * SCALE

    def rows(self, y: np.ndarray | float) -> np.ndarray:
        """Fractional rows of y in mm."""
        return (self.top - np.asarray(y, float)) * SCALE

    def lanes(self, x: np.ndarray, half: float = _LANE) -> np.ndarray:
        """Mean brightness of the lanes around every x, NaN where not seen: (rows, lanes)."""
        low = np.round(self.columns(x - half)).astype(int)
        high = np.maximum(np.round(self.columns(x + half)).astype(int), low + 1)
        width = self.grey.shape[1]
        inside = (low >= 0) & (high <= width)
        low, high = low.clip(0, width), high.clip(0, width)
        bright, counted = self._sums
        total, count = bright[:, high] - bright[:, low], counted[:, high] - counted[:, low]
        return np.where(inside & (count >= 0.8 * (high - low)), total / np.maximum(count, 1), np.nan)

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray]:
        bright = np.zeros((self.grey.shape[0], self.grey.shape[1] + 1))
        counted = np.zeros(bright.shape, np.int32)
        np.cumsum(np.where(self.seen, self.grey, 0), 1, out=bright[:, 1:])
        np.cumsum(self.seen, 1, out=counted[:, 1:])
        return bright, counted


@dataclass(frozen=True)
class Plane:
    """The plane of the keys in a picture.

    Attributes
    ----------
    matrix : np.ndarray, shape (3, 3)
        From the picture's pixels to the reading frame.
    upside_down : bool
        The player sits above: y grows downwards in the picture.
    numbers : np.ndarray, shape (keys,), int
        The black keys that were found.
    bend : np.ndarray, shape (keys,)
        How far each stands to the right of where the plane has it, mm: the lens bends, and black keys are
        higher than white ones.
    residual : float
        Mean distance in mm of the points from the keys' middles.
    side_margin : float
        How much clearer the near side is near than the far one, 0 where nothing tells.
    front, far : float
        How clearly the front edge and the far end are seen, 0..1.
    """

    matrix: np.ndarray
    upside_down: bool
    numbers: np.ndarray
    bend: np.ndarray
    residual: float
    side_margin: float
    front: float
    far: float

    def bent(self, x: np.ndarray) -> np.ndarray:
        """Where x of the keyboard is seen in the reading frame, mm."""
        return x + np.interp(x, black_x(self.numbers), self.bend)


def fit_x(points: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, float]:
    """The first and third row of a homography that maps pixels to x, robustly; and the mean miss in mm.

    Returns
    -------
    rows : np.ndarray, shape (2, 3)
    miss : float
    """
    centre, unit = points.mean(0), 100.0
    u, v = ((points - centre) / unit).T
    x = black_x(numbers).astype(float)
    middle, span = x.mean(), max(1.0, float(np.ptp(x)))
    goal = (x - middle) / span
    system = np.stack([u, v, np.ones_like(u), -goal * u, -goal * v], 1)
    solution = np.linalg.lstsq(system, goal, rcond=None)[0]
    miss = goal
    for step in range(10):
        depth = np.maximum(solution[3] * u + solution[4] * v + 1, 0.05)
        place = (solution[:3] @ [u, v, np.ones_like(u)]) / depth
        miss = (goal - place) * span
        # Gauss-Newton; from a bounded pull of far points to hardly any.
        spread = max(0.7, 1.48 * float(np.median(np.abs(miss))))
        ratio = np.abs(miss) / (2 * spread)
        weight = 1 / (1 + ratio) if step < 5 else 1 / (1 + ratio**2) ** 2
        slopes = np.stack([u, v, np.ones_like(u), -place * u, -place * v], 1) / depth[:, None]
        normal = slopes.T @ (slopes * weight[:, None])
        pull = slopes.T @ (weight * miss / span)
        solution = solution + np.linalg.solve(normal + 1e-9 * np.trace(normal) * np.eye(5), pull)
    first = span * solution[:3] + middle * np.array([solution[3], solution[4], 1.0])
    move = np.array([[1 / unit, 0, -centre[0] / unit], [0, 1 / unit, -centre[1] / unit], [0, 0, 1]])
    rows = np.array([first, [solution[3], solution[4], 1.0]]) @ move
    return rows, float(np.median(np.abs(miss)))


def provisional(rhythm: Rhythm) -> tuple[np.ndarray, float]:
    """A plane with y = 0 on the rhythm's row, y upwards in the picture, and as many pixels a mm across as
    along.
    """
    rows, miss = fit_x(rhythm.points, rhythm.numbers)
    (x0, y0), (x1, y1) = rhythm.line
    line = np.array([y0 - y1, x1 - x0, (y1 - y0) * x0 - (x1 - x0) * y0])
    matrix = np.array([rows[0], line if line[1] < 0 else -line, rows[1]])
    return _isotropic(matrix, rhythm.points.mean(0)), miss


def _isotropic(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    along, across = _gradients(matrix, point)
    scaled = matrix.copy()
    scaled[1] *= np.hypot(*along) / np.hypot(*across)
    return scaled


def _gradients(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    mapped = matrix @ [*point, 1.0]
    return (matrix[:2, :2] * mapped[2] - np.outer(mapped[:2], matrix[2, :2])) / mapped[2] ** 2


def level(picture: np.ndarray, matrix: np.ndarray, y_middle: float = 0.0, reach: float = REACH) -> Levelled:
    """Warp the picture into the reading frame of ``matrix``, as far along x as the picture shows it at
    y_middle.
    """
    height, width = picture.shape
    left, right = _seen_x(matrix, width, height, y_middle)
    columns = max(2, int(min(WIDEST, (right - left) * SCALE + 1)))
    rows = int(2 * reach * SCALE)
    top = y_middle + reach
    to_canvas = np.array([[SCALE, 0, -SCALE * left], [0, -SCALE, SCALE * top], [0, 0, 1.0]]) @ matrix
    shrinks = 1 / np.hypot(*_gradients(to_canvas, _centre(matrix, 0.5 * (left + right), y_middle))[0])
    source = cv2.GaussianBlur(picture, (0, 0), 0.4 * shrinks) if 1.5 < shrinks < 50 else picture
    grey = cv2.warpPerspective(source, to_canvas, (columns, rows), flags=cv2.INTER_LINEAR).astype(np.float32)
    seen = cv2.warpPerspective(
        np.full(picture.shape, 255, np.uint8), to_canvas, (columns, rows), flags=cv2.INTER_LINEAR
    )
    return Levelled(grey, seen > 250, left, top)


def _centre(matrix: np.ndarray, x: float, y: float) -> np.ndarray:
    point = np.linalg.solve(matrix, [x, y, 1.0])
    return point[:2] / point[2]


def _seen_x(matrix: np.ndarray, width: int, height: int, y: float) -> tuple[float, float]:
    """The range of x in mm that the picture shows on the line of y."""
    line = matrix[1] - y * matrix[2]
    columns = np.arange(width, dtype=float)
    if abs(line[1]) < 1e-12:
        return 0.0, OCTAVE
    rows = -(line[0] * columns + line[2]) / line[1]
    inside = (rows > -0.1 * height) & (rows < 1.1 * height)
    points = np.stack([columns, rows, np.ones(width)])[:, inside]
    depth = matrix[2] @ points
    usual = np.sign(np.median(depth))
    x = (matrix[0] @ points / depth)[(depth * usual) > 0.15 * np.abs(np.median(depth))]
    return float(x.min()), float(x.max())


def find_plane(picture: np.ndarray, rhythm: Rhythm, upside_down: bool | None = None) -> Plane:
    """The plane of the keys: which side is the player's, and where the white keys begin and end in depth.

    Parameters
    ----------
    picture : np.ndarray, shape (height, width), uint8
        The one that the rhythm was found in.
    rhythm : Rhythm
    upside_down : bool, optional
        Where the player sits, if it is known; seen in the picture if left out.
    """
    matrix, miss = provisional(rhythm)
    numbers = np.unique(rhythm.numbers)
    canvas = level(picture, matrix)
    sides = []
    for turned in (False, True) if upside_down is None else (upside_down,):
        view = _Lanes.of(canvas.turned() if turned else canvas, numbers)
        top, bottom = view.black_zone()
        near, beyond = view.nearness(bottom, 1), view.nearness(top, -1)
        front_line, front = view.front_edge(top, bottom)
        far_line, far = view.far_edge(top, bottom)
        sides.append((near - beyond + front + 0.5 * far, turned, front_line, far_line, front, far))
    sides.sort(key=lambda side: side[0], reverse=True)
    score, turned, front_line, far_line, front, far = sides[0]
    margin = score - sides[-1][0] if len(sides) > 1 else np.inf
    ends = np.array([canvas.left, canvas.left + (canvas.grey.shape[1] - 1) / SCALE])
    rows = np.concatenate([far_line(ends), front_line(ends)])
    if turned:
        rows = len(canvas.grey) - 1 - rows
    found = np.stack([np.tile(ends, 2), canvas.top - rows / SCALE], 1)
    film = cv2.perspectiveTransform(found[:, None], np.linalg.inv(matrix))[:, 0]
    bend = np.zeros(len(numbers))
    return Plane(_with_depth(matrix, film), turned, numbers, bend, miss, float(margin), front, far)


def _with_depth(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The matrix whose y is 150 on the first two points and 0 on the last two, x as before (least
    squares).
    """
    homogeneous = np.column_stack([points, np.ones(4)])
    depth = homogeneous @ matrix[2]
    goal = np.array([WHITE_LENGTH, WHITE_LENGTH, 0.0, 0.0]) * depth
    centre, unit = points.mean(0), np.abs(points - points.mean(0)).max()
    scaled = np.column_stack([(points - centre) / unit, np.ones(4)])
    solution = np.linalg.lstsq(scaled, goal, rcond=None)[0]
    row = np.array([solution[0] / unit, solution[1] / unit, solution[2] - solution[:2] @ centre / unit])
    return np.array([matrix[0], row, matrix[2]])


@dataclass(frozen=True)
class _Lanes:
    """Brightness along lanes on black keys, and on the white keys to their left and right: (rows, keys)."""

    view: Levelled
    black_x: np.ndarray
    black: np.ndarray
    left: np.ndarray
    right: np.ndarray
    white_level: np.ndarray
    black_level: np.ndarray

    @classmethod
    def of(cls, view: Levelled, numbers: np.ndarray) -> _Lanes:
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
        bright = float(np.nanmean(np.where(np.isnan(across), np.nan, (across > middle) & ~too_bright)))
        meets = np.round(self.black_x / WHITE_WIDTH) * WHITE_WIDTH
        strip = replace(self.view, grey=self.view.grey[rows], seen=self.view.seen[rows])
        sides = np.fmin(strip.lanes(meets - 5.5, 2.0), strip.lanes(meets + 5.5, 2.0))
        dark = (sides - strip.lanes(meets, 1.0)) / np.maximum(self.white_level, 20)
        gap = float(np.nan_to_num(np.median(_median(dark))))
        bright = float(np.nan_to_num(bright))
        return bright + float(np.clip(6 * gap, -0.3, 0.9))

    def front_edge(self, top: int, bottom: int) -> tuple[_Line, float]:
        """The line where the white fronts end, about where the black keys' length has it."""
        length = bottom - top
        return self.edge(bottom + _FRONT_SHARE * length, 0.16 * length, True, bottom + 0.3 * length)

    def far_edge(self, top: int, bottom: int) -> tuple[_Line, float]:
        """The line where the white keys come out from under the fallboard."""
        return self.edge(top - 0.5, 0.10 * (bottom - top), False)

    def edge(self, expected: float, spread: float, falls: bool, low: float = 0.0) -> tuple[_Line, float]:
        """The clearest line about a row, straight and nearly level; and how clear it is, 0..1."""
        grey = self._smooth
        first = int(max(0, expected - 3 * spread, low))
        last = int(min(len(grey) - 2, expected + 3 * spread))
        if last - first < 3:
            return _Line(expected, 0.0), 0.0
        x = np.unique(np.concatenate([self.black_x - 13, self.black_x + 13]))
        strip = slice(first, last + 2)
        lanes = replace(self.view, grey=grey[strip], seen=self.view.seen[strip]).lanes(x, 3.0)
        whites = np.interp(x, self.black_x, self.white_level)
        steps = np.diff(lanes, axis=0) / np.maximum(whites, 15)
        steps = np.nan_to_num(-steps if falls else steps)
        # A step may take two or three rows; no lane decides alone.
        steps = np.clip(cv2.blur(steps.astype(np.float32), (1, 3)) * 3, -0.8, 0.8)
        centre, half = x.mean(), max(1.0, np.ptp(x) / 2)
        best, line = -1.0, _Line(expected, 0.0)
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
                line = _Line(row + first + 0.5 - tilt * centre / half, tilt / half)
        return line, float(np.clip(best / 0.3, 0, 1))


@dataclass(frozen=True)
class _Line:
    """row = start + slope · x, rows of the levelled picture, x in mm."""

    start: float
    slope: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.start + self.slope * x


def _median(values: np.ndarray) -> np.ndarray:
    """Over the last axis, without what is not seen; 0 where nothing is."""
    kept = np.where(np.isnan(values).all(-1, keepdims=True), 0, values)
    return np.nanmedian(kept, -1)


def running_median(values: np.ndarray, width: int) -> np.ndarray:
    """The median over ``width`` (odd) neighbours, the ends repeated."""
    padded = np.pad(values, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), 1)


def _filled(values: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(values), 128.0)
    return np.interp(np.arange(len(values)), np.nonzero(known)[0], values[known])


def extend(picture: np.ndarray, rhythm: Rhythm, plane: Plane) -> tuple[Plane, Levelled] | None:
    """Number the black keys that the rhythm's row did not show, outwards from those that it did, and fit the
    plane to all; and the picture levelled by it. None where too few black keys stand in the plane.
    """
    numbers, matrix, miss = plane.numbers, plane.matrix, plane.residual
    view = level(picture, matrix, 75.0, 150.0)
    for _ in range(2):
        rows = np.round(view.rows(np.arange(70.0, 140.0, 2.0))).astype(int)
        profile = np.median(view.grey[rows], 0)
        seen = view.seen[rows].mean(0) > 0.6
        found = _dips(view, profile, seen, numbers)
        if len(found) < LEAST_KEYS:
            return None
        points = np.array([[x, y] for _, x in found for y in (80.0, 105.0, 130.0)])
        film = cv2.perspectiveTransform(points[:, None], np.linalg.inv(matrix))[:, 0]
        keys = np.repeat([number for number, _ in found], 3)
        known = np.isin(rhythm.numbers, [number for number, _ in found])
        # As many of the points that were followed as of those that were not.
        every = max(1, int(known.sum() / max(1, len(keys))))
        followed = np.nonzero(known)[0][::every]
        rows_x, miss = fit_x(
            np.concatenate([film, rhythm.points[followed]]), np.concatenate([keys, rhythm.numbers[followed]])
        )
        ends = np.array([[x, y] for y in (WHITE_LENGTH, 0.0) for x in black_x(numbers[[0, -1]])])
        edges = cv2.perspectiveTransform(ends[:, None], np.linalg.inv(matrix))[:, 0]
        matrix = _with_depth(np.array([rows_x[0], rows_x[0], rows_x[1]]), edges)
        grown = np.unique([number for number, _ in found])
        view = level(picture, matrix, 75.0, 150.0)
        if len(grown) == len(numbers):
            numbers = grown
            break
        numbers = grown
    lanes = _Lanes.of(view, numbers)
    front_line, front = lanes.edge(float(view.rows(0.0)), 12 * SCALE, True)
    far_line, far = lanes.edge(float(view.rows(WHITE_LENGTH)), 12 * SCALE, False)
    ends = black_x(numbers[[0, -1]])
    found = np.concatenate(
        [np.stack([ends, view.top - line(ends) / SCALE], 1) for line in (far_line, front_line)]
    )
    film = cv2.perspectiveTransform(found[:, None], np.linalg.inv(matrix))[:, 0]
    matrix = _with_depth(matrix, film)
    view = level(picture, matrix, 75.0, 150.0)
    at = np.round(view.rows(np.arange(70.0, 140.0, 2.0))).astype(int)
    dips = _dips(view, np.median(view.grey[at], 0), view.seen[at].mean(0) > 0.6, numbers)
    numbers = np.array([number for number, _ in dips])
    bend = running_median(np.array([x for _, x in dips]) - black_x(numbers), 5)
    return replace(
        plane, matrix=matrix, numbers=numbers, bend=bend, residual=miss, front=front, far=far
    ), view


def _dips(
    view: Levelled, profile: np.ndarray, seen: np.ndarray, numbers: np.ndarray
) -> list[tuple[int, float]]:
    """Black keys and where they are seen, x in mm. Outwards from the middle of those known, each is looked
    for where the misses of the last ones lead.
    """
    found: dict[int, float] = {}
    start = int(numbers[len(numbers) // 2])
    for step, number in ((1, start), (-1, start - 1)):
        inner = sorted(found)[:4]
        misses, hidden = [found[key] - float(black_x(key)) for key in inner[::-1]], 0
        while hidden < 6:
            place = float(black_x(number))
            expected = place + (float(np.median(misses[-3:])) if misses else 0.0)
            column = int(view.columns(expected))
            if not 4 < column < len(profile) - 4 or not seen[column]:
                break
            x = _dip(view, profile, expected)
            hidden = 0 if x is not None else hidden + 1
            if x is not None:
                found[number] = x
                misses.append(x - place)
            number += step
    return sorted(found.items())


def _dip(view: Levelled, profile: np.ndarray, expected: float) -> float | None:
    """The middle of the dark run at an expected x, mm; None where there is none of a black key's width."""
    low, high = (round(float(c)) for c in view.columns(np.array([expected - 24.0, expected + 24.0])))
    low, high = max(0, low), min(len(profile), high + 1)
    part = profile[low:high]
    if len(part) < 12:
        return None
    x = view.left + np.arange(low, high) / SCALE
    near = np.abs(x - expected) < 7.0
    floor = part[near].min()
    before, after = part[x < expected].max(initial=0), part[x > expected].max(initial=0)
    wing = min(before, after)
    # Both neighbours are white keys in much the same light.
    if wing - floor < max(6.0, 0.25 * wing) or wing < 0.55 * max(before, after):
        return None
    dark = part < 0.5 * (wing + floor)
    at = int(np.nonzero(near)[0][part[near].argmin()])
    first, last = at, at
    while first > 0 and dark[first - 1]:
        first -= 1
    while last + 1 < len(part) and dark[last + 1]:
        last += 1
    width = (last - first + 1) / SCALE
    middle = 0.5 * (x[first] + x[last])
    return float(middle) if 5.0 < width < 25.0 and abs(middle - expected) < 7.0 else None
