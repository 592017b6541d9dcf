"""The workers that a crew of this process started, for tests that kill them."""

from __future__ import annotations

from contextlib import suppress

import psutil


def workers() -> list[psutil.Process]:
    """Those alive; one that goes meanwhile is none."""
    return [process for process in psutil.Process().children() if _works(process)]


def _works(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(process.cmdline())
    return False
