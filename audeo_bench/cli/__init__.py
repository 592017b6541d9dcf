"""The command line: ``audeo-bench``.

Each group of commands lives in a module of its own with one function ``register(app)``, which adds the
module's commands (``app.command(...)``) or its sub-application (``app.add_typer(...)``). Those modules are
imported by every call, ``--help`` included, so they import nothing but typer and the standard library at
their top; a command imports what it needs inside.
"""

from __future__ import annotations

import errno
import importlib
import io
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from audeo_bench.cli.group import WholeSummaries

MODULES = (
    "midi",
    "train",
    "data",
    "identify",
    "view",
    "leaderboard",
    "synth",
    "keyboard",
    "perform",
    "explain",
    "release",
)
"""The modules of this package whose ``register(app)`` adds commands, in the order of the help page."""

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
"""Exit codes: nothing can be said; what the user gave cannot be used; the user pressed Ctrl-C."""

RENAMED = {"--contestant": "--system", "--thresholds": "--threshold"}
"""Options' old names, which are understood and not shown."""

KEPT_AFTER_INTERRUPT = "what was finished is kept, the same command continues from there"

EXAMPLES = """\b
Examples:
  audeo-bench midi --split wtc2                          Table 1
  audeo-bench midi --system ./my_model.py --limit 1      your own, a glance
  audeo-bench score runs/RUN --threshold 0.3,0.5         without a model
  audeo-bench identify                                   Table 2
  audeo-bench train video2roll                           weights from scratch
"""


class OneLineErrors(WholeSummaries):
    """A command group that tells the user about a fault in one line on stderr instead of a traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        renamed = RENAMED | ({"--seed": "--corpus-seed"} if args[:1] == ["data"] else {})
        for place, word in enumerate(args):
            name, equals, value = word.partition("=")
            args[place] = renamed.get(name, name) + equals + value
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            fail(f"interrupted; {interrupt.args[0] if interrupt.args else KEPT_AFTER_INTERRUPT}", INTERRUPTED)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                fail(
                    f"{where}{error.strerror}; choose a folder that may be written, or change its permissions"
                )
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                fail(
                    f"{where}the disk is full; make room and run the same command again, finished parts are "
                    "kept"
                )
            if not where:
                raise
            fail(f"{where}{error.strerror}; give another path")
        except RuntimeError as error:
            if not str(error).startswith("Symlink loop"):
                raise
            fail(f"{error}; give another path")
        except Exception as error:
            # Imported only now: the contract pulls in numpy, which `--help` has no time for.
            from audeo_bench.api import AudeoBenchError

            if not isinstance(error, AudeoBenchError):
                raise
            fail(str(error))


def fail(message: str, code: int = BAD_INPUT) -> None:
    """Print ``audeo-bench: error: message`` on stderr as one line and leave with ``code``."""
    from audeo_bench.formats.text import plain

    print(f"audeo-bench: error: {plain(' '.join(message.split()))}", file=sys.stderr)
    raise typer.Exit(code)


app = typer.Typer(
    name="audeo-bench",
    cls=OneLineErrors,
    help="The benchmark for video-to-piano-music models: silent piano video to piano roll, MIDI and sound.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Plain help: rich's takes 0.1 s to import, a third of what `--help` may take.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _print_version(asked: bool) -> None:
    if asked:
        from audeo_bench.version import __version__

        typer.echo(f"audeo-bench {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The benchmark for video-to-piano-music models: silent piano video to piano roll, MIDI and sound."""


for _module in MODULES:
    importlib.import_module(f"{__name__}.{_module}").register(app)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """The console script ``audeo-bench``."""
    if sys.stdout is None:  # a shell's `>&-`; what is said would go nowhere, or into a file opened next
        print("audeo-bench: error: the standard output is closed; use > /dev/null", file=sys.stderr)
        sys.exit(FAILED)
    # Batch systems and `timeout` end a command so: what it holds is let go as after Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an ASCII terminal shows the rest as escapes
            stream.reconfigure(errors="backslashreplace")
    app()
