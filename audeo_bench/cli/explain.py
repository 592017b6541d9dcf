"""``audeo-bench explain``: where contestants look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.cli import options


def register(app: typer.Typer) -> None:
    """Add ``explain``."""
    app.command(
        epilog="Fig. 3: audeo-bench explain --system video2roll --system resnet "
        "--recording wtc2-01 --frame 700"
    )(explain)


def explain(
    system: Annotated[
        list[str],
        typer.Option(metavar="NAME|PATH", help="A five-frame net; repeatable: side by side."),
    ],
    frame: Annotated[list[int], typer.Option(min=0, help="Frame number, 25 a second; repeatable.")],
    recording: Annotated[str, typer.Option(help="Such as wtc2-01.")] = "wtc2-01",
    key: Annotated[
        list[str] | None,
        typer.Option(help="Such as C4, repeatable; the keys that sound in the frame if left out."),
    ] = None,
    corpus: options.Corpus = "simulated",
    weights: options.Weights = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LAYER", help="Whose feature map is shown; the last rectified one if left out."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture; explain-RECORDING-FRAME.png if left out.")
    ] = None,
) -> None:
    """Draw where contestants look: Score-CAM heat maps, as in the paper's figure 3."""
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.corpus import open_corpus
    from audeo_bench.explain.drawing import draw_heat_maps
    from audeo_bench.explain.score_cam import explain as explained_by
    from audeo_bench.keyboard.names import key_of

    chosen: dict[str, str] = {}
    for text in layer or ():
        name, equals, module = text.partition("=")
        if not equals:
            raise AudeoBenchError(f"--layer {text}: write NAME=LAYER, such as video2roll=FTB4.")
        chosen[name] = module
    keys = [key_of(text) for text in key or ()]
    path = output or Path(f"explain-{recording}-{'-'.join(map(str, frame))}.png")
    found = open_corpus(corpus).recording(recording)
    explained = explained_by(system, found, frame, keys, weights or (), chosen)
    draw_heat_maps(path, explained)
    for number, maps in explained.maps.items():
        for name, heat in maps.items():
            shares = f"{100 * heat.at_keys:.0f} % of the heat, {100 * heat.by_area:.0f} % of the picture"
            typer.echo(f"frame {number}, {name} (layer {heat.layer}): at the keys {shares}")
    typer.echo(f"figure: {path}")
