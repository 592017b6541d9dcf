"""A film, a roll or a MIDI file becomes sound.

>>> import audeo_bench
>>> from audeo_bench.perform import Outputs, Reader, Where
>>> made = audeo_bench.perform("silent.mp4", Outputs(midi="heard.mid"), Reader("./mine.py"))  # doctest: +SKIP
>>> audeo_bench.play(made.notes)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audeo_bench.perform.film import Performed, Reader, Where, perform
    from audeo_bench.perform.outputs import Outputs
    from audeo_bench.perform.sound_files import Voice

__all__ = ["Outputs", "Performed", "Reader", "Voice", "Where", "perform"]

_PLACES = {"Outputs": "outputs", "Voice": "sound_files"}


def __getattr__(name: str) -> Any:
    """Names are imported when they are used: a command that plays rolls needs no film."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_PLACES.get(name, 'film')}"), name)


class _Callable(ModuleType):
    """Lets ``audeo_bench.perform(...)`` be :func:`.film.perform`, though that is this package."""

    def __call__(self, *arguments: Any, **options: Any) -> Performed:
        return __getattr__("perform")(*arguments, **options)


sys.modules[__name__].__class__ = _Callable
