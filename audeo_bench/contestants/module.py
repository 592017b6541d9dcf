"""One contestant's file becomes a class and an instance, or one line that says why not.

A file is loaded by its path and never imported by a package name, so it may stand in any folder, beside any
``models/`` or ``utils.py``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from audeo_bench.api import AudeoBenchError, RollToMidi, Stage, Synthesizer, VideoToRoll
from audeo_bench.contestants.roster import Kind, roster
from audeo_bench.files import sha256_of
from audeo_bench.formats.text import plain

LONGEST = 1000
"""Characters of what a contestant's exception says that the user is told."""
DEEPEST = 100_000
"""Calls within each other that a contestant may allow itself."""

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
        The file's stem, which is also how a system names it; with ``@`` and the training whose weights it
        has, where that is not the usual one: ``keywise@both``.
    path : Path
        Absolute.
    sha256 : str
        Of the file's bytes when it was found; loading refuses a file that has changed since.
    kind : Kind or None
        None until it is known.
    takes_weights : bool
    weights : Path or None
        Where its trained weights are.
    weights_sha256 : str or None
    variant : str
        The training behind ``@``; empty for the usual one.
    """

    name: str
    path: Path
    sha256: str
    kind: Kind | None = None
    takes_weights: bool = False
    weights: Path | None = None
    weights_sha256: str | None = None
    variant: str = ""

    @property
    def shipped(self) -> bool:
        listed = roster().contestants.get(self.path.stem)
        return listed is not None and listed.path == self.path

    @property
    def typed(self) -> str:
        """How a user names it: a shipped one by its name, any other by its path."""
        return self.name if self.shipped else str(self.path)

    def create(self, **options: Any) -> Stage:
        """A new instance, without weights; ``options`` go to its constructor."""
        cls = load_class(self)
        for name in options:
            if name not in inspect.signature(cls).parameters:
                raise AudeoBenchError(f"{self.name}: has no choice of {name}; leave --{name} out.")
        try:
            return cls(**options)
        except AudeoBenchError:
            raise
        except Exception as error:
            raise AudeoBenchError(
                f"{self.path}: {cls.__name__}() failed: {_explain(error, self.path)}."
            ) from error

    def load(self, **options: Any) -> Stage:
        """A new instance with its weights read."""
        stage = self.create(**options)
        if self.weights is not None:
            stage.load(self.weights)
        elif takes_weights(type(stage)):
            raise missing_weights(self)
        return stage


def missing_weights(contestant: Contestant) -> AudeoBenchError:
    typed, called = contestant.typed, ""
    if contestant.variant:
        typed, called = contestant.path.stem, f" --as {contestant.variant}"
    return AudeoBenchError(
        f"{contestant.path}: {contestant.name} needs trained weights, but there are none at "
        f"{weights_beside(contestant.path, contestant.variant)}; "
        f"train it with `audeo-bench train {typed}{called}` or name a file with "
        "--weights."
    )


def changed_meanwhile(path: Path | str) -> AudeoBenchError:
    return AudeoBenchError(f"{path}: changed while it was in use; start the command again.")


def weights_beside(path: Path, variant: str = "") -> Path:
    """Where a contestant's weights lie unless ``--weights`` says otherwise.

    Those of its usual training, or of the one that ``name@variant`` names.
    """
    return path.parent / "weights" / variant / f"{path.stem}.safetensors"


def takes_weights(cls: type[Stage]) -> bool:
    """A contestant that reads weights says so by defining ``load``."""
    return cls.load is not Stage.load


def kind_of(cls: type[Stage]) -> Kind:
    """Which of the three kinds of contestant a class is."""
    return next(kind for base, kind in _KINDS.items() if issubclass(cls, base))


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


def _load_module(contestant: Contestant) -> ModuleType:
    path = contestant.path
    if sha256_of(path) != contestant.sha256:
        raise changed_meanwhile(path)
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
        # As a script may, a contestant imports the files beside it. Shipped ones import none, and their names
        # must not stand in the way of packages that are called so.
        if not contestant.shipped:
            sys.path.insert(0, str(path.parent))
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


def failure(fault: BaseException, contestant: Contestant, recording: str | None = None) -> str:
    """What the user is told, in one line, of what a contestant's code raised."""
    if isinstance(fault, AudeoBenchError):
        return _words(fault)
    line = _line_in(contestant.path, fault)
    where = f"{contestant.path}, line {line}" if line else contestant.path
    at = "" if recording is None else f" on recording {recording}"
    return f"{where}: {contestant.name} failed{at}: {_said(fault)}."


def bound_recursion() -> None:
    """Let nothing in this process raise the recursion limit above :data:`DEEPEST`: Python's calls need no
    stack, so that an endless recursion would fill the memory of the machine before it ends.
    """
    allow = sys.setrecursionlimit
    sys.setrecursionlimit = lambda limit, /: allow(min(limit, DEEPEST))


def _explain(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    line = _line_in(path, error)
    return _said(error) + (f" (line {line})" if line else "")


def _line_in(path: Path, fault: BaseException) -> int | None:
    """The innermost line of a file that a fault passed through."""
    lines = [
        line
        for frame, line in traceback.walk_tb(fault.__traceback__)
        if frame.f_code.co_filename == str(path)
    ]
    return lines[-1] if lines else None


def _said(fault: BaseException) -> str:
    """A fault's class and what it says."""
    words = _words(fault)
    return f"{type(fault).__name__}: {words}" if words else type(fault).__name__


def _words(fault: BaseException) -> str:
    """What a fault says, in one line of bounded length: it is made by a stranger's code."""
    try:
        words = str(fault)
    except BaseException as broken:
        return f"its __str__ raised {type(broken).__name__}"
    return plain(words[:LONGEST]) + ("…" if len(words) > LONGEST else "")
