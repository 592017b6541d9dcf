"""Which films of a set are here, where, and with which digests: one record a set in the data home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from audeo_bench.corpus import CORPORA, PICTURES, check_choice
from audeo_bench.corpus.audeo.recordings import imported_labels
from audeo_bench.corpus.registry import SOURCES, data_home, find
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.manifest import FilmSet, called, read_manifest, shipped_sets
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write, sha256_of

__all__ = [
    "FilmHere",
    "Kept",
    "Labels",
    "Record",
    "are_meant",
    "films_of",
    "folder_of",
    "is_meant",
    "is_set",
    "known_sets",
    "labels_of",
    "open_set",
    "read_record",
    "recording",
]

RELEASE, TRANSKUN = "release", "transkun"
BY = {RELEASE: "the authors' release", "pianoyt": "PianoYT", TRANSKUN: "Transkun"}
"""Places of labels that a set's file names -> how tables name them."""


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kept(_Stored):
    """A film that is here, checked when it was taken.

    Attributes
    ----------
    film : Path
    sha256 : str
    size : int
        Bytes.
    seconds : float
        How long its pictures last.
    midi : Path or None
        The labels that came with it; None where they lie elsewhere, or nowhere.
    midi_sha256 : str or None
    """

    film: Path
    sha256: str
    size: int
    seconds: float
    midi: Path | None = None
    midi_sha256: str | None = None


class Record(_Stored):
    """What is here of a set.

    Attributes
    ----------
    manifest : Path or None
        The set's file; None for a set that ships with the package.
    folder : Path or None
        Where films were last fetched to.
    revision : str or None
        The commit that a hub set was pinned to.
    rows : tuple of Film
        Rows that the set lists itself.
    films : dict
        Film id -> what is here.
    """

    name: str
    manifest: Path | None = None
    folder: Path | None = None
    revision: str | None = None
    rows: tuple[Film, ...] = ()
    films: dict[str, Kept] = {}


@dataclass(frozen=True)
class Labels:
    """Somebody's truth of a film.

    Attributes
    ----------
    path : Path
    by : str
        Whose it is, as tables name it.
    in_film_time : bool
        Whether it was made from the film itself, so that the start, rate and octave of the row, which are of
        its own labels, do not hold for it.
    """

    path: Path
    by: str
    in_film_time: bool = False


@dataclass(frozen=True)
class FilmHere:
    """A film of a set that is here, ready to be used.

    Attributes
    ----------
    film : Film
        Its row: split, work, corners or crop, start, rate, pitch shift, ...
    path : Path
    labels : tuple of Labels
        Those at hand; the first are the truth.
    sha256 : str
        Of the film.
    seconds : float
    """

    film: Film
    path: Path
    labels: tuple[Labels, ...]
    sha256: str
    seconds: float

    @property
    def midi(self) -> Path | None:
        """The labels that are the truth."""
        return self.labels[0].path if self.labels else None


def _path(name: str) -> Path:
    return data_home() / "sets" / f"{name}.json"


def read_record(name: str) -> Record:
    """The record of a set; an empty one where nothing of it is here."""
    path = _path(name)
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Record(name=name)
    except (ValidationError, UnicodeDecodeError):
        raise AudeoBenchError(
            f"{path}: not a record of films; remove it and run `audeo-bench data fetch {name}` again: films "
            "that are there are checked, not fetched."
        ) from None


@contextmanager
def recording(name: str) -> Iterator[_Pen]:
    """Change the record of a set; what is assigned to ``.record`` inside is written when the block ends."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        pen = _Pen(read_record(name))
        before = pen.record
        yield pen
        if pen.record != before:
            with atomic_write(path) as temporary:
                temporary.write_text(
                    pen.record.model_dump_json(indent=1, by_alias=True) + "\n", encoding="utf-8"
                )


class _Pen:
    def __init__(self, record: Record) -> None:
        self.record = record

    def change(self, **fields: object) -> None:
        self.record = self.record.model_copy(update=fields)


def known_sets() -> dict[str, Path]:
    """Name -> file of every set: those that ship, and those of the user's that were ever fetched or added."""
    own = {}
    for path in sorted((data_home() / "sets").glob("*.json")):
        record = read_record(path.stem)
        if record.manifest is not None:
            own[record.name] = record.manifest
    return {**own, **shipped_sets()}


