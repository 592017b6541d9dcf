"""Where files lie: those that travel with the package (contestants, weights, reported cells), and the cache.

In a checkout they stand beside the package, where people read and change them; in a wheel they travel under
the package's private folder ``_shipped`` (see ``package-dir`` in pyproject.toml), so that nothing but
``audeo_bench`` lands in site-packages.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The root of the checkout that this package is imported from; None for an installed wheel."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "leaderboards").is_dir() else None


def shipped(name: str) -> Path:
    """The folder ``models``, ``baselines`` or ``leaderboards`` that belongs to this package."""
    root = checkout()
    return root / name if root else PACKAGE / "_shipped" / name


def cache_folder() -> Path:
    """Where what can be made again is kept: catalogues, training frames; ``AUDEO_BENCH_CACHE`` names another
    place.
    """
    return Path(os.environ.get("AUDEO_BENCH_CACHE") or platformdirs.user_cache_dir("audeo-bench"))
