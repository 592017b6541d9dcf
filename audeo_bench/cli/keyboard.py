"""``audeo-bench keyboard``: where a film or a picture shows the keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from audeo_bench.keyboard.finding import Keyboard


def register(app: typer.Typer) -> None:
    """Add ``keyboard``."""
    app.command(epilog="Example: audeo-bench keyboard film.mp4 --picture found.png")(keyboard)


def keyboard(
    source: Annotated[Path, typer.Argument(metavar="FILM_OR_PICTURE", help="A view of a piano from above.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw every key that was found; .png or .jpg.")] = None,
    lowest_key: Annotated[
        str | None, typer.Option(metavar="NAME", help="The lowest key that is shown, such as C2.")
    ] = None,
) -> None:
    """Find the keyboard in a film or a picture: its corners, which keys they enclose, and how sure that
    is.
    """
    import json as encoder

    from audeo_bench.keyboard.finding import SURE

    lowest = pitch_of(lowest_key)
    if picture is not None and picture.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        from audeo_bench.api import AudeoBenchError

        raise AudeoBenchError(f"--picture {picture}: not .png or .jpg; give a name that ends so.")
    found, still = _find(source, lowest)
    if picture is not None:
        from audeo_bench.keyboard.drawing import save_drawing

        save_drawing(still, found, picture)
    if json:
        typer.echo(encoder.dumps(_as_json(found)))
        return
    typer.echo(f"keys:       {_names(found)}")
    names = ("lowest far", "highest far", "highest near", "lowest near")
    corners = ", ".join(f"{name} {x:.1f},{y:.1f}" for name, (x, y) in zip(names, found.corners, strict=True))
    typer.echo(f"corners:    {corners}")
    sure = "" if found.confidence > SURE else ": not sure, look at the picture (--picture OUT.png)"
    typer.echo(f"confidence: {found.confidence:.2f}{sure}")
    if found.runner_up is not None:
        typer.echo(f"runner-up:  {_names(found.runner_up)} ({found.runner_up.confidence:.2f})")
    if found.remark:
        typer.echo(f"remark:     {found.remark}")
    if picture is not None:
        typer.echo(f"wrote       {picture}")


def _find(source: Path, lowest: int | None) -> tuple[Keyboard, Any]:
    """The keyboard, and the picture it was found in; a file that is no picture is read as a film."""
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.film.finding import keyboard_in_film
    from audeo_bench.formats.picture import read_picture
    from audeo_bench.keyboard.finding import find_keyboard

    if source.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp", ".bmp"):
        return keyboard_in_film(source, lowest_key=lowest)
    still = read_picture(source, color=True, remedy="give a film, or a JPEG, PNG, WEBP or BMP picture")
    try:
        return find_keyboard(still, lowest_key=lowest), still
    except AudeoBenchError as fault:
        raise AudeoBenchError(f"{source}: {fault}") from None


def _as_json(found: Keyboard) -> dict[str, Any]:
    return {
        "corners": found.corners.round(2).tolist(),
        "lowest_key": found.lowest_key,
        "highest_key": found.highest_key,
        "confidence": found.confidence,
        "remark": found.remark,
        "runner_up": None if found.runner_up is None else _as_json(found.runner_up),
    }


def _names(found: Keyboard) -> str:
    from audeo_bench.keyboard.names import key_name
    from audeo_bench.roll import LOWEST_PITCH

    return f"{key_name(found.lowest_key - LOWEST_PITCH)} to {key_name(found.highest_key - LOWEST_PITCH)}"


def pitch_of(lowest_key: str | None) -> int | None:
    """The MIDI pitch that ``--lowest-key`` names."""
    from audeo_bench.api import LOWEST_PITCH
    from audeo_bench.keyboard.names import key_of

    return None if lowest_key is None else key_of(lowest_key, "--lowest-key") + LOWEST_PITCH
