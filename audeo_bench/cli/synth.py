"""``audeo-bench synth``: rolls and MIDI files to sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SynthName = Annotated[
    str,
    typer.Option(
        "--synth", metavar="NAME|PATH", help="fluidsynth, perfnet, or your own file such as ./my_synth.py."
    ),
]
Instrument = Annotated[
    str | None,
    typer.Option(help="FluidSynth's General MIDI instrument, such as koto; a grand piano if left out."),
]
Soundfont = Annotated[
    Path | None, typer.Option(help="FluidSynth's .sf2 file; TimGM6mb, as in the paper, if left out.")
]
SynthWeights = Annotated[
    Path | None, typer.Option(help="The synthesiser's trained weights; the shipped ones if left out.")
]


def register(app: typer.Typer) -> None:
    """Add ``synth``."""
    app.command(epilog="Timbre transform:  audeo-bench synth performance.mid --instrument koto -o koto.wav")(
        synth
    )


def synth(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="ROLL|RUN|MIDI",
            help="A roll (.npz, .npy), a run folder, or a MIDI file (.mid).",
            show_default=False,
        ),
    ],
    synthesizer: SynthName = "fluidsynth",
    instrument: Instrument = None,
    soundfont: Soundfont = None,
    weights: SynthWeights = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="From which probability upwards a roll's key sounds.")
    ] = 0.4,
    velocity: Annotated[
        int | None,
        typer.Option(min=1, max=127, help="Of every note; 100 for a roll, a MIDI file's own if left out."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A .wav file; for a run a folder. Beside the source, or the run's audio/."
        ),
    ] = None,
) -> None:
    """Turn piano rolls or MIDI into sound: WAV files, 16 kHz mono, 0.04 s a frame as in the paper.

    A MIDI file keeps its velocities and pedal where FluidSynth plays it.
    """
    from audeo_bench.synth.sound_files import render_files

    for path, seconds in render_files(
        source, output, synthesizer, instrument, soundfont, weights, threshold, velocity
    ):
        typer.echo(f"wrote {path} ({seconds:.1f} s)")
