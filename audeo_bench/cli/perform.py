"""``audeo-bench perform``: a silent video gets its sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.cli.synth import Instrument, Soundfont, SynthName


def register(app: typer.Typer) -> None:
    """Add ``perform``."""
    app.command(epilog="Example: audeo-bench perform silent.mp4 -o heard.mp4 --midi heard.mid")(perform)


def perform(
    video: Annotated[Path, typer.Argument(help="A top view of a keyboard, lowest key on the left.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The video with sound: .mp4, .mov or .mkv.")],
    midi: Annotated[Path | None, typer.Option(help="Write the notes as a MIDI file too.")] = None,
    wav: Annotated[Path | None, typer.Option(help="Write the sound as a WAV file too.")] = None,
    contestant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH", help="A chain such as keywise+roll2midi; the best shipped one if left out."
        ),
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]PATH", help="Trained weights; repeatable.")
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="LEFT,TOP,RIGHT,BOTTOM",
            help="The keyboard in the video's pixels; found, and drawn into OUTPUT.crop.png, if left out.",
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="From which probability upwards a key sounds.")
    ] = 0.4,
    synthesizer: SynthName = "fluidsynth",
    instrument: Instrument = None,
    soundfont: Soundfont = None,
) -> None:
    """Give a silent top-view piano video its sound.

    The picture is copied packet by packet, and memory does not grow with the video's length.
    """
    from audeo_bench.perform.film import perform as make

    made = make(
        video,
        output,
        contestant=contestant,
        weights=weights or (),
        synthesizer=synthesizer,
        instrument=instrument,
        soundfont=soundfont,
        crop=_crop(crop),
        threshold=threshold,
        midi=midi,
        wav=wav,
    )
    found = f"found, drawn in {made.crop_picture}" if made.crop_picture else "as given"
    typer.echo(f"crop:  {','.join(map(str, made.crop))} ({found})")
    typer.echo(f"notes: {made.notes} in {made.seconds:.1f} s by {made.system}")
    for path in (midi, wav):
        if path is not None:
            typer.echo(f"wrote  {path}")
    typer.echo(f"wrote  {output} ({'picture copied' if made.copied else 'picture encoded as H.264'})")


def _crop(text: str | None) -> tuple[int, int, int, int] | None:
    from audeo_bench.api import AudeoBenchError

    if text is None:
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise AudeoBenchError(f"--crop {text!r}: give four whole numbers, left,top,right,bottom.") from error
    return left, top, right, bottom
