"""A set is a file: films, where each is had, their labels, splits and corners, licence, citation, truth.

The sets that ship with the package and those that users write for their own films have one form: a TOML file,
whose rows stand in it as ``[[film]]`` or in a CSV table beside it; or that CSV table alone; or a folder of
films with MIDI files beside them. A set's file is data: nothing in it is executed, and no path in it leaves
its folder.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
import reprlib
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from audeo_bench.corpus.sets.film import FILM_SUFFIXES, MIDI_SUFFIXES, Film, RelativePath, Strict, Text
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import read_text

__all__ = [
    "FilmSet",
    "Listing",
    "Source",
    "Truth",
    "called",
    "manifest_of_folder",
    "pair_films",
    "read_manifest",
    "rows_of",
    "shipped_sets",
]

Truth = Literal["true MIDI", "transcribed", "imported", "not stated"]
LabelPlace = Literal["release", "pianoyt", "asap", "transkun"]
_SPLITS = {"train": "train", "training": "train", "valid": "validation", "val": "validation"}
_SPLITS |= {"validation": "validation", "test": "test", "testing": "test"}
_LONGEST = 8 << 20
"""Bytes of a set's file beyond which nobody wrote it by hand."""
_SMALL = "must be small letters, digits and -, at most 40, and not begin with -"
_PATTERNS = {
    "id": "must be letters, digits, _ . + -, and not begin with a dot",
    "name": _SMALL,
    "split": _SMALL,
    "sha256": "must be 64 digits and letters a to f",
    "youtube": "must be the eleven characters of a film on YouTube",
}
"""What a column's text has to be, in words."""


class YouTube(Strict):
    """Films by their ids on YouTube."""

    kind: Literal["youtube"]


class HuggingFace(Strict):
    """A data set repository on the Hugging Face hub.

    Attributes
    ----------
    revision : str
        A commit or tag; a branch is pinned to the commit that the first fetch finds.
    gated : bool
        Whether its conditions must be accepted on its page first.
    """

    kind: Literal["huggingface"]
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]
    revision: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]+$")] = "main"
    gated: bool = False


class Https(Strict):
    """Files below an address."""

    kind: Literal["https"]
    base: Annotated[Text, Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])")]


class Ask(Strict):
    """No address: how the films are had."""

    kind: Literal["ask"]
    how: Text


Source = YouTube | HuggingFace | Https | Ask


class Listing(Strict):
    """Rows that the set itself lists, in a JSON file fetched with it: a list, or an object of entries.

    Attributes
    ----------
    file : str
    columns : dict
        Column of :class:`Film` -> text in which ``{field}`` stands for an entry's field.
    corners : four names or None
        The fields that hold A0 far, C8 far, C8 near, A0 near, each ``x,y``.
    """

    file: RelativePath
    columns: dict[str, Text]
    corners: tuple[str, str, str, str] | None = None


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class FilmSet(Strict):
    """A set of films.

    Attributes
    ----------
    name : str
        Also the name of the corpus that opens it.
    truth : str
        ``true MIDI`` (the instrument's own), ``transcribed`` (from the sound), ``imported``, ``not stated``.
    citation : str
        BibTeX to copy.
    gigabytes : float or None
        About how much the films take.
    faults : tuple of str
        What is known to be wrong with it.
    source : Source or None
        None where the films lie beside the file.
    labels : tuple of str
        Whose labels count, the best first: ``release`` (the authors', as imported), ``transkun`` (what
        Transkun heard, ``<film>.transkun.mid`` beside the film), or a data set of ``audeo-bench data add`` in
        whose folder the rows' labels may lie as well.
    from_first_note : bool
        Whether films count from their first true key on only, as in the paper.
    find_corners : bool
        Whether rows' crops are left aside, so that the corners of the keys are found in each film; corners
        that a row gives still count.
    listing : Listing or None
        Where the set lists its own rows; ``films`` is empty then.
    folder : Path
        Of the file.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    title: Text = ""
    truth: Truth = "not stated"
    licence: Text = "not stated"
    citation: Text = ""
    homepage: Annotated[Text, Field(pattern=r"^https?://")] | None = None
    gigabytes: Annotated[float, Field(ge=0, le=1e6)] | None = None
    faults: tuple[Text, ...] = ()
    source: Annotated[Source, Field(discriminator="kind")] | None = None
    labels: Annotated[tuple[LabelPlace, ...], BeforeValidator(_listed)] = ()
    from_first_note: bool = False
    find_corners: bool = False
    listing: Listing | None = None
    films: tuple[Film, ...] = Field((), alias="film")
    folder: Path = Field(Path(), exclude=True)

    @model_validator(mode="after")
    def _unique(self) -> FilmSet:
        for what, values in (
            ("id", [film.id.lower() for film in self.films]),
            ("film", [film.film.lower() for film in self.films]),
        ):
            twice = sorted(value for value, count in Counter(values).items() if count > 1)
            if twice:
                raise ValueError(f"two rows have the {what} {twice[0]!r}")
        return self

    def split(self, name: str) -> list[Film]:
        """The films of a split, in the file's order."""
        return [film for film in self.films if film.split == name]

    @property
    def splits(self) -> dict[str, int]:
        """Split -> how many films, in the file's order."""
        counts: dict[str, int] = {}
        for film in self.films:
            counts[film.split] = counts.get(film.split, 0) + 1
        return counts


