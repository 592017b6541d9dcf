"""A film, a roll or a MIDI file becomes sound; ``audeo_bench.perform(film)`` is :func:`perform`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from audeo_bench.perform.film import Performed


def perform(
    film: str | Path,
    output: str | Path | None = None,
    *,
    midi: str | Path | None = None,
    wav: str | Path | None = None,
    overlay: str | Path | None = None,
    system: str | None = None,
    weights: Sequence[str] = (),
    corners: np.ndarray | None = None,
    crop: tuple[int, int, int, int] | None = None,
    lowest_key: int | None = None,
    threshold: float = 0.4,
    synthesizer: str = "fluidsynth",
) -> Performed:
    """Give a silent film its notes and its sound; what is not named is not written.

    Parameters are those of ``audeo-bench perform``; see :func:`audeo_bench.perform.film.perform`.

    Returns
    -------
    Performed
        Its ``notes`` can be played: ``audeo_bench.play(performed.notes)``.

    Raises
    ------
    AudeoBenchError
        The film cannot be read, no keyboard is found for certain, or the system has no weights.
    """
    import numpy as np

    from audeo_bench.perform.film import Reader, Where
    from audeo_bench.perform.film import perform as perform_film
    from audeo_bench.perform.outputs import Outputs
    from audeo_bench.perform.sound_files import Voice

    paths = (None if path is None else Path(path) for path in (output, midi, wav, overlay))
    where = Where(None if corners is None else np.asarray(corners, float), crop, lowest_key)
    reader = Reader(system, weights, threshold)
    return perform_film(Path(film), Outputs(*paths), reader, where, Voice(synthesizer))


class _Callable(ModuleType):
    """Lets ``audeo_bench.perform(...)`` be :func:`perform`, though that is this package."""

    def __call__(self, *arguments: Any, **options: Any) -> Performed:
        return perform(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
