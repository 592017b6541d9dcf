"""How like real films the simulated ones are: twelve numbers of each film, named before the world was tuned.

The real side is the training films of Akbari, Liang & Cheng (Multimedia Tools and Applications 77, 2018),
and of MIDItest's photographs of keyboards at rest (Koepke, Wiles, Moses & Zisserman, ICASSP 2020, CC BY 4.0)
what they show; no frame is kept. What is not there is left out::

    python -m studies.film_likeness AKBARI MIDITEST
"""

from __future__ import annotations

import csv
import json
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, AudeoBenchError, Frames, idle_keyboard
from audeo_bench.corpus import open_corpus
from audeo_bench.film.reading import FilmFrames
from audeo_bench.formats.midi import read_midi
from audeo_bench.keyboard import BEFORE, BEHIND, BLACK_LENGTH, IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_LENGTH
from audeo_bench.keyboard.warp import homography
from audeo_bench.roll import FRAMES_PER_SECOND, LOWEST_PITCH, Notes
from studies.tables import Keep, Table, show

_FRAMES = 900
"""Of a film at most so many are looked at."""
_CALM = 6.0
"""Mean grey levels by which a key may differ from itself at rest just before it is pressed."""


@dataclass(frozen=True)
class Film:
    """One film in numbers; grey levels of 0..255 and shares of 0..1, NaN where too little is seen.

    Attributes
    ----------
    moving : float
        Share of pixels that change from one frame to the next, median over frames that are not repeated.
    repeated : float
        Share of frames that equal the one before.
    clipped : float
        Share of the idle picture above level 245.
    white, black : float
        Median level of the idle white keys' fronts and of the black keys' middles.
    trough : float
        Level of white keys between black ones, relative to their fronts.
    edge : float
        Width in columns of the edge between a black and a white key: contrast over the steepest step.
    grain : float
        Standard deviation of the idle picture on white fronts after a 3x3 mean is taken away.
    hands : float
        Share of pixels that differ by more than 25 levels from the idle picture.
    white_press, black_press : float
        Darkest column of a pressed key's change, over the part between black keys where no hand was just
        before; median over presses.
    press_rms : float
        Root mean square change there.
    """

    moving: float
    repeated: float
    clipped: float
    white: float
    black: float
    trough: float
    edge: float
    grain: float
    hands: float
    white_press: float
    black_press: float
    press_rms: float


NAMES = {
    "moving": "pixels that change from frame to frame, %",
    "repeated": "frames that repeat the one before, %",
    "clipped": "idle picture above level 245, %",
    "white": "white keys' fronts, level",
    "black": "black keys, level",
    "trough": "white between black keys / front, %",
    "edge": "width of a black key's edge, columns",
    "grain": "grain of the idle picture, levels",
    "hands": "pixels under hands and shadows, %",
    "white_press": "darkest strip of a pressed white key, levels",
    "black_press": "darkest strip of a pressed black key, levels",
    "press_rms": "rms change of a pressed key, levels",
}
_PERCENT = {"moving", "repeated", "clipped", "trough", "hands"}


def _row(y: float) -> int:
    return round((WHITE_LENGTH + BEHIND - y) / (WHITE_LENGTH + BEHIND + BEFORE) * FRAME_HEIGHT)


_BACK, _FRONT, _LIP = _row(138.0), _row(WHITE_LENGTH - BLACK_LENGTH + 12), _row(6.0)
_COLUMN = KEY_X / KEYBOARD_WIDTH * FRAME_WIDTH


def measure(frames: Frames, notes: Notes) -> Film:
    """Twelve numbers of a film of the benchmark's geometry and the keys that are pressed in it."""
    seen = np.asarray(frames[0 : min(len(frames), _FRAMES)])
    idle = idle_keyboard(seen)
    still = measure_idle(idle)
    idle = idle.astype(np.float32)
    pairs = range(0, len(seen) - 1, 7)
    changed = np.array([(seen[at] != seen[at + 1]).mean() for at in pairs])
    presses = {True: [], False: []}
    rms = []
    for change, is_black in _presses(seen, idle, notes):
        presses[is_black].append(float(change.mean(0).min()))
        rms.append(float(np.sqrt((change**2).mean())))
    return replace(
        still,
        moving=float(np.median(changed[changed > 0.001])),
        repeated=float((changed <= 0.001).mean()),
        hands=float(np.mean([(np.abs(seen[at] - idle) > 25).mean() for at in range(0, len(seen), 25)])),
        white_press=_median(presses[False]),
        black_press=_median(presses[True]),
        press_rms=_median(rms),
    )


