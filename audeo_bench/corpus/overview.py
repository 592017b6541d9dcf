"""What corpora and recordings are there, as plain facts to print."""

from __future__ import annotations

from typing import Any

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus import CORPORA, corpus_class, open_corpus
from audeo_bench.corpus.registry import SOURCES, registered

__all__ = ["describe", "overview"]


def overview() -> list[dict[str, Any]]:
    """One row for each corpus: name, provenance, recordings by split, and its state here.

    A corpus whose data are missing has no splits, and a state that says what to do.
    """
    needed = {source.corpus: data for data, source in SOURCES.items()}
    here = {entry.name for entry in registered()}
    rows = []
    for name in CORPORA:
        row: dict[str, Any] = {"corpus": name, "provenance": corpus_class(name).provenance, "splits": {}}
        if name in needed and needed[name] not in here:
            rows.append(row | {"state": f"needs data: audeo-bench data add {needed[name]} DIR"})
            continue
        try:
            corpus = open_corpus(name)
        except AudeoBenchError as problem:
            rows.append(row | {"state": str(problem)})
        else:
            splits = {split: len(ids) for split, ids in corpus.listing().items()}
            rows.append(row | {"splits": splits, "state": f"version {corpus.version}"})
    return rows


def describe(place: str, seed: int = 0) -> dict[str, Any]:
    """The facts of a corpus (``simulated``) or of one recording (``simulated/wtc2-01``)."""
    name, slash, recording_id = place.partition("/")
    corpus = open_corpus(name, seed=seed)
    facts: dict[str, Any] = {
        "corpus": corpus.name,
        "version": corpus.version,
        "seed": corpus.seed,
        "provenance": corpus.provenance,
    }
    if slash:
        recording = corpus.recording(recording_id)
        facts |= {
            "recording": recording.id,
            "title": recording.title,
            "work": f"{recording.work.composer}: {recording.work.title}",
            "split": recording.split,
            "seconds": round(recording.seconds, 2),
            "frames": len(recording),
            "notes": None if recording.notes is None else len(recording.notes),
            "keys sounding at once, mean": round(float(recording.sounding.sum(axis=0).mean()), 2),
        }
    else:
        facts |= {split: ", ".join(ids) for split, ids in corpus.listing().items()}
    for source in SOURCES.values():
        if source.corpus == name:
            facts |= {"data": source.title, "licence": source.licence, "citation": source.citation}
    return facts