def shipped_sets() -> dict[str, Path]:
    """Name -> file of every set that ships with the package."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "shipped").glob("*.toml"))}


def read_manifest(path: Path) -> FilmSet:
    """Read a set's file (TOML or CSV) or a folder of films with MIDI files beside them.

    Raises
    ------
    AudeoBenchError
        No such file, or it is not of the form: names file, row and column.
    """
    path = Path(path)
    if path.is_dir():
        return manifest_of_folder(path)
    if path.suffix.lower() == ".csv":
        name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "films"
        return _validated({"name": name, "title": path.stem}, _table(path), path, path)
    if path.suffix.lower() != ".toml":
        raise AudeoBenchError(f"{path}: a set is a .toml or .csv file, or a folder of films; give one.")
    try:
        head = tomllib.loads(_text(path))
    except RecursionError:
        raise AudeoBenchError(f"{path}: not TOML (nested too deeply); correct it.") from None
    except ValueError as fault:  # and what Python says of a number of thousands of digits
        raise AudeoBenchError(
            f"{path}: not TOML ({str(fault).partition(';')[0]}); correct that line."
        ) from None
    if "folder" in head:
        raise AudeoBenchError(f"{path}: folder: no such column; the set's folder is where its file lies.")
    table = head.pop("table", None)
    if table is not None and "film" in head:
        raise AudeoBenchError(f"{path}: rows both as [[film]] and in a table; keep one of them.")
    if table is None:
        rows = head.pop("film", [])
        if not isinstance(rows, list):
            raise AudeoBenchError(f"{path}: [film] is one table; write [[film]] for each film.")
        numbered = [(f"film {place}", row) for place, row in enumerate(rows, 1)]
        return _validated(head, numbered, path, path)
    if not isinstance(table, str) or "/" in table or "\\" in table or not table.endswith(".csv"):
        raise AudeoBenchError(f"{path}: table must name a .csv file in the same folder.")
    return _validated(head, _table(path.parent / table), path, path.parent / table)


def manifest_of_folder(folder: Path) -> FilmSet:
    """A folder of films with MIDI files of the same names beside them, as a set.

    The split is the nearest folder called train, validation (valid, val) or test, else ``test``.

    Raises
    ------
    AudeoBenchError
        The folder holds no film.
    """
    folder = Path(folder)
    paths = (
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    rows = pair_films(paths)
    if not rows:
        raise AudeoBenchError(
            f"{folder}: no film in it ({', '.join(FILM_SUFFIXES)}); give a folder of films, or a set's file."
        )
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "films"
    head = {"name": name[:40], "title": folder.resolve().name}
    return _validated(head, [(row["film"], row) for row in rows], folder, folder).model_copy(
        update={"folder": folder}
    )


def pair_films(paths: Iterable[str]) -> list[dict[str, str]]:
    """Rows out of a listing of files: every film, with the MIDI file of its name.

    Labels beside the film go first; else the only one of that name anywhere counts.
    """
    files = [PurePosixPath(path) for path in paths]
    labels = [file for file in files if file.suffix.lower() in MIDI_SUFFIXES]
    films = [file for file in files if file.suffix.lower() in FILM_SUFFIXES]
    stems = Counter(film.stem for film in films)
    by_stem: dict[str, list[PurePosixPath]] = {}
    for label in labels:
        by_stem.setdefault(label.stem, []).append(label)
    rows = []
    for film in films:
        same = by_stem.get(film.stem, [])
        beside = [label for label in same if label.parent == film.parent]
        label = beside[0] if beside else same[0] if len(same) == 1 else None
        spelled = film.stem if stems[film.stem] == 1 else str(film.with_suffix("")).replace("/", "-")
        row = {"id": re.sub(r"[^A-Za-z0-9_.+-]", "_", spelled).lstrip(".+-") or "film", "film": str(film)}
        row["split"] = next(
            (_SPLITS[p.lower()] for p in reversed(film.parts[:-1]) if p.lower() in _SPLITS), "test"
        )
        rows.append(row | ({"midi": str(label)} if label else {}))
    return rows


def rows_of(listing: Listing, entries: Any, where: Path) -> tuple[Film, ...]:
    """The rows that a set lists itself.

    Parameters
    ----------
    listing : Listing
    entries : list or dict of dict
        As its JSON file holds them.
    where : Path
        That file, for errors.

    Raises
    ------
    AudeoBenchError
        An entry lacks a field, or does not make a row.
    """
    if isinstance(entries, dict):
        entries = list(entries.values())
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AudeoBenchError(f"{where}: not a list of entries; fetch it again, or another revision.")
    numbered = []
    for place, entry in enumerate(entries, 1):
        row: dict[str, Any] = {
            column: _filled(text, entry, f"{where}: entry {place}")
            for column, text in listing.columns.items()
        }
        row["split"] = _SPLITS.get(row.get("split", "test"), row.get("split", "test"))
        if listing.corners and all(entry.get(field) for field in listing.corners):
            row["corners"] = " ".join(str(entry[field]).strip("()[]") for field in listing.corners)
        numbered.append((f"entry {place}", row))
    return _validated({"name": "listed"}, numbered, where, where).films


def _filled(text: str, entry: Mapping[str, Any], where: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in entry:
            raise AudeoBenchError(f"{where}: no field {found[1]!r}; the set's listing has changed its form.")
        return "" if entry[found[1]] is None else str(entry[found[1]])

    return re.sub(r"\{(\w+)\}", value, text)


def _text(path: Path) -> str:
    return read_text(path, remedy="give a set's .toml or .csv file", limit=_LONGEST)


def _table(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """(line, row) of a CSV table; empty cells are left out, so that they are what nothing is said of."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True, skipinitialspace=True)
    rows: list[tuple[str, dict[str, Any]]] = []
    try:
        header = reader.fieldnames or []
        if len(header) == 1 and (other := re.search("[;\t]", header[0])):
            raise AudeoBenchError(
                f"{path}: line 1: its cells stand apart by {other[0]!r}; save it with ',' between them."
            )
        names = [name.strip() for name in header]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise AudeoBenchError(f"{path}: line 1: two columns are called {twice!r}; rename one.")
        if not header:
            raise AudeoBenchError(f"{path}: the file is empty; begin with a line such as id,film,midi.")
        for row in reader:
            line = f"line {reader.line_num}"
            if None in row:
                raise AudeoBenchError(f"{path}: {line}: more cells than columns; quote cells with commas.")
            rows.append((line, {name.strip(): cell for name, cell in row.items() if cell and cell.strip()}))
    except csv.Error as fault:
        raise AudeoBenchError(f"{path}: line {reader.line_num}: not CSV ({fault}).") from None
    return rows