def measure_idle(picture: np.ndarray) -> Film:
    """The numbers of a film that its keyboard at rest, (100, 900), uint8, shows; the others are NaN."""
    idle = picture.astype(np.float32)
    fronts = np.concatenate(
        [
            idle[_FRONT + 12 : _LIP, int(_COLUMN[key]) - 3 : int(_COLUMN[key]) + 4].ravel()
            for key in np.flatnonzero(~IS_BLACK)
        ]
    )
    white, black = (
        np.median(fronts),
        np.median([_lane(idle, key, 2).mean() for key in np.flatnonzero(IS_BLACK)[:-1]]),
    )
    troughs = [_lane(idle, key, 3).mean() for key in range(1, 87) if not IS_BLACK[key]]
    unknown = float("nan")
    return Film(
        moving=unknown,
        repeated=unknown,
        clipped=float((idle > 245).mean()),
        white=float(white),
        black=float(black),
        trough=float(np.median(troughs) / white),
        edge=_edge(idle),
        grain=_grain(idle),
        hands=unknown,
        white_press=unknown,
        black_press=unknown,
        press_rms=unknown,
    )


def _median(values: list[float]) -> float:
    return float(np.median(values)) if len(values) > 3 else float("nan")


def _lane(picture: np.ndarray, key: int, half: int) -> np.ndarray:
    """The part of a key between (or on) black keys, ``half`` columns to both sides of its middle."""
    middle = int(_COLUMN[key])
    return picture[_BACK:_FRONT, max(0, middle - half) : middle + half + 1]


def _presses(seen: np.ndarray, idle: np.ndarray, notes: Notes) -> list[tuple[np.ndarray, bool]]:
    """Change from the idle picture of each key that was seen free of hands just before it was pressed."""
    found = []
    for (onset, offset), pitch in zip(notes.intervals, notes.pitches, strict=True):
        key = int(pitch) - LOWEST_PITCH
        before = int((onset - 0.2) * FRAMES_PER_SECOND)
        first, last = int((onset + 0.12) * FRAMES_PER_SECOND), int(offset * FRAMES_PER_SECOND)
        if before < 0 or last - first < 2 or last > len(seen) or not 1 < key < 86:
            continue
        still = _lane(idle, key, 10)
        if np.abs(_lane(seen[before], key, 10) - still).mean() < _CALM:
            down = np.median([_lane(seen[at], key, 10) for at in range(first, last)], axis=0)
            found.append((down - still, bool(IS_BLACK[key])))
    return found


def _edge(idle: np.ndarray) -> float:
    widths = []
    for key in np.flatnonzero(IS_BLACK):
        line = _lane(idle, key, 11)[4:-4].mean(0)  # type: ignore[arg-type]
        steepest = np.abs(np.diff(line)).max()
        if line.max() - line.min() > 20:
            widths.append((line.max() - line.min()) / steepest)
    return _median(widths)


def _grain(idle: np.ndarray) -> float:
    deviations = []
    for key in np.flatnonzero(~IS_BLACK):
        middle = int(_COLUMN[key])
        field = idle[_FRONT + 12 : _LIP, max(0, middle - 5) : middle + 6]
        smooth = (field[:-2] + field[1:-1] + field[2:]) / 3
        smooth = (smooth[:, :-2] + smooth[:, 1:-1] + smooth[:, 2:]) / 3
        deviations.append(float((field[1:-1, 1:-1] - smooth).std()))
    return _median(deviations)