def open_set(place: str, name: str | None = None, *, remember: bool = False) -> tuple[FilmSet, Record]:
    """A set by its name, or by the path of its file or folder, with the rows that it lists itself.

    Parameters
    ----------
    place : str
    name : str or None
        What to call the set of a file or folder, instead of the name in its file.
    remember : bool
        Whether the set of a file or folder is known by its name from now on.

    Raises
    ------
    AudeoBenchError
        No such set, its file has gone or is not of the form, or its name is taken.
    """
    known = known_sets()
    path = Path(place).expanduser()
    if place not in known and (path.suffix.lower() in (".toml", ".csv") or path.exists()):
        films = read_manifest(path)
        if name is not None:
            films = called(films, name)
        owner = known.get(films.name)
        if films.name in {*shipped_sets(), *CORPORA, *SOURCES, PICTURES}:
            raise AudeoBenchError(f"{path}: the name {films.name!r} is taken; give the set another one.")
        if owner is not None and owner.exists() and owner.resolve() != path.resolve():
            raise AudeoBenchError(f"{path}: {owner} already has the name {films.name!r}; give another one.")
        if remember:
            with recording(films.name) as pen:
                pen.change(manifest=path.resolve())
    else:
        check_choice("set", place, known, "audeo-bench data")
        if not known[place].exists():
            raise AudeoBenchError(f"{known[place]}: the file of the set {place} has gone; bring it back.")
        films = read_manifest(known[place]).model_copy(update={"name": place})
    record = read_record(films.name)
    if not films.films and record.rows:
        films = films.model_copy(update={"films": record.rows})
    return films, record


def is_set(place: str) -> bool:
    """Whether a set has that name, or it is the path of a set's file or folder."""
    path = Path(place)
    return (
        place in known_sets() or path.suffix.lower() in (".toml", ".csv") or ("/" in place and path.is_dir())
    )


def films_of(name: str) -> list[FilmHere]:
    """The films of a set that are here, in the order of its file.

    A film whose file has gone is left out; what a file holds is not looked at again. Rows are without their
    crop where the set's file says ``find_corners``.

    Raises
    ------
    AudeoBenchError
        No such set.
    """
    films, record = open_set(name)
    unused = {"crop": None} if films.find_corners else {}
    rows = (film.model_copy(update=unused) for film in films.films)
    return [
        FilmHere(film, kept.film, labels_of(films, film, kept), kept.sha256, kept.seconds)
        for film in rows
        if (kept := record.films.get(film.id)) is not None and kept.film.is_file() and is_meant(film, kept)
    ]


def is_meant(film: Film, kept: Kept) -> bool:
    """Whether a film that was taken is the one that its row means by now."""
    return (
        folder_of(kept, film) is not None
        and film.sha256 in (None, kept.sha256)
        and (film.seconds is None or abs(kept.seconds - film.seconds) <= film.slack_s)
    )


def labels_of(
    films: FilmSet, film: Film, kept: Kept | None, folder: Path | None = None
) -> tuple[Labels, ...]:
    """All labels of a film that are at hand, in the order in which the set's file prefers them.

    Those of its row came with it, or lie below the set's folder or that of the data set that the set names.
    """
    own, found = _labels_of_row(films, film, kept, folder), []
    for place in films.labels:
        path, by = own, BY.get(place, place)
        if place == RELEASE:
            path = imported_labels(film.id)
        elif place == TRANSKUN:
            path = None if kept is None else kept.film.with_name(f"{kept.film.stem}.transkun.mid")
        else:
            own, by = None, by if film.labels else "a MIDI file beside the film"
        if path is not None and path.is_file():
            found.append(Labels(path, by, place in (RELEASE, TRANSKUN)))
    return (*([] if own is None else [Labels(own, films.truth)]), *found)


def folder_of(kept: Kept, film: Film) -> Path | None:
    """The set's folder in which a film lies; None where its row has another place for it by now."""
    place = kept.film.as_posix()
    return Path(place.removesuffix("/" + film.film)) if place.endswith("/" + film.film) else None


def _labels_of_row(films: FilmSet, film: Film, kept: Kept | None, folder: Path | None) -> Path | None:
    label, taken = film.labels, None if kept is None else kept.midi
    found = [taken] if taken is not None and taken.as_posix().endswith(f"/{label or taken.name}") else []
    places = [place for place in (folder, kept and folder_of(kept, film)) if place is not None]
    for name in SOURCES.keys() & films.labels:
        with suppress(AudeoBenchError):  # where it is not registered, there are none
            places.append(find(name).directory)
    found += [] if label is None else [place / label for place in places]
    return next((path for path in found if path.is_file() and are_meant(film, path)), None)


def are_meant(film: Film, labels: Path) -> bool:
    """Whether labels are those that a film's row means."""
    return film.midi_sha256 is None or sha256_of(labels) == film.midi_sha256
