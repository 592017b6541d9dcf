"""The embedded catalogue: built on first use, kept in the user's cache."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from audeo_bench.crew import Crew, crew, fitting
from audeo_bench.errors import AudeoBenchError
from audeo_bench.identify.catalogue import sources, store
from audeo_bench.identify.catalogue.sources import DISTRACTORS, known_sources, simulated_sources
from audeo_bench.identify.catalogue.store import Catalogue, Source, build
from audeo_bench.places import cache_folder
from audeo_bench.progress import progress_bar
from audeo_bench.provenance import code_digest, code_of

FEW_DISTRACTORS = 60
"""Beside the works, where the whole catalogue would take longer than all the rest."""


def embedded_catalogue(
    corpus: str = "simulated", seed: int = 0, quick: bool = False, who: Crew | None = None
) -> Catalogue:
    """Reference performances of every work of a corpus and of distractors; built on first use.

    Parameters
    ----------
    corpus : str
        ``known-works``; any other means the simulated works.
    quick : bool
        With 60 distractors instead of 500: for a first look.
    who : Crew or None
        Who builds it; None for as many processes as cores and memory allow.
    """
    name = corpus if corpus == "known-works" else "simulated"
    distractors = FEW_DISTRACTORS if quick or name == "known-works" else DISTRACTORS
    folder = cache_folder() / f"catalogue-{name}-{seed}-{distractors}-{_recipe()}"
    if (folder / "catalogue.json").is_file():
        try:
            return Catalogue(folder)
        except AudeoBenchError as damaged:
            print(damaged, file=sys.stderr)
    works = known_sources(seed) if name == "known-works" else simulated_sources(seed, 0)
    performances = [*works, *simulated_sources(seed, distractors)[-distractors:]]
    print(
        f"building a catalogue of {len(performances)} performances, once, about "
        f"{max(1, round(len(performances) / 120))} minutes of one core: {folder}",
        file=sys.stderr,
    )
    with nullcontext(who) if who else crew(fitting(len(performances))) as builders:
        return build_with_progress(performances, folder, f"{name} seed {seed}", "simulated", builders)


def build_with_progress(
    performances: Sequence[Source], folder: Path, name: str, provenance: str, who: Crew
) -> Catalogue:
    """:func:`build` under a progress bar."""
    with progress_bar("catalogue", len(performances), "performances") as bar:
        return build(performances, folder, name, provenance, who, on_progress=bar.advance)


def _recipe() -> str:
    """Names what the content depends on: all code that composes, performs, plays and listens."""
    return code_digest(code_of(Path(sources.__file__), Path(store.__file__)))[:12]
