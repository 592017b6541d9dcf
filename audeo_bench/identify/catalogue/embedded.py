"""The embedded catalogue: built on first use, kept in the user's cache."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from audeo_bench.errors import AudeoBenchError
from audeo_bench.identify.catalogue import sources, store
from audeo_bench.identify.catalogue.sources import DISTRACTORS, simulated_sources
from audeo_bench.identify.catalogue.store import Catalogue, Source, build
from audeo_bench.places import cache_folder
from audeo_bench.progress import progress_bar
from audeo_bench.provenance import code_digest, code_of


def embedded_catalogue(seed: int = 0, workers: int | None = None) -> Catalogue:
    """Reference performances of every simulated work and 500 distractors; built on first use."""
    folder = cache_folder() / f"catalogue-simulated-{seed}-{_recipe()}"
    if (folder / "catalogue.json").is_file():
        try:
            return Catalogue(folder)
        except AudeoBenchError as damaged:
            print(damaged, file=sys.stderr)
    performances = simulated_sources(seed, DISTRACTORS)
    print(
        f"building a catalogue of {len(performances)} simulated performances, once, some minutes: {folder}",
        file=sys.stderr,
    )
    return build_with_progress(performances, folder, f"simulated seed {seed}", "simulated", workers)


def build_with_progress(
    performances: Sequence[Source], folder: Path, name: str, provenance: str, workers: int | None = None
) -> Catalogue:
    """:func:`build` under a progress bar."""
    with progress_bar("catalogue", len(performances), "performances") as bar:
        return build(performances, folder, name, provenance, workers, on_progress=bar.advance)


def _recipe() -> str:
    """Names what the content depends on: all code that composes, performs, plays and listens."""
    return code_digest(code_of(Path(sources.__file__), Path(store.__file__)))[:12]
