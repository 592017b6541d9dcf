"""Finding contestants by name or path, loading them, and chaining them into systems.

A contestant is one Python file. It is loaded by its path and never imported by a package name, so it may
stand in any folder, beside any ``models/`` or ``utils.py``. A system is a chain of contestants, written
``video2roll+roll2midi``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Literal

from audeo_bench.api import AudeoBenchError, RollToMidi, Stage, Synthesizer, VideoToRoll
from audeo_bench.places import PACKAGE, shipped

DEFAULT_SYSTEMS = (
    "resnet",
    "resnet_aggregation_slope",
    "video2roll",
    "video2roll+roll2midi",
    "keywise",
    "keywise+roll2midi",
)
"""The systems that ``audeo-bench midi`` runs unless told otherwise, as far as their weights are shipped."""

Kind = Literal["video to roll", "roll to midi", "synthesizer"]
_KINDS: dict[type[Stage], Kind] = {
    VideoToRoll: "video to roll",
    RollToMidi: "roll to midi",
    Synthesizer: "synthesizer",
}


@dataclass(frozen=True)
class Contestant:
    """One contestant's file, by reference: what a worker process is given instead of a pickled class.

    Attributes
    ----------
    name : str
        The file's stem, which is also how a system names it.
    path : Path
        Absolute.
    sha256 : str
        Of the file's bytes when it was found; loading refuses a file that has changed since.
    weights : Path or None
        Where its trained weights are.
    weights_sha256 : str or None
    """

    name: str
    path: Path
    sha256: str
    weights: Path | None = None
    weights_sha256: str | None = None

    def load(self) -> Stage:
        """A new instance with its weights read."""
        stage = instantiate(self)
        if self.weights is not None:
            stage.load(self.weights)
        elif takes_weights(type(stage)):
            raise AudeoBenchError(
                f"{self.path}: {self.name} needs trained weights, but there are none at "
                f"{weights_beside(self.path)}; "
                f"train it with `audeo-bench train {_as_typed(self)}` or name a file with --weights."
            )
        return stage


@dataclass(frozen=True)
class System:
    """A chain of contestants: a :class:`VideoToRoll`, then any :class:`RollToMidi`, at most one
    :class:`Synthesizer`.
    """

    stages: tuple[Contestant, ...]
    kinds: tuple[Kind, ...]

    @property
    def name(self) -> str:
        return "+".join(stage.name for stage in self.stages)

    @property
    def roll_stages(self) -> tuple[Contestant, ...]:
        """The stages that answer with a roll: all but the synthesizer."""
        return tuple(s for s, kind in zip(self.stages, self.kinds, strict=True) if kind != "synthesizer")

    def prefixes(self) -> Iterator[System]:
        """The shorter systems whose roll this one builds on, longest first."""
        for length in range(len(self.roll_stages) - 1, 0, -1):
            yield System(self.stages[:length], self.kinds[:length])


def built_in() -> dict[str, Path]:
    """Names and paths of the contestants that travel with the package."""
    found = {p.stem: p for folder in ("baselines", "models") for p in sorted(shipped(folder).glob("*.py"))}
    fluidsynth = PACKAGE / "synth" / "fluidsynth.py"
    return found | ({"fluidsynth": fluidsynth} if fluidsynth.is_file() else {})


def shipped_systems(weights: Sequence[str] = ()) -> list[System]:
    """The :data:`DEFAULT_SYSTEMS` whose files and weights are there; for ``weights`` see :func:`system`."""
    known = built_in()
    names = [name for name in DEFAULT_SYSTEMS if all(part in known for part in name.split("+"))]
    systems = [system(name, weights) for name in names]
    return [s for s in systems if all(stage.weights is not None for stage in s.stages)]


def find(name_or_path: str) -> Contestant:
    """A contestant by its built-in name, or by path where the text has a separator or ends in ``.py``.

    Raises
    ------
    AudeoBenchError
        There is no such file or built-in contestant.
    """
    is_path = name_or_path.endswith(".py") or os.sep in name_or_path or (os.altsep or os.sep) in name_or_path
    if is_path:
        path = Path(name_or_path).expanduser().resolve()
        if not path.is_file():
            raise AudeoBenchError(f"{name_or_path}: no such contestant file (looked at {path}).")
    else:
        known = built_in()
        if name_or_path not in known:
            hint = (
                f"did you mean {close[0]!r}? " if (close := get_close_matches(name_or_path, known, 1)) else ""
            )
            if Path(f"{name_or_path}.py").is_file():
                hint = f"for the file in this folder write ./{name_or_path}.py. "
            raise AudeoBenchError(
                f"unknown contestant {name_or_path!r}: {hint}built in are {', '.join(sorted(known))}; "
                "your own file is named by its path, such as ./my_model.py."
            )
        path = known[name_or_path]
    return Contestant(path.stem, path, sha256_of(path))


def system(text: str, weights: Sequence[str] = ()) -> System:
    """A system from its chain of names or paths, such as ``video2roll+roll2midi`` or ``./mine.py+roll2midi``.

    Parameters
    ----------
    text : str
    weights : sequence of str
        ``NAME=PATH``, or ``PATH`` alone where only one contestant of the chain takes weights, or only one has
        none beside its file.
    """
    parts = [text] if Path(text).is_file() else text.split("+")
    stages = [find(part.strip()) for part in parts]
    classes = [load_class(stage) for stage in stages]
    kinds: tuple[Kind, ...] = tuple(kind_of(cls) for cls in classes)
    for place, (stage, kind) in enumerate(zip(stages, kinds, strict=True)):
        fits = kind == "video to roll" if place == 0 else kind != "video to roll"
        if not fits or (kind == "synthesizer" and place != len(stages) - 1):
            raise AudeoBenchError(
                f"system {text!r}: {stage.name} ({kind}) cannot stand at place {place + 1}; "
                "a system is one video-to-roll contestant, then roll-to-midi contestants, "
                "then at most one synthesizer."
            )
    needing = [stage for stage, cls in zip(stages, classes, strict=True) if takes_weights(cls)]
    chosen = _choose_weights(needing, stages[0].name, weights)
    return System(tuple(_with_weights(stage, chosen.get(stage.name)) for stage in stages), kinds)


def _choose_weights(needing: list[Contestant], first: str, given: Sequence[str]) -> dict[str, Path | None]:
    chosen: dict[str, Path | None] = {
        stage.name: next((p for p in _default_weights(stage, first) if p.is_file()), None)
        for stage in needing
    }
    for text in given:
        name, equals, path = text.partition("=")
        if not equals:
            without = [n for n, p in chosen.items() if p is None]
            candidates = without if len(without) == 1 else list(chosen)
            if len(candidates) != 1:
                raise AudeoBenchError(
                    f"--weights {text}: say which contestant they are for, as NAME=PATH with NAME one of "
                    f"{', '.join(chosen) or '(none of these takes weights)'}."
                )
            name, path = candidates[0], text
        if name not in chosen:
            continue  # meant for another of the systems of the same command
        if not Path(path).is_file():
            raise AudeoBenchError(f"--weights {text}: there is no file {path}.")
        chosen[name] = Path(path).resolve()
    return chosen


def _default_weights(stage: Contestant, first: str) -> Iterator[Path]:
    # A second stage may ship weights that were trained on one particular first stage's rolls.
    if stage.name != first:
        yield stage.path.parent / "weights" / f"{first}+{stage.name}.safetensors"
    yield weights_beside(stage.path)


def _with_weights(stage: Contestant, weights: Path | None) -> Contestant:
    if weights is None:
        return stage
    return Contestant(stage.name, stage.path, stage.sha256, weights, sha256_of(weights))


def weights_beside(path: Path) -> Path:
    """Where a contestant's weights lie unless ``--weights`` says otherwise: ``weights/<stem>.safetensors``
    beside it.
    """
    return path.parent / "weights" / f"{path.stem}.safetensors"


def takes_weights(cls: type[Stage]) -> bool:
    """A contestant that reads weights says so by defining ``load``."""
    return cls.load is not Stage.load


def kind_of(cls: type[Stage]) -> Kind:
    """Which of the three kinds of contestant a class is."""
    return next(kind for base, kind in _KINDS.items() if issubclass(cls, base))


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_class(contestant: Contestant) -> type[Stage]:
    """The one contestant class that the file defines.

    Where a file defines several, its constant ``CONTESTANT = "ClassName"`` says which.

    Raises
    ------
    AudeoBenchError
        The file does not import (the message names a missing package), or defines no contestant or several.
    """
    module = _load_module(contestant)
    defined = {
        name: cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and issubclass(cls, tuple(_KINDS))
    }
    wanted = getattr(module, "CONTESTANT", None)
    if wanted is not None and wanted not in defined:
        raise AudeoBenchError(
            f"{contestant.path}: CONTESTANT names {wanted!r}, which is no contestant class of this file."
        )
    candidates = [defined[wanted]] if wanted else [c for c in defined.values() if not inspect.isabstract(c)]
    if len(candidates) == 1 and not inspect.isabstract(candidates[0]):
        return candidates[0]
    if len(candidates) > 1:
        names = ", ".join(cls.__name__ for cls in candidates)
        raise AudeoBenchError(
            f"{contestant.path}: defines several contestants ({names}); "
            'choose one with a line CONTESTANT = "ClassName".'
        )
    if defined:
        name, cls = next(iter(defined.items()))
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise AudeoBenchError(f"{contestant.path}: class {name} does not define the method {missing}.")
    raise AudeoBenchError(
        f"{contestant.path}: defines no contestant; write a class that derives from "
        "audeo_bench.api.VideoToRoll, RollToMidi or Synthesizer."
    )


def instantiate(contestant: Contestant) -> Stage:
    """A new instance, without weights."""
    cls = load_class(contestant)
    try:
        return cls()
    except AudeoBenchError:
        raise
    except Exception as error:
        raise AudeoBenchError(
            f"{contestant.path}: {cls.__name__}() failed: {_explain(error, contestant.path)}."
        ) from error


def _load_module(contestant: Contestant) -> ModuleType:
    path = contestant.path
    if sha256_of(path) != contestant.sha256:
        raise AudeoBenchError(f"{path}: changed while it was in use; start the command again.")
    # The path is part of the name: two files of equal text may stand beside different neighbours.
    place = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"audeo_bench_contestant_{path.stem}_{contestant.sha256[:8]}_{place}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    # Dataclasses with postponed annotations look their module up while it is still being executed.
    sys.modules[name] = module
    try:
        with _neighbours_importable(path.parent):
            spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        del sys.modules[name]
        raise AudeoBenchError(
            f"{path}: needs the package {error.name!r}, which is not installed here; install it with "
            f"`{sys.executable} -m pip install ...` and try again."
        ) from error
    except Exception as error:
        del sys.modules[name]
        raise AudeoBenchError(f"{path}: failed to import: {_explain(error, path)}.") from error
    return module


_neighbours: dict[str, Path] = {}
"""Top-level modules that came from a contestant's own folder, and that folder."""
_homes: list[str] = []
"""Contestants' folders at the end of ``sys.path``, for what they import later, inside a function."""


@contextmanager
def _neighbours_importable(folder: Path) -> Iterator[None]:
    """Let a contestant import the files beside it, as a script may, but leave none to the next contestant.

    Two contestants in two folders may each have a ``utils.py``; the one loaded first must not serve the
    second.
    """
    for name in [name for name, home in _neighbours.items() if home != folder]:
        for loaded in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[loaded]
        del _neighbours[name]
    before = {name for name in sys.modules if "." not in name}
    # Out of the way meanwhile: a `models/__init__.py` of another's would win over a `models/` without one.
    sys.path[:] = [str(folder), *(place for place in sys.path if place not in _homes)]
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in [*sys.path, *_homes]:
            _homes.append(str(folder))
        sys.path.extend(_homes)
        for name in {name for name in sys.modules if "." not in name} - before:
            module = sys.modules[name]
            file = getattr(module, "__file__", None)
            # A package without __init__.py has no file, only places.
            places = (
                [Path(file).parent] if file else [Path(place) for place in getattr(module, "__path__", ())]
            )
            if any(folder in (place, place.parent) for place in places):
                _neighbours[name] = folder


def _explain(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"


def _as_typed(contestant: Contestant) -> str:
    return contestant.name if built_in().get(contestant.name) == contestant.path else str(contestant.path)
