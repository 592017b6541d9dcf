"""What made a result: the package's version and commit, library versions, hardware, the command."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from audeo_bench.files import sha256_of
from audeo_bench.places import PACKAGE, checkout
from audeo_bench.version import __version__

LIBRARIES = ("numpy", "scipy", "torch", "lightning-fabric", "mir_eval", "scikit-learn", "pretty_midi", "av")
"""The libraries that a number may depend on."""
_OTHERS = tuple(
    f"{folder}{os.sep}"
    for folder in (PACKAGE, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
)


def command() -> list[str]:
    """What the user typed: ``audeo-bench`` and its arguments, or the script that called the package."""
    program = Path(sys.argv[0])
    return ["audeo-bench" if program.name == "__main__.py" else program.name, *sys.argv[1:]]


@cache
def versions() -> dict[str, str]:
    """Versions of this package, of Python and of :data:`LIBRARIES`."""
    found = {"audeo-bench": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str | None:
    """The commit of the package's own checkout, with ``-dirty`` where tracked files differ from it.

    None for an installed wheel. The current folder plays no part: it may be a checkout of something else.
    """
    root = checkout()
    if root is None or not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{head}-dirty" if head and changed else head


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", root, *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def code_of(*files: Path) -> dict[str, str]:
    """The code that could change what some files make, and a digest of each part.

    That is: the files, every module of this package that they import, directly or not, early or late, and
    what is loaded from the folders that files outside the package stand in. A digest is of what the code
    says: comments, docstrings (unless ``__doc__`` is read) and layout play no part, the Python version does.

    Parameters
    ----------
    *files : Path
        A contestant's file, a corpus's module, whatever makes something that is kept.

    Returns
    -------
    code : dict of str to str
        :func:`place` to SHA-256. Sorted, so that equal code is equal text; :func:`changed` holds it against
        the files as they are later.
    """
    open_files = [path.resolve() for path in files]
    for folder in {path.parent for path in open_files if not path.is_relative_to(PACKAGE)}:
        open_files += loaded(folder)
    known: dict[Path, str] = {}
    while open_files:
        path = open_files.pop()
        if path not in known:
            known[path], imported = _read_code(path, path.stat().st_mtime_ns)
            open_files += imported
    return dict(sorted((place(path), digest) for path, digest in known.items()))


def changed(code: Mapping[str, str]) -> str | None:
    """The first part of what :func:`code_of` gave that is another now, or gone; None if all is the same."""
    for name, digest in code.items():
        path = PACKAGE.parent / name  # an absolute name stays what it is
        if not path.is_file() or _read_code(path, path.stat().st_mtime_ns)[0] != digest:
            return name
    return None


def code_digest(code: Mapping[str, str]) -> str:
    """One SHA-256 of all parts, for the names of caches."""
    return hashlib.sha256(repr(sorted(code.items())).encode()).hexdigest()


def place(path: Path) -> str:
    """A file's name in a record: from the checkout (or the folder that the package is installed in), else
    absolute.
    """
    root = PACKAGE.parent
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    return inside.encode("utf-8", "backslashreplace").decode()  # a name need not be UTF-8, a record must


def loaded(folder: Path | None = None) -> list[Path]:
    """The files of the modules that this process has imported, but for libraries and this package.

    Parameters
    ----------
    folder : Path or None
        Only modules that lie there, or are linked to from there, and are no contestants; None for all, which
        in a contestant's own process are what it imported.
    """
    found = []
    for name, module in list(sys.modules.items()):
        file = str(getattr(module, "__file__", None) or "")
        if not file.endswith(".py") or _is_others_folder(os.path.dirname(file)):  # noqa: PTH120 (thousands)
            continue
        named = Path(file).absolute()
        path = named.resolve()
        if _of_others(str(path)) or not path.is_file():
            continue
        lies_there = folder is None or named.is_relative_to(folder) or path.is_relative_to(folder)
        if lies_there and (folder is None or not name.startswith("audeo_bench_contestant_")):
            found.append(path)
    return found


@cache
def _is_others_folder(folder: str) -> bool:
    """Looked up once: there are thousands of modules in some hundred folders."""
    return _of_others(f"{Path(folder).resolve()}{os.sep}")


def _of_others(file: str) -> bool:
    """Whether a module's file is a library's or this package's."""
    installed = f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"
    return file.startswith(_OTHERS) or any(folder in file for folder in installed)


@cache
def _read_code(path: Path, modified: int) -> tuple[str, tuple[Path, ...]]:
    """A file's digest, and the files of this package that it imports."""
    if path.suffix != ".py":
        return sha256_of(path), ()
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return hashlib.sha256(content).hexdigest(), ()
    imported = tuple(_imports(tree))
    for node in () if b"__doc__" in content else ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # a string that stands alone documents; it does nothing
            node.body = [each for each in body if not _documents(each)]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _documents(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imports(tree: ast.AST) -> Iterator[Path]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef) and node.name == "fit":  # training answers nothing
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            for length in range(2, len(parts) + 1 if parts[0] == PACKAGE.name else 0):
                inside = PACKAGE.joinpath(*parts[1:length])
                yield from (p for p in (inside.with_suffix(".py"), inside / "__init__.py") if p.is_file())
        yield from _imports(node)


def hardware() -> dict[str, str | int]:
    """The processor, how many cores this process may use, and the accelerator if torch is loaded and sees
    one.
    """
    facts: dict[str, str | int] = {"processor": _processor(), "cores": len(os.sched_getaffinity(0))}
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            facts["accelerator"] = torch.cuda.get_device_name(0)
    return facts


def machine(hardware: Mapping[str, str | int]) -> str:
    """What :func:`hardware` found, in words: the accelerator, else the processor and how many of its threads
    torch computed on (where there was no torch, how many cores it had); empty where nothing is known.
    """
    if "accelerator" in hardware:
        return str(hardware["accelerator"])
    words = [str(hardware["processor"])] if "processor" in hardware else []
    for unit in ("threads", "cores"):
        if unit in hardware:
            words.append(f"{hardware[unit]} {unit if hardware[unit] != 1 else unit[:-1]}")
            break
    return ", ".join(words)


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
