"""Whatever happens in a training's own process, the command has a result or one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audeo_bench.contestants.module import Contestant
from audeo_bench.errors import AudeoBenchError
from audeo_bench.training.apart import apart

MINE = Contestant("mine", Path("/somewhere/mine.py"), "0" * 64)


def tell(*words: str) -> tuple[str, ...]:
    return words


def leave(code: int) -> None:
    sys.exit(code)


def crash(number: int) -> None:
    os.kill(os.getpid(), number)


def fail(fault: BaseException) -> None:
    raise fault


def be_interrupted(presses: int, kept: Path) -> None:
    """Press Ctrl-C for the command, and keep something when told so; ignore it where it is pressed twice."""
    for _ in range(presses):
        try:
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(20)
        except KeyboardInterrupt:
            kept.write_text("kept")
            if presses == 1:
                raise
        time.sleep(0.5)
    time.sleep(20)
    kept.write_text("not killed")


def wait_long(pid: Path) -> None:
    pid.write_text(str(os.getpid()))
    time.sleep(60)


def test_it_gives_what_the_function_gives() -> None:
    assert apart(MINE, tell, "one", "two") == ("one", "two")


@pytest.mark.parametrize(
    ("work", "given", "said"),
    [
        (leave, 3, "SystemExit: 3"),
        (os._exit, 0, "it ended its process with exit code 0"),
        (crash, signal.SIGSEGV, "its process was ended by SIGSEGV"),
        (crash, signal.SIGKILL, "its process was ended by SIGKILL; the memory may have run out"),
        (fail, KeyboardInterrupt(), "KeyboardInterrupt"),
        (fail, ValueError("shapes (3,) and (4,)"), r"ValueError: shapes \(3,\) and \(4,\)"),
    ],
)
def test_every_end_is_one_line(work: Callable[..., Any], given: Any, said: str) -> None:
    with pytest.raises(AudeoBenchError, match=f"^/somewhere/mine.py: mine failed: {said}.$"):
        apart(MINE, work, given)


def test_a_full_disk_stays_a_full_disk() -> None:
    with pytest.raises(OSError, match="No space left") as fault:
        apart(MINE, fail, OSError(28, "No space left on device", "/somewhere/checkpoint.pt"))
    assert fault.value.filename == "/somewhere/checkpoint.pt"


def test_what_is_interrupted_keeps_first(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        apart(MINE, be_interrupted, 1, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "kept"


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        apart(MINE, be_interrupted, 2, tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "kept"


def test_it_ends_with_the_command(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    begin = f"from test_apart import *; apart(MINE, wait_long, Path({str(place)!r}))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = subprocess.Popen([sys.executable, "-c", begin], env=environment)
    _until(lambda: place.is_file() and place.read_text() != "")
    command.kill()
    command.wait()
    _until(lambda: not Path(f"/proc/{place.read_text()}").exists())


def _until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("waited a minute")
