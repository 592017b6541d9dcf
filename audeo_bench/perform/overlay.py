"""The film with its answer drawn in: keys light up as they are heard, below a falling roll."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes
from audeo_bench.film.decoding import Decoder
from audeo_bench.film.picture import turn_of, upright
from audeo_bench.keyboard import BLACK_LENGTH, BLACK_WIDTH, IS_BLACK, KEY_X, WHITE_LENGTH
from audeo_bench.keyboard.warp import key_edges, plane_to_film, project
from audeo_bench.perform.sound_files import Sound
from audeo_bench.perform.soundtrack import write_soundtrack
from audeo_bench.progress import progress_bar

__all__ = ["write_overlay"]

WIDEST = 1280
"""Pixels; larger films are drawn at this width."""
AHEAD_S = 2.0
"""Seconds of notes that the falling roll shows."""
PANEL = 0.4
"""Height of the falling roll, of the film's."""
WHITE_LIT, BLACK_LIT = (70, 190, 255), (255, 140, 60)
"""RGB."""
STRENGTH = 0.65


def write_overlay(film: Path, corners: np.ndarray, notes: Notes, sound: Sound, output: Path) -> None:
    """Write a film in which every key of ``notes`` lights up while it sounds, below a falling roll.

    Parameters
    ----------
    film : Path
    corners : np.ndarray, shape (4, 2)
        A0 far, C8 far, C8 near, A0 near in film pixels as displayed.
    notes : Notes
        In seconds from the film's first picture.
    sound : Sound
    output : Path
        ``.mp4``, ``.mov`` or ``.mkv``.

    Raises
    ------
    AudeoBenchError
        The film cannot be read, or the output's format is unknown.
    """
    with tempfile.TemporaryDirectory(prefix="audeo-bench-") as folder:
        silent = Path(folder) / "overlay.mp4"
        _write_pictures(silent, _drawn(film, corners, notes))
        write_soundtrack(silent, output, sound)


def _write_pictures(path: Path, pictures: Iterator[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"crf": "23", "preset": "veryfast"}
        )
        stream.pix_fmt = "yuv420p"
        for place, picture in enumerate(pictures):
            if place == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = place
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _drawn(film: Path, corners: np.ndarray, notes: Notes) -> Iterator[np.ndarray]:
    """The film's pictures at 25 a second with keys and roll: (height, width, 3), uint8, RGB, even sizes."""
    decoder = Decoder(film)
    try:
        first = decoder.at(0.0)
        turn = turn_of(first)
        width, height = _size(first, turn)
        scale = min(1.0, WIDEST / width)
        size = 2 * round(width * scale / 2), 2 * round(height * scale / 2)
        areas = _key_areas((np.asarray(corners, float) + 0.5) * scale - 0.5)
        panel = 2 * round(PANEL * size[1] / 2)
        lanes = [(int(area[:, 0].min()), int(area[:, 0].max())) for area in areas]
        total = max(1, round(decoder.timeline.end * FRAMES_PER_SECOND))
        with progress_bar("overlay", total, "frames") as bar:
            for place in range(total):
                time = place / FRAMES_PER_SECOND
                picture = _colour(decoder.at(time), turn, size)
                sounding = (notes.intervals[:, 0] <= time) & (notes.intervals[:, 1] > time)
                _light(picture, areas, notes.pitches[sounding] - LOWEST_PITCH)
                yield np.concatenate([_falling(notes, time, lanes, (panel, size[0])), picture])
                bar.advance()
    finally:
        decoder.close()


def _size(frame: VideoFrame, turn: np.ndarray) -> tuple[int, int]:
    return (frame.width, frame.height) if turn[0, 0] else (frame.height, frame.width)


def _colour(frame: VideoFrame, turn: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    stored = frame.to_ndarray(format="rgb24")
    shown = np.stack([upright(stored[..., channel], turn) for channel in range(3)], axis=-1)
    return np.ascontiguousarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA))


def _key_areas(corners: np.ndarray) -> list[np.ndarray]:
    """The outline of each key's top in the picture: 88 times (4, 2), int32."""
    matrix = plane_to_film(corners)
    areas = []
    for key in range(KEYS):
        if IS_BLACK[key]:
            left, right = KEY_X[key] - BLACK_WIDTH / 2, KEY_X[key] + BLACK_WIDTH / 2
            near, far = WHITE_LENGTH - BLACK_LENGTH, WHITE_LENGTH
        else:
            left, right = key_edges(key + LOWEST_PITCH)
            near, far = 0.0, WHITE_LENGTH - BLACK_LENGTH
        outline = np.array([[left, near], [right, near], [right, far], [left, far]])
        areas.append(np.rint(project(matrix, outline)).astype(np.int32))
    return areas


def _light(picture: np.ndarray, areas: list[np.ndarray], keys: np.ndarray) -> None:
    lit = picture.copy()
    for key in keys:
        cv2.fillConvexPoly(lit, areas[key], BLACK_LIT if IS_BLACK[key] else WHITE_LIT, cv2.LINE_AA)
    cv2.addWeighted(lit, STRENGTH, picture, 1 - STRENGTH, 0, dst=picture)


def _falling(notes: Notes, time: float, lanes: list[tuple[int, int]], shape: tuple[int, int]) -> np.ndarray:
    """What sounds from now (bottom) to two seconds from now (top): (height, width, 3)."""
    panel = np.full((*shape, 3), 24, np.uint8)
    soon = (notes.intervals[:, 0] < time + AHEAD_S) & (notes.intervals[:, 1] > time)
    for (onset, offset), key in zip(notes.intervals[soon], notes.pitches[soon] - LOWEST_PITCH, strict=True):
        low, high = (shape[0] * (1 - np.clip((moment - time) / AHEAD_S, 0, 1)) for moment in (onset, offset))
        left, right = lanes[key]
        colour = BLACK_LIT if IS_BLACK[key] else WHITE_LIT
        cv2.rectangle(panel, (left, int(high)), (right, int(low)), colour, -1)
    return panel
