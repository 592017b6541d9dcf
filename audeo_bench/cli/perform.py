"""``audeo-bench perform``: a silent film gets its sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audeo_bench.cli import options
from audeo_bench.cli.keyboard import pitch_of
from audeo_bench.cli.synth import Instrument, Soundfont, SynthName

if TYPE_CHECKING:
    import numpy as np

    from audeo_bench.perform.against import Agreement
    from audeo_bench.perform.film import Performed


def register(app: typer.Typer) -> None:
    """Add ``perform``."""
    app.command(
        epilog="\b\nExamples:\n  audeo-bench perform silent.mp4 -o heard.mp4\n"
        "  audeo-bench perform film.mov --midi heard.mid --overlay look.mp4\n"
        "  audeo-bench perform film.mp4 --midi heard.mid --against true.mid"
    )(perform)


def perform(
    film: Annotated[Path, typer.Argument(help="A view of a piano from above, from either side.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The film with sound: .mp4, .mov or .mkv.")
    ] = None,
    midi: Annotated[Path | None, typer.Option(help="Write the notes as a MIDI file.")] = None,
    wav: Annotated[Path | None, typer.Option(help="Write the sound as a WAV file.")] = None,
    overlay: Annotated[
        Path | None, typer.Option(help="Write the film with lit keys below a falling roll: .mp4.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="MIDI|sound",
            help="Score the notes against true ones, or against what Transkun hears in the film's own sound.",
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="A chain such as keywise+roll2midi; the best shipped one if left out.",
        ),
    ] = None,
    weights: options.Weights = None,
    corners: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y X,Y X,Y X,Y",
            help="A0 far, C8 far, C8 near, A0 near in the film's pixels; found if left out.",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(metavar="LEFT,TOP,RIGHT,BOTTOM", help="A level keyboard in the film's pixels."),
    ] = None,
    lowest_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The lowest key of part of a keyboard, such as C2."),
    ] = None,
    keyboard: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Draw the keyboard that was found.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="From which probability upwards a key sounds.")
    ] = 0.4,
    synthesizer: SynthName = "fluidsynth",
    instrument: Instrument = None,
    soundfont: Soundfont = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Give a silent film of a piano its sound: notes, MIDI, sound, and the film with either.

    The picture is copied packet by packet, and memory does not grow with the film's length.
    """
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.formats.midi import read_midi
    from audeo_bench.perform import film as performing
    from audeo_bench.perform.against import agreement
    from audeo_bench.perform.outputs import Outputs
    from audeo_bench.perform.own_sound import notes_of_sound
    from audeo_bench.perform.sound_files import Voice

    if not (output or midi or wav or overlay or keyboard):
        raise AudeoBenchError("perform: nothing to write; give --output, --midi, --wav or --overlay.")
    named = {"output": output, "midi": midi, "wav": wav, "overlay": overlay, "keyboard": keyboard}
    for option, path in named.items():
        if path is not None and not path.name:
            raise AudeoBenchError(f"--{option} '{path}': no name of a file; give one, such as heard.mid.")
    truth = None
    if against is not None:
        truth = notes_of_sound(film) if str(against) == "sound" else read_midi(against).notes
    lowest = pitch_of(lowest_key)
    made = performing.perform(
        film,
        Outputs(output, midi, wav, overlay, keyboard),
        performing.Reader(system, weights or (), threshold),
        performing.Where(_corners(corners), _crop(crop), lowest),
        Voice(synthesizer, instrument, soundfont),
    )
    agreed = None if truth is None else agreement(made.notes, truth, made.seconds)
    for remark in made.remarks:
        typer.echo(f"{film}: {remark}.", err=True)
    if json:
        _print_json(made, agreed)
        return
    typer.echo(f"keys:  {made.place}")
    typer.echo(f"notes: {len(made.notes)} in {made.seconds:.1f} s by {made.system}")
    if agreed is not None:
        source = "heard" if str(against) == "sound" else "truth"
        typer.echo(
            f"{source}: {agreed.true_notes} notes, {agreed.lag_s:.2f} s into the film; F1 of onsets at 50 ms "
            f"{100 * agreed.onset_50:.1f} %, 100 ms {100 * agreed.onset_100:.1f} %, of frames "
            f"{100 * agreed.frame:.1f} %"
        )
    for path in (midi, wav, overlay, keyboard):
        if path is not None and path.exists():
            typer.echo(f"wrote  {path}")
    if output is not None:
        typer.echo(f"wrote  {output} ({'picture copied' if made.copied else 'picture encoded as H.264'})")


def _print_json(made: Performed, agreed: Agreement | None) -> None:
    import json
    from dataclasses import asdict

    found = {
        "system": made.system,
        "keyboard": made.place,
        "corners": None if made.corners is None else made.corners.round(2).tolist(),
        "notes": len(made.notes),
        "seconds": made.seconds,
        "remarks": list(made.remarks),
        "against": None if agreed is None else asdict(agreed),
    }
    typer.echo(json.dumps(found, indent=1))


def _corners(text: str | None) -> np.ndarray | None:
    import numpy as np

    from audeo_bench.api import AudeoBenchError

    if text is None:
        return None
    try:
        return np.array([float(part) for part in text.replace(",", " ").split()]).reshape(4, 2)
    except ValueError as error:
        raise AudeoBenchError(
            f"--corners {text!r}: give eight numbers, x,y of A0 far, C8 far, C8 near, A0 near."
        ) from error


def _crop(text: str | None) -> tuple[int, int, int, int] | None:
    from audeo_bench.api import AudeoBenchError

    if text is None:
        return None
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError as error:
        raise AudeoBenchError(f"--crop {text!r}: give four whole numbers, left,top,right,bottom.") from error
    if not (left < right and top < bottom):
        raise AudeoBenchError(f"--crop {text!r}: left and right, or top and bottom, are the wrong way round.")
    return left, top, right, bottom
