"""The ways in which films are had: the web, the Hugging Face hub, a lab's folder, one's own hands."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path, PurePosixPath
from typing import Protocol

from audeo_bench.corpus.sets.check import Refused
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.manifest import Ask, FilmSet, Https, YouTube, manifest_of_folder, rows_of
from audeo_bench.corpus.sets.spelling import YOUTUBE, Moved, spelled, spelled_label, unlisted
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import read_json

__all__ = ["Folder", "Hands", "Way", "copied", "way_of"]


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
        """Bring a film's labels; None where there are none. Raises :class:`Refused`."""
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
    fields = re.findall(r"{(.*?)}", source or "")
    if source is not None and (not source or any(field not in ("id", "youtube") for field in fields)):
        raise AudeoBenchError(
            f"--source {source!r}: give a folder or an address, with {{id}} where a film's id stands."
        )
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
        return copied(found, work / f"{film.id}{found.suffix}")

    def label(self, film: Film, work: Path) -> Path | None:
        for place in map(Path, spelled_label(self.template, film, web=False)):
            if place.is_file():
                return copied(place, work / f"{film.id}{place.suffix}")
        return None

    def size(self, film: Film) -> int | None:
        places = map(Path, spelled(self.template, film, web=False))
        return next((place.stat().st_size for place in places if place.is_file()), 0)


def copied(source: Path, target: Path) -> Path:
    """Copy a file that then is there whole, or not at all."""
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
