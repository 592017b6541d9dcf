"""Where a contestant looks: Score-CAM heat maps (Wang et al., CVPR workshops 2020), as in the paper's Fig. 3.

Score-CAM needs no gradients: each channel of a late feature map, enlarged, masks the input, and channels are
weighted by how much the masked input still speaks for the asked keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audeo_bench.api import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    LOWEST_PITCH,
    AudeoBenchError,
    Frames,
    Recording,
    Stage,
    idle_keyboard,
)
from audeo_bench.contestants.process import lent
from audeo_bench.keyboard import KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH
from audeo_bench.nn.frames import shrink, stack_indices, to_unit
from audeo_bench.nn.stage import StackedFrames, keys_of

__all__ = ["Explained", "HeatMap", "explain", "heat_map", "layers"]

BATCH = 16
NEAR = 1.5
"""White keys to either side of an asked key that count as being at the key."""


@dataclass(frozen=True)
class HeatMap:
    """What in one frame speaks for the asked keys.

    Attributes
    ----------
    heat : np.ndarray, shape (100, 900), float32
        0..1; 1 is the hottest place.
    layer : str
        Whose feature map it is made of.
    at_keys : float
        Share of the heat within one and a half white keys of the asked keys.
    by_area : float
        The share that evenly spread heat would have there.
    """

    heat: np.ndarray
    layer: str
    at_keys: float
    by_area: float


def layers(stage: StackedFrames, clip: np.ndarray) -> dict[str, Tensor]:
    """The feature maps of a net by the name of the module that made them, in the order they are made.

    Parameters
    ----------
    stage : StackedFrames
    clip : np.ndarray, shape (pictures, 100, 900), uint8
        As many as the net is shown: five frames, unless its class says otherwise.

    Returns
    -------
    dict of str to Tensor, shape (channels, height, width)
        Maps that are a single row, column or point are left out.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[-2:]) > 1:
                found.pop(name, None)
                # A net that passes the five frames one by one has five maps; the middle one is the answer's.
                found[name] = output[len(output) // 2].detach().float()

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in stage.net.named_modules() if name]
    try:
        with torch.inference_mode():
            stage.net.eval()(_pixels(stage, clip))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def heat_map(
    stage: StackedFrames, clip: np.ndarray, keys: Sequence[int], layer: str | None = None
) -> HeatMap:
    """Score-CAM of the middle frame of a clip.

    Parameters
    ----------
    stage : StackedFrames
    clip : np.ndarray, shape (pictures, 100, 900), uint8
        As many as the net is shown: five frames, unless its class says otherwise.
        The frame and its neighbours.
    keys : sequence of int
        Key indices 0..87; the score is the mean of their logits.
    layer : str or None
        One of :func:`layers`; None is the last one that holds no negative value, as after a ReLU: the method
        reads a channel's high values as presence. In every ResNet18 here that is its last stage.

    Raises
    ------
    AudeoBenchError
        There is no such layer, or the net does not model a key.
    """
    maps = layers(stage, clip)
    if not maps or (layer is not None and layer not in maps):
        shown = ", ".join(name for name in maps if "." not in name) or "none"
        raise AudeoBenchError(f"{stage.name}: has no feature map {layer!r}; its layers are {shown}.")
    rectified = [name for name, found in maps.items() if found.min() >= 0]
    name = layer or (rectified or list(maps))[-1]
    pixels = _pixels(stage, clip)
    size = tuple(pixels.shape[-2:])
    activations = maps[name]
    masks = F.interpolate(activations[None], size=size, mode="bilinear", align_corners=False)[0]
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    alive = (high - low).flatten() > 1e-8
    if not alive.any():
        raise AudeoBenchError(f"{stage.name}: layer {name} is the same everywhere in this frame.")
    masks = ((masks - low) / (high - low).clamp(min=1e-8))[alive]
    with torch.inference_mode():
        scores = torch.cat([_score(stage, pixels * part[:, None], keys) for part in masks.split(BATCH)])
        weights = (scores - _score(stage, pixels * 0, keys)).softmax(0)
        heat = (weights[:, None, None] * activations[alive]).sum(0).clamp(min=0)
        whole = F.interpolate(heat[None, None], size=(FRAME_HEIGHT, FRAME_WIDTH), mode="bilinear")[0, 0]
    answer = (whole / whole.max().clamp(min=1e-12)).numpy()
    columns = (np.arange(FRAME_WIDTH) + 0.5) / FRAME_WIDTH * KEYBOARD_WIDTH
    near = (np.abs(columns[:, None] - KEY_X[list(keys)]) <= NEAR * WHITE_WIDTH).any(1)
    return HeatMap(answer, name, float(answer[:, near].sum() / max(answer.sum(), 1e-12)), float(near.mean()))


def _pixels(stage: StackedFrames, clip: np.ndarray) -> Tensor:
    return to_unit(shrink(clip, tuple(stage.options["frame_shape"])))[None]


