"""How long a user waits for ``audeo-bench --help``: 0.3 s at most, a new interpreter included."""

import subprocess
import sys


def test_help(benchmark):
    command = [sys.executable, "-m", "audeo_bench", "--help"]
    benchmark.pedantic(subprocess.run, (command,), {"capture_output": True, "check": True}, rounds=5)
