"""The ways in which films are had: the web, the Hugging Face hub, a lab's folder, one's own hands."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import quote

from audeo_bench.corpus.sets.check import Refused
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.manifest import Ask, FilmSet, Https, YouTube, manifest_of_folder, rows_of
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import read_json

__all__ = ["Moved", "Way", "way_of"]

Moved = Callable[[float, str], None]
"""Told the share of a film that is here, 0..1, and a note; may raise to stop."""
YOUTUBE = "https://www.youtube.com/watch?v={youtube}"


class Way(Protocol):
    """Where films come from. Methods leave whole files in ``work`` and may be called from several threads.

    Attributes
    ----------
    stop : threading.Event
        Set when nothing more is wanted, so that nobody waits on.
    """

    stop: threading.Event

    def rows(self, films: FilmSet, work: Path) -> tuple[Film, ...]:
        """The rows of a set whose file names none. Raises :class:`AudeoBenchError`."""
        ...

    def film(self, film: Film, work: Path, moved: Moved) -> Path:
        """Bring a film; what was brought of it before is not brought again. Raises :class:`Refused`."""
        ...

    def label(self, film: Film, work: Path) -> Path | None:
        """Bring a film's labels; None where there are none."""
        ...

    def size(self, film: Film) -> int | None:
        """Bytes of a film, where that costs nothing to know."""
        ...


def way_of(films: FilmSet, source: str | None, cookies: str | None, revision: str | None) -> Way:
    """The way to a set's films.

    Parameters
    ----------
    films : FilmSet
    source : str or None
        A mirror, instead of the set's own: an address or folder, with ``{id}`` or with the set's own layout
        below.
    cookies : str or None
        The browser whose cookies go with requests.
    revision : str or None
        The commit that a hub set is pinned to, from an earlier fetch.

    Raises
    ------
    AudeoBenchError
        What the way needs is not installed, or the mirror is no address and no folder.
    """
    own = films.source
    if source is not None and source.startswith(("http://", "https://")):
        return _web(source, cookies)
    if source is not None:
        return Folder(source)
    if isinstance(own, YouTube):
        return _web(YOUTUBE, cookies)
    if isinstance(own, Https):
        return _web(own.base, cookies)
    if own is None or isinstance(own, Ask):
        return Hands(own.how if own else "put it where the set's file says")
    from audeo_bench.corpus.sets.hub import Hub

    return Hub(own, revision)


def _web(template: str, cookies: str | None) -> Way:
    from audeo_bench.corpus.sets.web import Web

    return Web(template, cookies)


def spelled(template: str, film: Film, web: bool) -> list[str]:
    """Where a mirror may have a film: by its id, then by its id on YouTube, as mirrors often are named."""
    quoted = quote if web else str
    if "{id}" in template:
        names = [film.id, film.youtube] if film.youtube else [film.id]
        return [template.replace("{id}", quoted(name)) for name in names]
    if "{youtube}" in template:
        if film.youtube is None:
            raise Refused("the set's file has no YouTube id for it; add one, or give --source")
        return [template.replace("{youtube}", film.youtube)]
    return [f"{template.rstrip('/')}/{quoted(film.url if web and film.url else film.film)}"]


def spelled_label(template: str, film: Film, web: bool) -> list[str]:
    """Where a mirror may have a film's labels: beside the film, ``.mid``; or in the set's own layout."""
    if "{youtube}" in template:
        return []
    if "{id}" not in template:
        label = film.midi_url if web and film.midi_url else film.midi
        return [f"{template.rstrip('/')}/{quote(label) if web else label}"] if label else []
    last = template.rpartition("/")[2]
    if "?" in last or "." not in last:
        return []
    return [place.rpartition(".")[0] + ".mid" for place in spelled(template, film, web)]


def unlisted(films: FilmSet) -> AudeoBenchError:
    """That a set's rows cannot be had in this way."""
    return AudeoBenchError(
        f"set {films.name}: its films are listed by {films.homepage or 'its source'}; fetch it from there "
        "once, or give --source a folder with the set's own layout."
    )


class Folder:
    """A folder of this machine, such as a lab's share; films are copied out of it."""

    def __init__(self, template: str) -> None:
        self.stop = threading.Event()
        self.template = str(Path(template).expanduser())
        root = PurePosixPath(self.template.partition("{")[0] + ("x" if "{" in self.template else ""))
        folder = Path(root.parent if "{" in self.template else root)
        if not folder.is_dir():
            raise AudeoBenchError(
                f"--source {template}: no folder {folder}; give a folder, or an address that begins with https://."
            )

    def rows(self, films: FilmSet, work: Path) -> tuple[Film, ...]:
        folder = Path(self.template)
        if "{" in self.template:
            raise unlisted(films)
        if films.listing is None:
            return manifest_of_folder(folder).films
        path = folder / films.listing.file
        return rows_of(films.listing, read_json(path, remedy="give a whole copy of the set"), path)

    def film(self, film: Film, work: Path, moved: Moved) -> Path:
        places = [Path(place) for place in spelled(self.template, film, web=False)]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise Refused(f"not there: {places[0]}; put it there, or leave it out with --only")
        return _copied(found, work / f"{film.id}{found.suffix}")

    def label(self, film: Film, work: Path) -> Path | None:
        for place in map(Path, spelled_label(self.template, film, web=False)):
            if place.is_file():
                return _copied(place, work / f"{film.id}{place.suffix}")
        return None

    def size(self, film: Film) -> int | None:
        places = map(Path, spelled(self.template, film, web=False))
        return next((place.stat().st_size for place in places if place.is_file()), 0)


def _copied(source: Path, target: Path) -> Path:
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)
    return target


class Hands:
    """No address: the user puts the films where they belong."""

    def __init__(self, how: str) -> None:
        self.stop = threading.Event()
        self.how = how

    def rows(self, films: FilmSet, work: Path) -> tuple[Film, ...]:
        raise unlisted(films)

    def film(self, film: Film, work: Path, moved: Moved) -> Path:
        raise Refused(f"not there; {self.how}")

    def label(self, film: Film, work: Path) -> Path | None:
        return None

    def size(self, film: Film) -> int | None:
        return 0
