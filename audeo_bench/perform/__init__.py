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
    *,
    system: str | None = None,
    weights: Sequence[str] = (),
    corners: np.ndarray | None = None,
    threshold: float = 0.4,
    **outputs: str | Path,
) -> Performed:
    """Give a silent film its notes, and write what is named.

    Parameters
    ----------
    system : str or None
        A chain such as ``keywise+roll2midi``, or ``./my_model.py+templates``; None is the best shipped one,
        played by FluidSynth.
    weights : sequence of str
        Of a system; see :func:`audeo_bench.contestants.loading.systems`.
    corners : np.ndarray, shape (4, 2), or None
        A0 far, C8 far, C8 near, A0 near in the film's pixels; found if left out.
    threshold : float
        From which probability upwards a key sounds.
    **outputs : str or Path
        ``film``, ``midi``, ``wav``, ``overlay``, ``keyboard``: see :class:`.outputs.Outputs`.

    Returns
    -------
    Performed
        Its ``notes`` can be played: ``audeo_bench.play(performed.notes)``.

    Raises
    ------
    AudeoBenchError
        The film cannot be read, no keyboard is found for certain, the system has no weights, or an output is
        none of those.
    """
    from dataclasses import fields

    import numpy as np

    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.perform.film import Reader, Where
    from audeo_bench.perform.film import perform as perform_film
    from audeo_bench.perform.outputs import Outputs

    known = [field.name for field in fields(Outputs)]
    if other := [name for name in outputs if name not in known]:
        raise AudeoBenchError(f"perform: writes no {other[0]!r}; choose of {', '.join(known)}.")
    where = Where(None if corners is None else np.asarray(corners, float))
    written = Outputs(**{name: Path(path) for name, path in outputs.items()})
    return perform_film(Path(film), written, Reader(system, weights, threshold), where)


class _Callable(ModuleType):
    """Lets ``audeo_bench.perform(...)`` be :func:`perform`, though that is this package."""

    def __call__(self, *arguments: Any, **options: Any) -> Performed:
        return perform(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
