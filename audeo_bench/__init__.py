"""audeo-bench: how good is your video-to-piano-music model?

For notebooks, each giving a pandas DataFrame: :func:`load_run`, :func:`compare`, :func:`leaderboard` and
:func:`score`. They are fetched when first used, so that ``import audeo_bench`` stays instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audeo_bench.notebook import compare, leaderboard, load_run
    from audeo_bench.score import score

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "leaderboard", "load_run", "score"]

_NOTEBOOK = ("compare", "leaderboard", "load_run")


def __getattr__(name: str) -> Any:
    if name in _NOTEBOOK:
        from audeo_bench import notebook

        return getattr(notebook, name)
    if name == "score":
        # The package of this name: it can be called, see its end.
        import importlib

        return importlib.import_module("audeo_bench.score")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
