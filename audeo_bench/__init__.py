"""audeo-bench: how good is your video-to-piano-music model?

For notebooks: :func:`evaluate` a model in one call, :func:`open_corpus`, :func:`perform` a film, :func:`play`
and :func:`plot` what was answered, and pandas DataFrames from :func:`load_run`, :func:`compare`,
:func:`leaderboard` and :func:`score`. They are fetched when first used, so that ``import audeo_bench`` stays
instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audeo_bench.version import __version__

if TYPE_CHECKING:
    from audeo_bench.corpus import open_corpus
    from audeo_bench.notebook import compare, evaluate, leaderboard, load_run, perform, play, plot  # type: ignore[attr-defined]
    from audeo_bench.score import score

__all__ = [
    "__version__",
    "compare",
    "evaluate",
    "leaderboard",
    "load_run",
    "open_corpus",
    "perform",
    "play",
    "plot",
    "score",
]

_NOTEBOOK = ("compare", "evaluate", "leaderboard", "load_run", "play", "plot")
_ROOMS = ("perform", "score")
"""Packages of these names, which can be called: see their ends."""


def __getattr__(name: str) -> Any:
    import importlib

    if name in _NOTEBOOK:
        return getattr(importlib.import_module("audeo_bench.notebook"), name)
    if name in _ROOMS:
        return importlib.import_module(f"audeo_bench.{name}")
    if name == "open_corpus":
        return importlib.import_module("audeo_bench.corpus").open_corpus
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
