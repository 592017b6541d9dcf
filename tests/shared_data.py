"""Data that may not enter the repository: where it lies, and the mark that skips a test without it.

Labels and photographs of others (`asap`, `pianoyt`, `miditest`) and real films (`recorded`) are read from one
folder: the environment variable ``AUDEO_BENCH_SHARED``, or else the folder ``shared`` beside the checkout.
"""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("AUDEO_BENCH_SHARED") or Path(__file__).parents[2] / "shared")


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip a test unless all folders ``names`` lie in :data:`SHARED`."""
    missing = [name for name in names if not (SHARED / name).is_dir()]
    reason = f"needs {', '.join(missing)} in {SHARED} (environment variable AUDEO_BENCH_SHARED)"
    return pytest.mark.skipif(bool(missing), reason=reason)
