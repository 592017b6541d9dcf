"""One film of a set, as a row of its file says it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from audeo_bench.api import Work

__all__ = ["FILM_SUFFIXES", "MIDI_SUFFIXES", "Film", "RelativePath", "Strict", "Text", "listing_of"]

FILM_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".wmv", ".m4v", ".mpg", ".mpeg", ".ts", ".flv")
MIDI_SUFFIXES = (".mid", ".midi")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor or turn its writing round; line feed and tab stay."""
_NUMBERS = re.compile(r"[\s,;]+")
_SPAN = re.compile(r"(?P<begin>\d+(?:\.\d*)?)-(?P<end>\d+(?:\.\d*)?|end)")


class Strict(BaseModel):
    """A part of a set's file: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds control characters; write plain text")
    return text


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in parts[0]:
        raise ValueError("must be a path below the set's folder, with / and without ..")
    if any(part.startswith(".") for part in parts):
        raise ValueError("must not be hidden: no part of the path may begin with a dot")
    return path


def _ends_in(*suffixes: str) -> AfterValidator:
    """A set's file names films and labels, and nothing else that would be written into the user's folder."""

    def check(path: str) -> str:
        if PurePosixPath(path).suffix.lower() not in suffixes:
            raise ValueError(f"must end in one of {', '.join(suffixes)}")
        return path

    return AfterValidator(check)


Text = Annotated[str, Field(max_length=4000), AfterValidator(_plain)]
RelativePath = Annotated[Text, AfterValidator(_inside)]


def _numbers(value: Any) -> Any:
    """``1 2 3`` or ``1,2,3`` in a cell is a list, and so are four points of two numbers each."""
    if isinstance(value, str):
        return [part for part in _NUMBERS.split(value.strip()) if part]
    if isinstance(value, list) and value and all(isinstance(point, list) for point in value):
        return [number for point in value for number in point]
    return value


def _spans(value: Any) -> Any:
    """``33.4-end 40-45.76`` in a cell is a list of spans."""
    if not isinstance(value, str):
        return value
    matches = [_SPAN.fullmatch(part) for part in value.split()]
    if not all(matches):
        raise ValueError("write spans of seconds such as 38.32-45.76 or 33.4-end")
    return [(found["begin"], None if found["end"] == "end" else found["end"]) for found in matches if found]


DAY_S = 86_400.0
"""No film is longer, and none begins so far from its labels."""
Pixel = Annotated[float, Field(ge=-100_000, le=100_000)]
Side = Annotated[int, Field(ge=1, le=100_000)]
Seconds = Annotated[float, Field(ge=0, le=DAY_S)]
Length = Annotated[float, Field(gt=0, le=DAY_S)]
Corners = Annotated[tuple[Pixel, Pixel, Pixel, Pixel, Pixel, Pixel, Pixel, Pixel], BeforeValidator(_numbers)]
Crop = Annotated[tuple[Pixel, Pixel, Pixel, Pixel], BeforeValidator(_numbers)]
Picture = Annotated[tuple[Side, Side], BeforeValidator(_numbers)]
Spans = Annotated[tuple[tuple[Seconds, Seconds | None], ...], BeforeValidator(_spans)]


class Film(Strict):
    """One film, its labels, and what is known of both.

    Attributes
    ----------
    id : str
        Unique in the set and safe as a file name.
    film : str
        Where the film lies, below the set's folder; ``<id>.mp4`` where nothing is said.
    midi : str or None
        Its labels below the set's folder: MIDI, or a TSV of onset, key offset, pedal offset, note, velocity.
    npz : str or None
        Labels as rolls, instead of MIDI.
    youtube : str or None
        Its id there.
    url, midi_url : str or None
        Where film and labels are had, below the source's base or repository, if their paths there differ.
    split : str
        ``train``, ``validation``, ``test``, or a name of the set's own.
    title, composer, work, collection, number, bwv, key
        What is played; ``work`` is the composition's title.
    class_ : str or None
        ``class`` in files: the column of Table 2 that it counts in, ``wtc1-variants`` or ``wtc2-other``.
    corners : eight floats or None
        x and y of A0 far, C8 far, C8 near, A0 near: the corners of the keys in pixels of the film, far = at
        the fallboard.
    crop : four floats or None
        Left, top, right, bottom of the keys in pixels of the film, instead of corners.
    picture : two ints or None
        Width and height of the film in which corners or crop were measured; None where it is the film's own.
    start_s : float or None
        Film time of MIDI time 0; None where nobody has measured it.
    rate : float
        Seconds of film that a second of MIDI takes: film time = start_s + rate * MIDI time.
    pitch_add : int
        True pitch = MIDI pitch + this.
    trim_s : float
        Film time before which nothing counts, such as a title.
    seconds : float or None
        The film's length.
    last_note_s : float or None
        Film time of the last note's onset, where the labels are not at hand: a shorter film is another cut.
    sha256, midi_sha256 : str or None
    blocked : spans
        Film times (begin, end; None = to the end) in which the keys cannot be seen or the labels are wrong.
    remark : str
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$")]
    film: Annotated[RelativePath, _ends_in(*FILM_SUFFIXES)] = ""
    midi: Annotated[RelativePath, _ends_in(*MIDI_SUFFIXES, ".tsv")] | None = None
    npz: Annotated[RelativePath, _ends_in(".npz")] | None = None
    youtube: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{11}$")] | None = None
    url: RelativePath | None = None
    midi_url: RelativePath | None = None
    split: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = "test"
    title: Text = ""
    composer: Text = ""
    work: Text = ""
    collection: Text | None = None
    number: Annotated[int, Field(ge=0, le=100_000)] | None = None
    bwv: Annotated[int, Field(ge=0, le=100_000)] | None = None
    key: Text | None = None
    class_: Literal["wtc1-variants", "wtc2-other"] | None = Field(None, alias="class")
    corners: Corners | None = None
    crop: Crop | None = None
    picture: Picture | None = None
    start_s: Annotated[float, Field(ge=-DAY_S, le=DAY_S)] | None = None
    rate: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    pitch_add: Annotated[int, Field(ge=-48, le=48)] = 0
    trim_s: Seconds = 0.0
    seconds: Length | None = None
    last_note_s: Length | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    midi_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    blocked: Spans = ()
    remark: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _film_by_id(cls, row: Any) -> Any:
        if isinstance(row, dict) and not row.get("film") and row.get("id"):
            return {**row, "film": f"{row['id']}.mp4"}
        return row

    @model_validator(mode="after")
    def _agrees(self) -> Film:
        if self.corners and self.crop:
            raise ValueError("has corners and a crop; give one of them")
        if self.midi and self.npz:
            raise ValueError("has midi and npz; give one of them")
        if self.crop and not (self.crop[0] < self.crop[2] and self.crop[1] < self.crop[3]):
            raise ValueError("crop must be left, top, right, bottom")
        if any(end is not None and end <= begin for begin, end in self.blocked):
            raise ValueError("a blocked span ends before it begins")
        return self

    @property
    def slack_s(self) -> float:
        """How far a film's length may be from the one given: more for long films, but never another cut."""
        return min(max(1.5, 0.005 * (self.seconds or 0)), 5.0)

    @property
    def labels(self) -> str | None:
        """Where its own labels lie below the set's folder; None where the row names none."""
        return self.midi or self.npz

    @property
    def played(self) -> Work:
        """The composition; a film of which nothing is said plays one of its own."""
        title = self.work or self.title or self.id
        return Work(self.composer, title, self.collection, self.number, self.bwv, self.key)


def listing_of(films: Iterable[Film]) -> dict[str, tuple[str, ...]]:
    """Split, or class of Table 2, -> the ids of its films, in order."""
    splits: dict[str, list[str]] = {}
    for film in films:
        splits.setdefault(film.split, []).append(film.id)
        if film.class_ is not None and film.class_ != film.split:
            splits.setdefault(film.class_, []).append(film.id)
    return {split: tuple(ids) for split, ids in splits.items()}
