"""Pictures of where contestants look, in the manner of the paper's Fig. 3."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.explain.score_cam import Explained
from audeo_bench.files import atomic_write
from audeo_bench.keyboard import KEY_X, KEYBOARD_WIDTH
from audeo_bench.keyboard.names import key_name

__all__ = ["draw_heat_maps"]


def draw_heat_maps(path: Path, explained: Explained) -> None:
    """Draw heat over the frames: a row a frame, a column a contestant; triangles point at the asked keys.

    The suffix of ``path`` chooses the format.
    """
    from matplotlib.figure import Figure

    pictures, keys, maps = explained.pictures, explained.keys, explained.maps
    names = list(next(iter(maps.values())))
    figure = Figure(figsize=(7.2 * len(names), 0.7 + 1.25 * len(maps)), layout="constrained")
    grid = figure.subplots(len(maps), len(names), squeeze=False)
    for row, (frame, by_name) in zip(grid, maps.items(), strict=True):
        asked = ", ".join(key_name(key) for key in keys[frame])
        for axes, name in zip(row, names, strict=True):
            found = by_name[name]
            axes.imshow(pictures[frame], cmap="gray", vmin=0, vmax=255)
            # Where there is no heat the picture is seen as it is.
            axes.imshow(found.heat, cmap="inferno", alpha=0.65 * found.heat, vmin=0, vmax=1)
            places = KEY_X[list(keys[frame])] / KEYBOARD_WIDTH * FRAME_WIDTH
            axes.plot(places, np.full(len(places), FRAME_HEIGHT + 4), "^", color="tab:red", clip_on=False)
            axes.set_title(
                f"{name} · frame {frame} · {asked} · {100 * found.at_keys:.0f} % of the heat at the keys "
                f"(even: {100 * found.by_area:.0f} %)",
                fontsize=8,
            )
            axes.set(xlim=(0, FRAME_WIDTH), ylim=(FRAME_HEIGHT, 0), xticks=[], yticks=[])
    figure.suptitle(explained.title, fontsize=10)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
