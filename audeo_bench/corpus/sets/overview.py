"""What sets there are, what is here of them, and what can be computed with that."""

from __future__ import annotations

from typing import Any

from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.here import Record, known_sets, labels_of, open_set
from audeo_bench.corpus.sets.manifest import FilmSet
from audeo_bench.errors import AudeoBenchError

__all__ = ["computable", "describe_set", "set_rows"]

TRAINING, VALIDATION = ("train", "wtc1"), ("validation",)
"""Names of splits, a set's own and the paper's, by what they are for."""


def set_rows() -> list[dict[str, Any]]:
    """One row for each set: what it is, its splits, and how many of its films are here."""
    rows = []
    for name in known_sets():
        row: dict[str, Any] = {"corpus": name, "provenance": "recorded", "splits": {}}
        try:
            films, record = open_set(name)
        except AudeoBenchError as fault:
            rows.append(row | {"truth": "", "licence": "", "gigabytes": None, "state": str(fault)})
            continue
        rows.append(
            row
            | {
                "title": films.title,
                "truth": films.truth,
                "licence": films.licence,
                "gigabytes": films.gigabytes,
                "splits": films.splits,
                "films": len(films.films) or None,
                "here": len(_here(films, record)),
                "state": state(films, record),
            }
        )
    return rows


def state(films: FilmSet, record: Record) -> str:
    """How many films are here, in words."""
    here = len(_here(films, record))
    if not films.films:
        return "none here; its films are listed when it is fetched"
    return f"{here or 'none'} of {len(films.films)} films here"


def describe_set(place: str) -> dict[str, Any]:
    """Everything about a set, its films included: whether each is here, and how what is here was checked."""
    films, record = open_set(place)
    facts = films.model_dump(mode="json", by_alias=True, exclude={"films", "folder"})
    rows, found_here = [], _here(films, record)
    for film in films.films:
        kept = record.films.get(film.id)
        row = film.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        here = found_here.get(film.id)
        labels = labels_of(films, film, kept, record.folder)
        found = None if here is None else str(here.film)
        row |= {"here": found, "labels": str(labels[0].path) if labels else None}
        row |= {"truth": [one.by for one in labels]}
        rows.append(row | ({} if here is None else {"sha256": here.sha256, "found_seconds": here.seconds}))
    facts["revision"] = record.revision
    return facts | {"splits": films.splits, "state": state(films, record), "films": rows}


def computable(place: str) -> list[tuple[str, str, str, str]]:
    """What is here by split or column of Table 2, and what can be computed with it.

    Returns
    -------
    rows : list of (split, films here, with labels, what for)
    """
    films, record = open_set(place)
    here = _here(films, record)
    labelled = {
        film.id
        for film in films.films
        if labels_of(films, film, here.get(film.id), record.folder) and film.id in here
    }
    rows = []
    for split in films.splits:
        members = films.split(split)
        found = [film for film in members if film.id in here]
        scored = [film for film in found if film.id in labelled]
        rows.append((split, *_counts(members, found, scored), _use(split, members, scored)))
    for column in dict.fromkeys(film.class_ for film in films.films if film.class_):
        members = [film for film in films.films if film.class_ == column]
        found = [film for film in members if film.id in here]
        scored = [film for film in found if film.id in labelled]
        use = f"Table 2, column {column}: its truth row on {len(found)}, every system on {len(found)} films"
        rows.append((f"class {column}", *_counts(members, found, scored), use if found else "nothing yet"))
    return rows


def _here(films: FilmSet, record: Record) -> dict[str, Any]:
    ids = {film.id for film in films.films}
    return {name: kept for name, kept in record.films.items() if name in ids and kept.film.is_file()}


def _counts(members: list[Film], found: list[Film], scored: list[Film]) -> tuple[str, str]:
    return f"{len(found)} of {len(members)}", f"{len(scored)}"


def _use(split: str, members: list[Film], scored: list[Film]) -> str:
    if not scored:
        return "nothing yet: films and labels are needed"
    part = f"{len(scored)} of {len(members)}" if len(scored) < len(members) else f"all {len(members)}"
    if split in TRAINING:
        return f"training, on {part} films"
    if split in VALIDATION:
        return f"choosing checkpoints, on {part} films"
    return f"Table 1, every row, on {part} films"
