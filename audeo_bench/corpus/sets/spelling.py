"""How a film's address is spelled on a mirror, whatever brings it from there, and how its coming is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import quote

from audeo_bench.corpus.sets.check import Refused
from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.manifest import FilmSet
from audeo_bench.errors import AudeoBenchError

__all__ = ["YOUTUBE", "Moved", "spelled", "spelled_label", "unlisted"]

Moved = Callable[[float, str], None]
"""Told the share of a film that is here, 0..1, and a note; may raise to stop."""
YOUTUBE = "https://www.youtube.com/watch?v={youtube}"


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
    """Where a mirror may have a film's labels: beside the film, as ``.mid`` or ``.midi`` unless the row says
    ``.tsv`` or ``.npz``; or in the set's own layout.
    """
    if "{youtube}" in template:
        return []
    if "{id}" not in template:
        label = film.midi_url if web and film.midi_url else film.labels
        return [f"{template.rstrip('/')}/{quote(label) if web else label}"] if label else []
    last = template.rpartition("/")[2]
    if "?" in last or "." not in last:
        return []
    own = PurePosixPath(film.labels or "").suffix.lower()
    suffixes = (own,) if own in (".tsv", ".npz") else (".mid", ".midi")
    stems = [place.rpartition(".")[0] for place in spelled(template, film, web)]
    return [stem + suffix for stem in stems for suffix in suffixes]


def unlisted(films: FilmSet) -> AudeoBenchError:
    """That a set's rows cannot be had in this way."""
    return AudeoBenchError(
        f"set {films.name}: its films are listed by {films.homepage or 'its source'}; fetch it from there "
        "once, or give --source a folder with the set's own layout."
    )