def _validated(
    head: dict[str, Any], rows: list[tuple[str, dict[str, Any]]], path: Path, rows_path: Path
) -> FilmSet:
    """Check rows one by one, so that a fault can be told with its row and column, then the whole."""
    films = []
    for where, row in rows:
        try:
            films.append(Film.model_validate(row))
        except ValidationError as fault:
            known = {field.alias or name for name, field in Film.model_fields.items()}
            spelled = f" ({row['id']})" if isinstance(row, dict) and row.get("id") else ""
            raise AudeoBenchError(f"{rows_path}: {where}{spelled}: {_told(fault, known)}") from None
    try:
        return FilmSet.model_validate({**head, "film": films, "folder": path.parent})
    except ValidationError as fault:
        known = {field.alias or name for name, field in FilmSet.model_fields.items()}
        raise AudeoBenchError(f"{path}: {_told(fault, known)}") from None


def called(films: FilmSet, name: str) -> FilmSet:
    """A set under another name.

    Raises
    ------
    AudeoBenchError
        The name is none.
    """
    try:
        return FilmSet.model_validate(
            {**films.model_dump(by_alias=True), "name": name, "folder": films.folder}
        )
    except ValidationError as fault:
        raise AudeoBenchError(f"set {name}: {_told(fault, set())}") from None


def _told(fault: ValidationError, known: set[str]) -> str:
    """The first thing that is wrong, in words: column, what was found, what is expected."""
    first = fault.errors()[0]
    place = [str(part) for part in first["loc"]]
    if place[:1] == ["source"] and len(place) > 1:
        del place[1]  # the kind of source, which pydantic names as well
    column = place[0] if place else ""
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(column, known - {"folder"}, n=1)
        hint = f"did you mean {close[0]}?" if close and len(place) == 1 else "remove it."
        return f"{'.'.join(place)}: no such column; {hint}"
    if first["type"] == "missing" and len(place) == 1:
        return f"{column}: missing; every {'film' if 'split' in known else 'set'} needs one."
    beyond = first["type"].startswith(("greater_than", "less_than"))
    if column in ("corners", "crop", "picture") and len(place) > 1 and not beyond:
        message = {"corners": "eight numbers", "crop": "four numbers", "picture": "width and height"}[column]
        return f"{column}: must be {message}, as docs/sets.md says."
    message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if first["type"] == "string_pattern_mismatch" and column in _PATTERNS:
        message = _PATTERNS[column]
    found = "" if isinstance(first["input"], dict | Film) else f", found {_shown(first['input'])[:80]!r}"
    at = f"{'.'.join(place)}: " if place else ""
    return f"{at}{message[0].lower() + message[1:]}{found}."


def _shown(value: Any) -> str:
    """What was found, however deep its lists lie in each other and however long its numbers are."""
    try:
        return reprlib.repr(value) if isinstance(value, list | tuple) else str(value)
    except ValueError:
        return "a number of thousands of digits"
