"""Rooms stand in the order of the pipeline: a lower one never imports a higher one, not even lazily."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import audeo_bench

PACKAGE = Path(audeo_bench.__file__).parent
ORDER = (
    *("version", "errors", "files", "roll", "formats", "progress", "places", "provenance"),
    *("crew", "keyboard", "api", "records"),
    *("film", "elsewhere", "nn", "synth", "corpus", "contestants", "score", "training", "runs"),
    *("leaderboards", "paper", "identify", "perform", "explain", "report", "notebook", "cli"),
)
"""From the ground up. The package's own face (``__init__``, ``__main__``) stands on top of all."""


def arrows() -> Iterator[tuple[str, str, str]]:
    """Every import of one room by another: who, whom, where."""
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{name}" for name in names]
            for name in names:
                top, _, inside = name.partition(".")
                other = inside.partition(".")[0]
                if top == "audeo_bench" and other in ORDER and other != room:
                    yield room, other, f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_every_room_has_its_place():
    there = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there - {"__init__", "__main__"} == set(ORDER)


def test_no_arrow_runs_back_up():
    upwards = [
        f"{where}: {room} imports {other}"
        for room, other, where in arrows()
        if room in ORDER and ORDER.index(other) > ORDER.index(room)
    ]
    assert upwards == []


def parameters(path: Path) -> Iterator[tuple[str, int]]:
    """Functions of a file with how many parameters they take; compiled ones are left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any("njit" in ast.unparse(decorator) for decorator in node.decorator_list):
                continue
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield node.name, sum(each.arg not in ("self", "cls") for each in every)


def test_no_function_takes_more_than_six_parameters():
    """A command takes as many as it has options."""
    long = [
        f"{path.relative_to(PACKAGE)}: {name} takes {count}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent.name != "cli"
        for name, count in parameters(path)
        if count > 6
    ]
    assert long == []