def _score(stage: StackedFrames, pixels: Tensor, keys: Sequence[int]) -> Tensor:
    logits = stage.net(pixels).float()
    modelled = keys_of(logits.shape[1])
    outside = [key for key in keys if not modelled.start <= key < modelled.stop]
    if outside:
        lowest, highest = modelled.start + LOWEST_PITCH, modelled.stop + LOWEST_PITCH - 1
        raise AudeoBenchError(
            f"{stage.name}: models MIDI {lowest} to {highest}, not {outside[0] + LOWEST_PITCH}; "
            "give another --key or --frame."
        )
    return logits[:, [key - modelled.start for key in keys]].mean(1)


@dataclass(frozen=True)
class Explained:
    """What contestants look at in some frames of a recording.

    Attributes
    ----------
    title : str
        Names the recording and where it comes from.
    pictures : mapping of frame to np.ndarray, shape (100, 900), uint8
    keys : mapping of frame to key indices
        What was asked for.
    maps : mapping of frame to mapping of contestant to HeatMap
    """

    title: str
    pictures: Mapping[int, np.ndarray]
    keys: Mapping[int, Sequence[int]]
    maps: Mapping[int, Mapping[str, HeatMap]]


def explain(
    names: Sequence[str],
    recording: Recording,
    frames: Sequence[int],
    keys: Sequence[int] = (),
    weights: Sequence[str] = (),
    chosen_layers: Mapping[str, str] | None = None,
) -> Explained:
    """Where contestants look in some frames of a recording, each asked in a process of its own.

    Parameters
    ----------
    names : sequence of str
        Contestants; of a chain the first stage is explained.
    recording : Recording
    frames : sequence of int
        Frame numbers.
    keys : sequence of int
        Key indices asked for; the keys that truly sound in the frame if empty.
    weights : sequence of str
        As for :func:`audeo_bench.contestants.loading.system`.
    chosen_layers : mapping of contestant to layer, or None

    Raises
    ------
    AudeoBenchError
        A contestant is no net of five-frame stacks, the recording has no such frame, or nothing sounds
        in it and no key is asked for.
    """
    from audeo_bench.contestants.loading import systems

    contestants = [chain.stages[0] for chain in systems(names, weights)]
    asked: dict[int, list[int]] = {}
    for frame in frames:
        if not 0 <= frame < len(recording):
            raise AudeoBenchError(f"--frame {frame}: {recording.id} has frames 0 to {len(recording) - 1}.")
        asked[frame] = list(keys) or np.flatnonzero(recording.sounding[:, frame]).tolist()
        if not asked[frame]:
            raise AudeoBenchError(
                f"--frame {frame}: nothing sounds there in {recording.id}; give --key or another frame."
            )
    named, idle = chosen_layers or {}, None
    answers: dict[int, dict[str, HeatMap]] = {frame: {} for frame in frames}
    for contestant in contestants:
        with lent(contestant) as worker:
            sight, _ = worker.call(sight_of)
            if idle is None and sight["sees_idle"]:
                idle = idle_keyboard(recording.frames)
            for frame in frames:
                clip = _clip(recording.frames, frame, sight["stack"], idle if sight["sees_idle"] else None)
                layer = named.get(contestant.name)
                facts, heat = worker.call(heat_map_of, clip, keys=asked[frame], layer=layer)
                assert heat is not None
                answers[frame][contestant.name] = HeatMap(heat, **facts)
    pictures = {frame: np.asarray(recording.frames[frame : frame + 1])[0] for frame in frames}
    title = f"{recording.title} ({recording.provenance}), Score-CAM"
    return Explained(title, pictures, asked, answers)


def sight_of(stage: Stage, _: np.ndarray | None) -> tuple[dict[str, Any], None]:
    """What a net is shown, for :meth:`.process.Worker.call`."""
    if not isinstance(stage, StackedFrames):
        name = stage.name or type(stage).__name__
        raise AudeoBenchError(f"{name}: explain looks into nets of five-frame stacks (StackedFrames).")
    return {"stack": stage.stack, "sees_idle": stage.sees_idle}, None


def heat_map_of(
    stage: StackedFrames, clip: np.ndarray, keys: Sequence[int], layer: str | None
) -> tuple[dict[str, Any], np.ndarray]:
    """:func:`heat_map` for :meth:`.process.Worker.call`."""
    found = heat_map(stage, clip, keys, layer)
    return {"layer": found.layer, "at_keys": found.at_keys, "by_area": found.by_area}, found.heat


def _clip(frames: Frames, middle: int, stack: int, idle: np.ndarray | None) -> np.ndarray:
    indices = stack_indices(np.array([middle]), len(frames), stack)[0]
    low = int(indices.min())
    clip = np.asarray(frames[low : int(indices.max()) + 1])[indices - low]
    return clip if idle is None else np.concatenate([clip, idle[None]])
