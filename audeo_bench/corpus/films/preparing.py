"""A film made ready once: keyboard found, frames warped and kept, labels held against the pictures.

What is made lies in the data home below ``films/<set>/<film>/``: ``film.json`` (:class:`Prepared`),
``frames.npy`` (uint8, shape (T, 100, 900), read through a memory map) and ``check.jpg``, which a person looks
at for two seconds: the keys outlined in the film, and the picture that contestants are shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, FRAMES_PER_SECOND, AudeoBenchError, Notes
from audeo_bench.corpus.films.alignment import CERTAIN, Alignment, align, key_levels
from audeo_bench.corpus.registry import data_home
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.here import FilmHere
from audeo_bench.corpus.sets.labels import read_labels
from audeo_bench.crew import Crew, Unit
from audeo_bench.files import atomic_write, sha256_of
from audeo_bench.film.finding import keyboard_in_film
from audeo_bench.film.reading import FilmFrames, film_info, still_pictures
from audeo_bench.keyboard import BEFORE, BEHIND
from audeo_bench.keyboard.finding import SURE
from audeo_bench.keyboard.warp import whole_keyboard

__all__ = [
    "GEOMETRY",
    "Aligned",
    "Job",
    "Prepared",
    "frames_of",
    "given_corners",
    "prepare",
    "prepare_all",
    "prepared",
]

GEOMETRY = f"1: {BEHIND:g} mm behind the keys, {BEFORE:g} before, {FRAME_WIDTH}x{FRAME_HEIGHT}"
"""Part of what a kept film is recognised by; rises with every change of what frames look like."""
LAG_SHOWN_S = 0.1
"""A start that differs by less from the one given is not worth a word."""
WHOLE = 0.9
"""A keyboard of which the film shows less is worth one."""


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Aligned(_Stored):
    """What was measured between labels and pictures; see :class:`.alignment.Alignment`."""

    start_s: float
    rate: float
    pitch_add: int
    confidence: float
    halves_s: tuple[float, float]


class Prepared(_Stored):
    """A film that is ready.

    Attributes
    ----------
    row_sha256 : str
        Of the film's row in its set's file: another row makes the film anew.
    film_sha256, labels_sha256 : str, str or None
        Of the files.
    geometry : str
        :data:`GEOMETRY`.
    corners : eight floats
        A0 far, C8 far, C8 near, A0 near in film pixels.
    lowest_key, highest_key : int
        MIDI pitches of the keys that the film shows.
    corners_by : str
        ``given``, ``crop``, or ``found, confidence 0.97``.
    frames : int
        At 25 a second.
    frames_sha256 : str
        Of ``frames.npy``.
    aligned : Aligned or None
        What was measured; None without labels, or with too few notes.
    start_s, rate, pitch_add : float, float, int
        What is used: the row's values, or the measured ones where the user said so.
    apply_lag : bool
        Whether the user said so; holds until the user says otherwise, also for another row.
    remarks : tuple of str
    """

    id: str
    row_sha256: str
    film_sha256: str
    labels_sha256: str | None
    geometry: str
    corners: tuple[float, float, float, float, float, float, float, float]
    lowest_key: int
    highest_key: int
    corners_by: str
    frames: int
    frames_sha256: str
    aligned: Aligned | None
    start_s: float
    rate: float
    pitch_add: int
    remarks: tuple[str, ...]
    apply_lag: bool = False


@dataclass(frozen=True)
class Job:
    """One film to be made ready, for a worker: where it is and where it goes.

    Attributes
    ----------
    set_name : str
    here : FilmHere
    apply_lag : bool or None
        Where the measured start, rate and octave are certain, use them instead of the row's; None for what
        was said before.
    """

    set_name: str
    here: FilmHere
    apply_lag: bool | None = None

    @property
    def folder(self) -> Path:
        return data_home() / "films" / self.set_name / self.here.film.id


def prepared(job: Job) -> Prepared | None:
    """What is kept of a film, if it still is what would be made today."""
    found = _made_before(job)
    same = (
        found is not None
        and found.row_sha256 == _row_sha256(job.here.film)
        and found.film_sha256 == job.here.sha256
        and found.labels_sha256 == _file_sha256(job.here.midi)
        and found.geometry == GEOMETRY
        and (job.folder / "frames.npy").is_file()
    )
    return found if same else None


def _made_before(job: Job) -> Prepared | None:
    try:
        return Prepared.model_validate_json((job.folder / "film.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def prepare(job: Job) -> Prepared:
    """Make a film ready, or give what is kept of it.

    Raises
    ------
    AudeoBenchError
        The film cannot be read, or no keyboard is found in it for certain: names the film and what to write
        into its row.
    """
    kept = prepared(job)
    if kept is not None:
        if job.apply_lag is not None and job.apply_lag != kept.apply_lag:
            kept = kept.model_copy(update=_used(job.here.film, kept.aligned, job.apply_lag))
            _write(job, kept)
        return kept
    before = _made_before(job)
    apply_lag = before is not None and before.apply_lag if job.apply_lag is None else job.apply_lag
    film, path = job.here.film, job.here.path
    remarks: list[str] = []
    corners, lowest, highest, by = _corners(film, path)
    if by in ("given", "crop") and (share := _share_seen(corners, path)) < WHOLE:
        remarks.append(
            f"{share:.0%} of the keyboard lie in the picture by its row; see check.jpg whether that is so"
        )
    job.folder.mkdir(parents=True, exist_ok=True)
    frames = FilmFrames(path, corners=corners, remarks=remarks.append)
    try:
        with atomic_write(job.folder / "frames.npy") as temporary:
            kept_frames = np.lib.format.open_memmap(temporary, "w+", np.uint8, frames.shape)
            for start in range(0, len(frames), 256):
                kept_frames[start : start + 256] = frames[start : start + 256]
            kept_frames.flush()
            del kept_frames
    finally:
        frames.close()
    shown = np.load(job.folder / "frames.npy", mmap_mode="r", allow_pickle=False)
    aligned = None
    notes = read_labels(job.here.midi) if job.here.midi is not None else None
    if notes is not None:
        aligned = align(key_levels(shown), notes)
        remarks += _alignment_remarks(film, aligned, notes)
    _draw_check(job, corners, shown)
    measured = None if aligned is None else _stored(aligned)
    used = _used(film, measured, apply_lag)
    if notes is not None and len(notes):
        onsets = used["start_s"] + used["rate"] * notes.intervals[:, 0]
        if not ((onsets >= 0) & (onsets < len(shown) / FRAMES_PER_SECOND)).any():
            raise AudeoBenchError(
                f"{path}: with start_s = {used['start_s']:g} no note of {job.here.midi} lies in the film; "
                "correct start_s, or get the labels of this film."
            )
    answer = Prepared(
        id=film.id,
        row_sha256=_row_sha256(film),
        film_sha256=job.here.sha256,
        labels_sha256=_file_sha256(job.here.midi),
        geometry=GEOMETRY,
        corners=tuple(np.round(corners, 2).ravel().tolist()),  # type: ignore[arg-type]
        lowest_key=lowest,
        highest_key=highest,
        corners_by=by,
        frames=len(shown),
        frames_sha256=sha256_of(job.folder / "frames.npy"),
        aligned=measured,
        **used,
        remarks=tuple(dict.fromkeys(remark.removeprefix(f"{path}: ") for remark in remarks)),
    )
    _write(job, answer)
    return answer


def prepare_all(jobs: list[Job], crew: Crew) -> Iterator[tuple[Job, Prepared | AudeoBenchError]]:
    """Let a crew make films ready; a bad film is one answer and the others go on.

    Yields
    ------
    job : Job
        In the order in which they are done.
    found : Prepared or AudeoBenchError
    """
    for unit, found in crew.done(Unit(f"film {job.here.film.id}", _tried, (job,)) for job in jobs):
        yield unit.given[0], found


def frames_of(job: Job, ready: Prepared) -> np.ndarray:
    """A film's kept frames as a memory map, after checking that they are what was kept.

    Raises
    ------
    AudeoBenchError
        The file has changed; it is made anew by the next call of :func:`prepare`.
    """
    path = job.folder / "frames.npy"
    if _file_sha256(path) != ready.frames_sha256:
        (job.folder / "film.json").unlink(missing_ok=True)
        raise AudeoBenchError(
            f"{path}: changed since it was kept; run the same command again to make it anew."
        )
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _tried(job: Job) -> Prepared | AudeoBenchError:
    try:
        return prepare(job)
    except AudeoBenchError as fault:
        return fault
    except OSError as fault:
        return AudeoBenchError(
            f"{fault.filename or job.here.path}: {fault.strerror or fault}; make room, then go on."
        )


def _corners(film: Film, path: Path) -> tuple[np.ndarray, int, int, str]:
    """Corners of A0..C8 in film pixels, the keys that are seen, and who says so."""
    given = given_corners(film, path)
    if given is not None:
        return given, 21, 108, "crop" if film.corners is None else "given"
    found, _ = keyboard_in_film(path)
    if found.confidence < SURE:
        raise AudeoBenchError(
            f"{path}: no keyboard found for certain (confidence {found.confidence:.2f}"
            + (f"; {found.remark}" if found.remark else "")
            + f"); see `audeo-bench keyboard {path} --picture found.png`, write corners into its row."
        )
    whole = whole_keyboard(found.corners, found.lowest_key, found.highest_key)
    return whole, found.lowest_key, found.highest_key, f"found, confidence {found.confidence:.2f}"


def _share_seen(corners: np.ndarray, path: Path) -> float:
    """The part of a keyboard's area that its film shows."""
    width, height = film_info(path).size
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    picture, keys = cv2.convexHull(picture), cv2.convexHull(corners.astype(np.float32))
    return cv2.intersectConvexConvex(keys, picture)[0] / max(cv2.contourArea(keys), 1e-6)


