"""Finding contestants by name or path, with their weights, and chaining them into systems.

A system is a chain of contestants, written ``video2roll+roll2midi``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from audeo_bench.api import AudeoBenchError
from audeo_bench.contestants.module import Contestant, weights_beside
from audeo_bench.contestants.process import leave, take
from audeo_bench.contestants.roster import Kind, roster
from audeo_bench.corpus.registry import data_home
from audeo_bench.files import safe_name, sha256_of

__all__ = ["Contestant", "System", "alone", "find", "own_weights", "ready_systems", "system", "systems"]

VARIANT = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""What a training may be called behind ``@``."""


@dataclass(frozen=True)
class System:
    """A chain of contestants: a :class:`VideoToRoll`, then any :class:`RollToMidi`, at most one
    :class:`Synthesizer`.
    """

    stages: tuple[Contestant, ...]

    @property
    def name(self) -> str:
        return "+".join(stage.name for stage in self.stages)

    @property
    def kinds(self) -> tuple[Kind | None, ...]:
        return tuple(stage.kind for stage in self.stages)

    @property
    def roll_stages(self) -> tuple[Contestant, ...]:
        """The stages that answer with a roll: all but the synthesizer."""
        return tuple(stage for stage in self.stages if stage.kind != "synthesizer")

    @property
    def ready(self) -> bool:
        """Whether every stage that takes weights has some."""
        return all(stage.weights is not None or not stage.takes_weights for stage in self.stages)

    @property
    def roll_name(self) -> str:
        """What its rolls go by: the chain without its synthesizer."""
        return "+".join(stage.name for stage in self.roll_stages)

    def prefixes(self) -> Iterator[System]:
        """The shorter systems whose roll this one builds on, longest first."""
        for length in range(len(self.roll_stages) - 1, 0, -1):
            yield System(self.stages[:length])


def find(name_or_path: str) -> Contestant:
    """A contestant by its shipped name, or by path where the text has a separator or ends in ``.py``.

    ``keywise@both`` is the shipped ``keywise`` with the weights of the training that is called ``both``.

    Raises
    ------
    AudeoBenchError
        There is no such file or shipped contestant.
    """
    is_path = name_or_path.endswith(".py") or os.sep in name_or_path or (os.altsep or os.sep) in name_or_path
    if is_path:
        path = Path(name_or_path).expanduser().resolve()
        if not path.is_file():
            raise AudeoBenchError(f"{name_or_path}: no such contestant file (looked at {path}).")
        return Contestant(_name(path), path, sha256_of(path))
    known = roster().contestants
    base, at, variant = name_or_path.partition("@")
    if base not in known or (at and not VARIANT.fullmatch(variant)):
        hint = f"did you mean {close[0]!r}? " if (close := get_close_matches(base, known, 1)) else ""
        if Path(f"{name_or_path}.py").is_file():
            hint = f"for the file in this folder write ./{name_or_path}.py. "
        raise AudeoBenchError(
            f"unknown contestant {name_or_path!r}: {hint}built in are {', '.join(sorted(known))}; "
            "your own file is named by its path, such as ./my_model.py."
        )
    listed = known[base]
    return Contestant(
        name_or_path,
        listed.path,
        sha256_of(listed.path),
        listed.kind,
        listed.takes_weights,
        variant=variant,
    )


def _name(path: Path) -> str:
    """What a file's answers go by: :func:`audeo_bench.files.safe_name` of its stem, without ``+``, which
    chains contestants; with a digest behind where a shipped contestant has that name.
    """
    safe = safe_name(path.stem, but="+")
    return _apart(safe, path) if safe in roster().contestants else safe


def _apart(name: str, path: Path) -> str:
    """Another name for a file whose name another contestant has."""
    return f"{name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:6]}"


