"""What made a result: the package's version and commit, library versions, hardware, the command."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

from audeo_bench import __version__
from audeo_bench.places import PACKAGE, checkout

LIBRARIES = ("numpy", "scipy", "torch", "lightning-fabric", "mir_eval", "scikit-learn", "pretty_midi", "av")
"""The libraries that a number may depend on."""


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


@cache
def code_sha256() -> str:
    """A hash over the package's layers (``nn/``), which built-in contestants' answers depend on beside their
    own file.
    """
    digest = hashlib.sha256()
    for path in sorted((PACKAGE / "nn").glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


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


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
