"""pretty_midi and pyfluidsynth come in by one door, which lets nothing of theirs onto standard output."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import audeo_bench

PACKAGE = Path(audeo_bench.__file__).parent
DOOR = PACKAGE / "formats" / "pretty.py"


def test_nothing_is_printed_where_continuous_integration_runs():
    script = (
        "from audeo_bench.formats.midi import write_midi\n"
        "from audeo_bench.keyboard.names import key_name\n"
        "from audeo_bench.roll import notes_to_roll, roll_to_notes\n"
        "from audeo_bench.synth.fluidsynth import render_roll\n"
        "import numpy as np\n"
        "render_roll(np.eye(88, 5, dtype=bool))\n"
        "print(key_name(39))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "CI": "true"}, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("C4\n", 0), done.stderr


def test_no_other_module_imports_them():
    """But for a type checker, and after the door in the module that plays them."""
    others = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in ("pretty_midi", "fluidsynth") for name in names) and path != DOOR:
                others.append(path.relative_to(PACKAGE).as_posix())
    assert set(others) == {"synth/fluidsynth.py"}