def systems(texts: Iterable[str], weights: Sequence[str] = ()) -> list[System]:
    """Systems from their chains of names or paths, such as ``video2roll+roll2midi`` or
    ``./mine.py+roll2midi``.

    Parameters
    ----------
    texts : iterable of str
    weights : sequence of str
        ``NAME=PATH``, or ``PATH`` alone where only one contestant of a chain takes weights, or only one has
        none beside its file.

    Raises
    ------
    AudeoBenchError
        A contestant that is not there or does not load, a chain in the wrong order, or weights that are not
        there or are for nobody in any of the chains.
    """
    chains, paths = [], {}
    for text in texts:
        stages = [
            stage
            if paths.setdefault(stage.name, stage.path) == stage.path
            else replace(stage, name=_apart(stage.name, stage.path))
            for stage in _chain(text).stages
        ]
        chains.append(System(tuple(stages)))
    takers = {stage.name for chain in chains for stage in chain.stages if stage.takes_weights}
    for text in weights:
        name, equals, _ = text.partition("=")
        if not takers:
            raise AudeoBenchError(f"--weights {text}: nothing that is asked for takes weights; leave it out.")
        if equals and name not in takers:
            close = get_close_matches(name, takers, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"give one of {', '.join(sorted(takers))}."
            raise AudeoBenchError(f"--weights {text}: none of the contestants here is {name!r}; {hint}")
    named = [text for text in weights if "=" in text]
    take = [any(stage.takes_weights for stage in chain.stages) for chain in chains]
    return [
        _with_weights(chain, weights if takes else named) for chain, takes in zip(chains, take, strict=True)
    ]


def system(text: str, weights: Sequence[str] = ()) -> System:
    """One system; see :func:`systems`."""
    return systems([text], weights)[0]


def ready_systems(names: Iterable[str], weights: Sequence[str] = ()) -> list[System]:
    """Those of the named chains whose contestants are all shipped and have their weights."""
    known = roster().contestants
    there = [name for name in names if all(part.partition("@")[0] in known for part in name.split("+"))]
    return [found for found in systems(there, weights) if found.ready]


def none_ready(command: str) -> AudeoBenchError:
    return AudeoBenchError(
        f"{command}: no contestant has trained weights here; train one with `audeo-bench train keywise`, "
        "or name your own with --system ./my_model.py."
    )


def alone(text: str, weights: Sequence[str] = ()) -> Contestant:
    """One contestant with its weights, whatever its place in a chain; for ``weights`` see :func:`systems`."""
    return _with_weights(System((_declared(find(text)),)), weights).stages[0]


def _chain(text: str) -> System:
    parts = [text] if Path(text).is_file() else text.split("+")
    stages = [_declared(find(part.strip())) for part in parts]
    for place, stage in enumerate(stages):
        fits = (stage.kind == "video to roll") == (place == 0)
        if not fits or (stage.kind == "synthesizer" and stage is not stages[-1]):
            raise AudeoBenchError(
                f"system {text!r}: {stage.name} ({stage.kind}) cannot stand at place {place + 1}; "
                "a system is one video-to-roll contestant, then roll-to-midi contestants, "
                "then at most one synthesizer."
            )
    return System(tuple(stages))


def _declared(stage: Contestant) -> Contestant:
    """The contestant with its kind, which only a stranger's file must be asked for."""
    if stage.kind is not None:
        return stage
    worker = take(stage)
    leave(worker)
    declared = worker.declared
    return replace(stage, kind=declared.kind, takes_weights=declared.takes_weights)


def _with_weights(chain: System, given: Sequence[str]) -> System:
    first = chain.stages[0]
    chosen = {stage.name: _weights_there(stage, first) for stage in chain.stages if stage.takes_weights}
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
    stages = tuple(
        replace(stage, weights=path, weights_sha256=sha256_of(path))
        if (path := chosen.get(stage.name))
        else stage
        for stage in chain.stages
    )
    return System(stages)


def _weights_there(stage: Contestant, first: Contestant) -> Path | None:
    """A contestant's weights where ``--weights`` does not say otherwise."""
    variant = stage.variant or first.variant
    folders = [weights_beside(stage.path, variant).parent]
    if stage.shipped and variant:
        folders.append(own_weights(variant))
    # A second stage may ship weights that were trained on one particular first stage's rolls.
    names = (f"{_untrained(first)}+{_untrained(stage)}.safetensors", f"{stage.path.stem}.safetensors")
    places = [folder / name for folder in folders for name in names]
    if stage.kind == "synthesizer":
        places.append(weights_beside(stage.path, stage.variant))
    return next((path for path in places if path.is_file()), None)


def own_weights(variant: str) -> Path:
    """Where the user's own trainings of shipped contestants lie, which ``keywise@variant`` names."""
    return data_home() / "weights" / variant


def _untrained(stage: Contestant) -> str:
    return stage.name.removesuffix(f"@{stage.variant}") if stage.variant else stage.name
