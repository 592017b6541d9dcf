"""From a decoded picture to the grey one that is asked for: upright, cut out or warped to the keyboard."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError
from audeo_bench.keyboard.warp import homography

__all__ = ["KeyboardView", "display_matrix", "displayed", "turn_of", "upright"]

# Its threads do not live on in a forked worker, which then waits for them for ever; this work is spread over
# processes, and the decoder has threads of its own.
cv2.setNumThreads(1)

LEAST_SEEN = 0.1
"""The share of the keyboard's picture that must lie in the film's."""
_FULL = 2
_FROM_LIMITED = np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)


def display_matrix(frame: VideoFrame) -> np.ndarray | None:
    """The film's rotation flag: 9 numbers of FFmpeg's fixed point, int32."""
    data = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else np.frombuffer(bytes(data), np.int32)


def turn_of(frame: VideoFrame) -> np.ndarray:
    """The film's rotation flag, snapped to quarter turns and mirrorings.

    Returns
    -------
    np.ndarray, shape (2, 2), int
        Takes a step (right, down) in the stored picture to the step in the displayed one.
    """
    flag = display_matrix(frame)
    if flag is None:
        return np.eye(2, dtype=int)
    matrix = flag[[0, 3, 1, 4]].reshape(2, 2).astype(np.float64)
    crossed = np.abs(np.diag(matrix)).sum() < np.abs(np.diag(matrix[::-1])).sum()
    kept = np.where(np.eye(2, dtype=bool) ^ crossed, np.sign(matrix), 0).astype(int)
    return kept if abs(kept).sum() == 2 else np.eye(2, dtype=int)


def upright(picture: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """A stored picture of shape (h, w) as it is displayed; a view."""
    if turn[0, 0] == 0:
        picture = picture.T
    return picture[:: int(turn[1].sum()), :: int(turn[0].sum())]


def displayed(frame: VideoFrame, size: tuple[int, int], turn: np.ndarray) -> np.ndarray:
    """The whole picture, grey, 0..255, as displayed: (height, width), uint8. ``size`` is the stored one."""
    grey, limited = _grey(frame, size, (0, 0, *size))
    return np.ascontiguousarray(upright(_FROM_LIMITED[grey] if limited else grey, turn))


class KeyboardView:
    """Makes the benchmark's picture of a keyboard out of a film's pictures.

    Parameters
    ----------
    size : tuple of 2 ints
        Width and height of the stored pictures.
    turn : np.ndarray, shape (2, 2)
        Of :func:`turn_of`.
    corners : np.ndarray, shape (4, 2), or None
        A0 far, C8 far, C8 near, A0 near in displayed pixels, counted from the first one's centre; what lies
        outside of the film is black.
    crop : tuple of 4 ints or None
        left, top, right, bottom in displayed pixels, the last two exclusive; used where there are no corners.

    Raises
    ------
    AudeoBenchError
        The corners span no keyboard, or nearly all of it lies outside of the picture.
    """

    def __init__(
        self,
        size: tuple[int, int],
        turn: np.ndarray,
        corners: np.ndarray | None,
        crop: tuple[int, int, int, int],
    ) -> None:
        self._size, self._turn = size, turn
        self._maps: tuple[np.ndarray, np.ndarray] | None = None
        if corners is None:
            low, high = np.array(crop, float).reshape(2, 2) - 0.5
            ends = _project(_to_stored(size, turn), np.array([low, high])) + 0.5
            left, top = np.rint(ends.min(0)).astype(int)
            right, bottom = np.rint(ends.max(0)).astype(int)
            self._box = int(left), int(top), int(right), int(bottom)
            self._small = (FRAME_WIDTH, FRAME_HEIGHT) if turn[0, 0] else (FRAME_HEIGHT, FRAME_WIDTH)
        else:
            self._warp(homography(corners))

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        """The frame's keyboard: (100, 900), uint8."""
        grey, limited = _grey(frame, self._size, self._box)
        if grey.shape[::-1] != self._small:
            grey = cv2.resize(grey, self._small, interpolation=cv2.INTER_AREA)
        if self._maps is None:
            grey = np.ascontiguousarray(upright(grey, self._turn))
        else:
            grey = cv2.remap(grey, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return cv2.LUT(grey, _FROM_LIMITED) if limited else grey

    def _warp(self, matrix: np.ndarray) -> None:
        """Where each pixel of the keyboard's picture lies in the part of the film that shows the keyboard,
        after that part was shrunk so that one of its pixels is at most about one of the keyboard's picture.
        """
        width, height = self._size
        rows, columns = np.mgrid[:FRAME_HEIGHT, :FRAME_WIDTH].astype(np.float64)
        x, y, scale = np.tensordot(
            _to_stored(self._size, self._turn) @ matrix, [columns, rows, np.ones_like(rows)], 1
        )
        if scale.min() <= 0 <= scale.max():
            raise AudeoBenchError("the corners span a plane that runs through the camera; give them anew.")
        x, y = x / scale, y / scale
        seen = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
        if seen.mean() < LEAST_SEEN:
            raise AudeoBenchError(
                f"the corners lie outside of the picture of {width}x{height}: {seen.mean():.0%} of the "
                f"keyboard is seen, {LEAST_SEEN:.0%} are needed."
            )
        shrink = []
        for place in (x, y):
            footprint = float(np.hypot(*np.gradient(place))[seen].min())
            # Whole numbers are shrunk several times faster; what remains is less than a half.
            shrink.append(1.0 if footprint < 1.25 else footprint if footprint < 2 else float(int(footprint)))
        low, small, maps = [], [], []
        for place, factor, limit in zip((x, y), shrink, (width, height), strict=True):
            first = max(0, int(place[seen].min() - 2 * factor))
            count = max(1, int(np.ceil((min(limit, place[seen].max() + 2 * factor + 1) - first) / factor)))
            # Whole blocks only, unless the picture ends before.
            last = min(limit, first + round(count * factor))
            low += [first, last]
            small.append(max(1, round((last - first) / factor)))
            maps.append((place - first + 0.5) * small[-1] / (last - first) - 0.5)
        self._box = low[0], low[2], low[1], low[3]
        self._small = small[0], small[1]
        # Far outside is as black as just outside, and fits the maps' fixed point.
        across, down = (
            np.clip(p, -2, end + 1).astype(np.float32) for p, end in zip(maps, small, strict=True)
        )
        self._maps = cv2.convertMaps(across, down, cv2.CV_16SC2)


def _to_stored(size: tuple[int, int], turn: np.ndarray) -> np.ndarray:
    """From displayed to stored pixels, both counted from pixel centres: (3, 3)."""
    stored = (np.array(size) - 1) / 2
    shown = np.abs(turn) @ stored
    matrix = np.eye(3)
    matrix[:2, :2] = turn.T
    matrix[:2, 2] = stored - turn.T @ shown
    return matrix


def _project(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def _grey(
    frame: VideoFrame, size: tuple[int, int], box: tuple[int, int, int, int]
) -> tuple[np.ndarray, bool]:
    """A part of the stored picture as 8-bit brightness, and whether black is 16 and white 235 in it.

    The luma plane as it is where there is one, which costs nothing; a tone curve (HLG, PQ) stays in. A
    picture of another size, after a change in mid-film, is scaled to the film's.
    """
    left, top, right, bottom = box
    part = _luma(frame)
    limited = part is not None and not _full_range(frame)
    if part is None:
        part = frame.reformat(format="gray").to_ndarray()
    whole = part.shape[::-1] == size
    if whole:
        part = part[top:bottom, left:right]
    if part.dtype != np.uint8:
        bits = frame.format.components[0].bits
        part = cv2.convertScaleAbs(part, alpha=2.0 ** (8 - bits) if limited else 255 / (2**bits - 1))
    if not whole:
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)[top:bottom, left:right]
    return part, limited


def _full_range(frame: VideoFrame) -> bool:
    name = frame.format.name
    return frame.color_range == _FULL or name.startswith(("yuvj", "gray"))


def _luma(frame: VideoFrame) -> np.ndarray | None:
    """The luma plane, (height, width), uint8 or uint16, not copied; None where brightness lies otherwise."""
    kind = frame.format
    first = kind.components[0]
    lone = kind.name.startswith(("gray", "yuv", "nv12", "nv21")) and (
        kind.is_planar or len(kind.components) == 1
    )
    if not lone or kind.is_rgb or kind.is_big_endian or not first.is_luma or not 8 <= first.bits <= 16:
        return None
    plane = frame.planes[0]
    wide = 1 if first.bits == 8 else 2
    if plane.line_size < wide * frame.width:
        return None
    samples = np.frombuffer(memoryview(plane), np.uint8 if wide == 1 else np.dtype("<u2"))
    per_row = plane.line_size // wide
    return samples[: per_row * frame.height].reshape(frame.height, per_row)[:, : frame.width]
