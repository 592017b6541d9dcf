"""pretty_midi and pyfluidsynth, imported without a word.

pyfluidsynth prints on standard output where it found its library if the environment has ``CI`` set, as every
continuous integration has; there it would stand before what ``--json`` prints. pretty_midi imports it.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

with redirect_stdout(StringIO()):
    import pretty_midi

__all__ = ["pretty_midi"]
