"""The embedded catalogue: built on first use, kept in the user's cache."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from audeo_bench.errors import AudeoBenchError
from audeo_bench.identify.catalogue.sources import DISTRACTORS, cache_folder, simulated_sources
from audeo_bench.identify.catalogue.store import VERSIONS, Catalogue, Source, build
from audeo_bench.progress import progress_bar


def embedded_catalogue(seed: int = 0, workers: int | None = None) -> Catalogue:
    """Reference performances of every simulated work and 500 distractors; built on first use."""
    folder = cache_folder() / f"catalogue-simulated-{seed}-{_recipe()}"
    if (folder / "catalogue.json").is_file():
        try:
            return Catalogue(folder)
        except AudeoBenchError as damaged:
            print(damaged, file=sys.stderr)
    sources = simulated_sources(seed, DISTRACTORS)
    print(
        f"building the catalogue of {len(sources)} simulated performances into {folder}: once, some minutes",
        file=sys.stderr,
    )
    return build_with_progress(sources, folder, f"simulated seed {seed}", "simulated", workers)


def build_with_progress(
    sources: Sequence[Source], folder: Path, name: str, provenance: str, workers: int | None = None
) -> Catalogue:
    """:func:`build` under a progress bar."""
    with progress_bar("catalogue", len(sources), "performances") as bar:
        return build(sources, folder, name, provenance, workers, on_progress=bar.advance)


def _recipe() -> str:
    """Names what the content depends on: feature versions, and the code that composes and performs."""
    from audeo_bench.corpus import simulated
    from audeo_bench.identify.catalogue import sources
    from audeo_bench.synth import fluidsynth

    digest = hashlib.sha256(repr((VERSIONS, DISTRACTORS)).encode())
    folder = Path(simulated.__file__).parent
    names = (
        "composer",
        "counterpoint",
        "figuration",
        "harmony",
        "performer",
        "styles",
        "texture",
        "voices",
        "themes",
    )
    paths = [folder / f"{name}.py" for name in names]
    for path in [*paths, Path(sources.__file__), Path(fluidsynth.__file__)]:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:12]