def given_corners(film: Film, path: Path) -> np.ndarray | None:
    """The corners that a film's row gives, or those of its crop, in pixels of the film that is here: (4, 2);
    None where it gives neither.
    """
    size = film_info(path).size
    scale = np.array(size) / (film.picture or size)
    if film.corners is not None:
        return np.array(film.corners, float).reshape(4, 2) * scale
    if film.crop is None:
        return None
    left, top, right, bottom = film.crop
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float) * scale


def _alignment_remarks(film: Film, aligned: Alignment | None, notes: Notes) -> list[str]:
    if aligned is None:
        return [f"only {len(notes)} notes: lag not measured"]
    said = []
    given = film.start_s or 0.0
    sure = f"confidence {aligned.confidence:.2f}"
    if aligned.confidence >= CERTAIN and abs(aligned.start_s - given) > LAG_SHOWN_S:
        what = "the row says" if film.start_s is not None else "taken is"
        said.append(f"labels begin at {aligned.start_s:.2f} s of the film ({sure}); {what} {given:.2f} s")
    if aligned.confidence >= CERTAIN and aligned.pitch_add != film.pitch_add:
        said.append(f"labels are {aligned.pitch_add:+d} semitones from the keys that move ({sure})")
    if abs(aligned.rate - 1) > 1e-3:
        said.append(f"the clocks differ: rate {aligned.rate:.5f}")
    return said


