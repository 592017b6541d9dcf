"""``audeo-bench synth``: rolls and MIDI files to sound. ``compare-sound``: synthesisers against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.cli import options

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
    """Add ``synth`` and ``compare-sound``."""
    app.command(epilog="Timbre transform:  audeo-bench synth performance.mid --instrument koto -o koto.wav")(
        synth
    )

    app.command(
        "compare-sound",
        epilog="Fig. 7: audeo-bench compare-sound --synth fluidsynth --synth perfnet -o fig7.png",
    )(compare_sound)


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
    from audeo_bench.perform.sound_files import Voice, render_files

    voice = Voice(synthesizer, instrument, soundfont, weights)
    for path, seconds, remarks in render_files(source, output, voice, threshold, velocity):
        for remark in remarks:
            typer.echo(f"{source}: {remark}", err=True)
        typer.echo(f"wrote {path} ({seconds:.1f} s)")


def compare_sound(
    synthesizer: Annotated[
        list[str], typer.Option("--synth", metavar="NAME|PATH", help="A synthesiser; repeatable.")
    ],
    recording: Annotated[
        list[str] | None, typer.Option(help="Such as wtc2-01, repeatable; the whole split if left out.")
    ] = None,
    split: options.Split = "wtc2",
    corpus: Annotated[str, typer.Option(help="A corpus with sound.")] = "simulated",
    seconds: Annotated[float, typer.Option(min=1, help="From each recording's beginning.")] = 20.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Draw the first recording's spectrograms here.")
    ] = None,
) -> None:
    """How far synthesisers are from the true sound: log-spectral and mel-cepstral distance, in dB."""
    from audeo_bench.corpus import open_corpus
    from audeo_bench.perform.sound_comparison import compare_sounds
    from audeo_bench.perform.sound_files import Voice, open_synthesizer
    from audeo_bench.report.spectrograms import draw_spectrograms
    from audeo_bench.report.terminal import stdout, table

    opened = open_corpus(corpus)
    stages = {Path(name).stem: open_synthesizer(Voice(name)) for name in synthesizer}
    chosen = [opened.recording(name) for name in recording] if recording else opened.recordings(split)
    found = compare_sounds(chosen, stages, seconds)
    title = f"Distance to the true sound ({opened.provenance}, {seconds:g} s a recording; dB, 0 is equal)"
    made = table(title, "System", "Recording", "Log-spectral", "Mel-cepstral")
    for name in stages:
        for one in found:
            made.add_row(
                name, one.recording, f"{one.log_spectral[name]:.2f}", f"{one.mel_cepstral[name]:.2f}"
            )
        spectral = sum(one.log_spectral[name] for one in found) / len(found)
        cepstral = sum(one.mel_cepstral[name] for one in found) / len(found)
        made.add_row(name, "mean", f"{spectral:.2f}", f"{cepstral:.2f}")
        made.add_section()
    stdout().print(made)
    if output is not None:
        draw_spectrograms(output, found[0].title, found[0].sounds)
        typer.echo(f"figure: {output}")
