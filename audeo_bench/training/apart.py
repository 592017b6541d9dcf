"""Training in a process of its own: whatever a stranger's ``fit`` does, the command ends in one line.

Unlike the process that answers, it shares the command's terminal and environment: progress is shown as it
comes, ``breakpoint()`` works, and torchrun's words reach it.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, NoReturn, TypeVar

from audeo_bench.contestants.line import ended
from audeo_bench.contestants.module import Contestant, bound_recursion, failure
from audeo_bench.errors import AudeoBenchError

PATIENCE = 10.0
"""Seconds that the process has for its end after its work is done."""
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)

Made = TypeVar("Made")


def apart(contestant: Contestant, work: Callable[..., Made], *given: Any) -> Made:
    """Call a function in a new process.

    Ctrl-C interrupts it and waits for what it keeps; pressed again, it is killed. It ends when this process
    does, however that ends.

    Parameters
    ----------
    contestant : Contestant
        Whose code will run there.
    work : callable
        A function that can be imported by its name; it, what it is given and what it returns are pickled.
    *given

    Raises
    ------
    AudeoBenchError
        It raised, exited or crashed: one line that names the file and the cause.
    KeyboardInterrupt
    OSError
        The disk is full, or may not be written.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_live, args=(theirs, contestant, work, given))
    process.start()
    theirs.close()
    try:
        with _passed_on(process) as pressed:
            answer = _heard(ours, process)
            process.join(PATIENCE)
            if answer is None and pressed:
                raise KeyboardInterrupt
            if answer is None:
                code = process.exitcode
                how = "it broke the line to the command" if code is None else ended(code)
                raise AudeoBenchError(f"{contestant.path}: {contestant.name} failed: {how}.")
    finally:
        ours.close()
        process.kill()
        process.join()
    fault, made = answer
    if fault is not None:
        raise fault
    return made


def _heard(line: Connection, process: BaseProcess) -> tuple[BaseException | None, Any] | None:
    """What the process says at its end; None if it ends without a word."""
    while True:
        # What it started may hold the line open beyond its own end.
        over = process.exitcode is not None
        if line.poll(0.1):
            with suppress(EOFError):
                return line.recv()
            return None
        if over:
            return None


@contextmanager
def _passed_on(process: BaseProcess) -> Iterator[list[int]]:
    """Pass the first Ctrl-C on to the process, and kill it at the second; the list holds those pressed."""
    pressed: list[int] = []
    assert process.pid is not None
    pid = process.pid

    def press(number: int, _: FrameType | None) -> None:
        pressed.append(number)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if len(pressed) > 1 else signal.SIGINT)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _live(line: Connection, contestant: Contestant, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, _interrupt_once)
    bound_recursion()
    with suppress(OSError):  # multiprocessing has put nothing in its place
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    try:
        answer = None, work(*given)
    except BaseException as fault:
        answer = _told(fault, contestant), None
    line.send(answer)


def _told(fault: BaseException, contestant: Contestant) -> BaseException:
    """What the command raises for a fault of its training."""
    pressed = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if isinstance(fault, KeyboardInterrupt) and pressed:  # else it is the contestant's own
        return KeyboardInterrupt(*fault.args)
    if isinstance(fault, OSError) and fault.errno in _OF_THE_DISK:
        return fault
    return AudeoBenchError(failure(fault, contestant))


def _interrupt_once(number: int, frame: FrameType | None) -> NoReturn:
    """A terminal's Ctrl-C comes from there and from the command; what is kept then is kept undisturbed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