def real_films(folder: Path, count: int) -> list[Film]:
    """``count`` training films, evenly spread, of a folder with ``measured.csv`` (corners and starts)."""
    table = folder / "measured.csv"
    if not table.is_file():
        raise AudeoBenchError(f"{table} is missing; give the folder that holds the films and their corners.")
    films = []
    with table.open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "train" and not row["blocked_s"]]
    for place in np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)):
        row = rows[place]
        names = [f"{key}_{place}_{axis}" for key, place in _CORNERS for axis in "xy"]
        corners = np.array([float(row[name]) for name in names]).reshape(4, 2)
        film = FilmFrames(folder / row["video"], corners=corners)
        try:
            heard = read_midi(folder / row["midi"]).notes
            intervals, pitches = (
                heard.intervals + float(row["midi_start_s"]),
                heard.pitches + int(row["midi_pitch_add"]),
            )
            there = (intervals[:, 0] > 0) & (pitches >= LOWEST_PITCH) & (pitches < LOWEST_PITCH + 88)
            if there.sum() < 20:
                continue
            first = max(0, int((intervals[there][0, 0] - 2) * FRAMES_PER_SECOND))
            notes = Notes(
                intervals[there] - first / FRAMES_PER_SECOND, pitches[there], heard.velocities[there]
            )
            films.append(measure(film[first : first + _FRAMES], notes))
        finally:
            film.close()
    return films


def photographs(folder: Path) -> list[Film]:
    """MIDItest's keyboards without hands, the first picture of each video, warped as films are."""
    videos = folder / "miditest_videos"
    found = sorted((videos / "borders").glob("*.json"))
    if not found:
        raise AudeoBenchError(f"{videos}: no borders/*.json here; give the folder that holds MIDItest.")
    films = []
    for path in found:
        borders = json.loads(path.read_text())
        # Where C8 is cut off there are 52 edges: the last key is as wide as the others.
        edges = borders["white_keys"]
        left = edges[0]
        right = edges[-1] + (53 - len(edges)) * (edges[-1] - left) / (len(edges) - 1)
        far, near = borders["top_border"], borders["bottom_border"]
        corners = np.array([[left, far], [right, far], [right, near], [left, near]], float)
        picture = cv2.imread(
            str(min((videos / "no_hand_frames" / path.stem).iterdir())), cv2.IMREAD_GRAYSCALE
        )
        assert picture is not None
        size, flags = (FRAME_WIDTH, FRAME_HEIGHT), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        # Shrunk first, as the film reader does, so that no pixel is skipped.
        shrink = FRAME_WIDTH / picture.shape[1]
        small = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        films.append(
            measure_idle(cv2.warpPerspective(small, homography(corners * shrink), size, flags=flags))
        )
    return films


_CORNERS = (("a0", "far"), ("c8", "far"), ("c8", "near"), ("a0", "near"))


def simulated_films(looks: int) -> list[Film]:
    """So many looks of the training clips, one clip each."""
    corpus = open_corpus("simulated")
    ids = corpus.ids("wtc1-looks")
    films = []
    for place in np.linspace(0, len(ids) - 1, looks).round().astype(int):
        recording = corpus.make(ids[place])
        films.append(measure(recording.frames, recording.frames.notes))  # type: ignore[attr-defined]
    return films


def rows_of(groups: dict[str, list[Film]]) -> tuple[tuple[str, ...], ...]:
    """A row for each number: median (10th, 90th percentile) in each group of films."""
    rows = []
    for index, field in enumerate(fields(Film)):
        cells = []
        for films in groups.values():
            values = np.array([astuple(film)[index] for film in films], float)
            values = values[np.isfinite(values)] * (100 if field.name in _PERCENT else 1)
            low, middle, high = np.percentile(values, [10, 50, 90]) if len(values) else (np.nan,) * 3
            cells.append(f"{middle:.1f} ({low:.1f}, {high:.1f})" if len(values) else "-")
        rows.append((NAMES[field.name], *cells))
    return tuple(rows)


def main(
    akbari: Annotated[Path | None, typer.Argument(help="Folder with measured.csv and the films.")] = None,
    miditest: Annotated[Path | None, typer.Argument(help="Folder of MIDItest.")] = None,
    films: int = 40,
    looks: int = 60,
    keep: Keep = None,
) -> None:
    """Print the table of docs/notebook/camera.md."""
    groups = {} if akbari is None else {"real training films": real_films(akbari, films)}
    if miditest is not None:
        groups["MIDItest, at rest"] = photographs(miditest)
    groups["simulated looks"] = simulated_films(looks)
    header = ("median (10 %, 90 %)", *(f"{name}, {len(group)}" for name, group in groups.items()))
    show([Table(header, rows_of(groups))], keep)


if __name__ == "__main__":
    typer.run(main)