def _write(job: Job, answer: Prepared) -> None:
    with atomic_write(job.folder / "film.json") as temporary:
        temporary.write_text(answer.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _used(film: Film, measured: Aligned | None, apply_lag: bool) -> dict[str, Any]:
    """Start, rate and pitch shift: the row's, or the measured ones where they may be and are certain."""
    row = {"start_s": film.start_s or 0.0, "rate": film.rate, "pitch_add": film.pitch_add}
    if apply_lag and measured is not None and measured.confidence >= CERTAIN:
        row = {name: getattr(measured, name) for name in row}
    return {**row, "apply_lag": apply_lag}


def _stored(aligned: Alignment) -> Aligned:
    return Aligned(
        start_s=round(aligned.start_s, 3),
        rate=round(aligned.rate, 6),
        pitch_add=aligned.pitch_add,
        confidence=round(aligned.confidence, 3),
        halves_s=(round(aligned.halves_s[0], 3), round(aligned.halves_s[1], 3)),
    )


def _draw_check(job: Job, corners: np.ndarray, frames: np.ndarray) -> None:
    """The film with its keys outlined above the picture of a quarter, a half and three quarters."""
    still = np.median(still_pictures(job.here.path, 12), axis=0).astype(np.uint8)
    film = cv2.cvtColor(still, cv2.COLOR_GRAY2BGR)
    cv2.polylines(film, [np.rint(corners).astype(np.int32)], True, (0, 0, 255), 2)
    low = np.rint(corners[[0, 3]]).astype(int)
    cv2.line(film, tuple(low[0].tolist()), tuple(low[1].tolist()), (0, 255, 0), 3)
    film = cv2.resize(film, (FRAME_WIDTH, round(film.shape[0] * FRAME_WIDTH / film.shape[1])))
    shown = [cv2.cvtColor(frames[len(frames) * part // 4], cv2.COLOR_GRAY2BGR) for part in (1, 2, 3)]
    label = np.zeros((28, FRAME_WIDTH, 3), np.uint8)
    text = f"{job.set_name}/{job.here.film.id}   green: A0   below: what contestants are shown"
    cv2.putText(
        label, text.encode("ascii", "replace").decode(), (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3
    )
    written, jpeg = cv2.imencode(".jpg", np.concatenate([label, film, *shown]))
    assert written
    with atomic_write(job.folder / "check.jpg") as temporary:
        temporary.write_bytes(jpeg.tobytes())


def _row_sha256(film: Film) -> str:
    return hashlib.sha256(film.model_dump_json(by_alias=True).encode()).hexdigest()


def _file_sha256(path: Path | None) -> str | None:
    return sha256_of(path) if path is not None and path.is_file() else None
