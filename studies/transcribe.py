"""Audio -> notes, by Transkun (Yan & Duan, ISMIR 2024; MIT licence): ``pip install transkun``.

Its weights travel inside its package, so nothing is fetched when it is used.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.formats.midi import read_midi
from audeo_bench.roll import Notes

__all__ = ["TRANSKUN_RATE", "transcribe"]

TRANSKUN_RATE = 44_100
"""Samples a second that the transcriber expects."""


def transcribe(samples: np.ndarray) -> tuple[Notes, np.ndarray]:
    """Write down what is heard.

    Parameters
    ----------
    samples : np.ndarray, shape (n,), float32
        Mono at 44.1 kHz, in -1..1.

    Returns
    -------
    notes : Notes
        When keys seem to be down; this model is trained on key movements.
    pedal : np.ndarray, shape (m, 2)
        When the sustain pedal seems to be down, seconds.

    Raises
    ------
    AudeoBenchError
        If Transkun is not installed.
    """
    import tempfile
    from pathlib import Path

    import torch

    model, write_midi = _model()
    with torch.no_grad():
        audio = torch.from_numpy(np.asarray(samples, np.float32)[:, None])
        heard = model.transcribe(audio, discardSecondHalf=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heard.mid"
        write_midi(heard).write(str(path))
        midi = read_midi(path)
        return midi.notes, midi.pedal


@cache
def _model() -> tuple[Any, Any]:
    import torch

    _stand_in_for_torchaudio()
    try:
        import moduleconf  # pyright: ignore[reportMissingImports]
        from transkun.Data import writeMidi  # pyright: ignore[reportMissingImports]
    except ImportError as problem:
        raise AudeoBenchError(f"Transkun cannot be loaded ({problem}); pip install transkun.") from problem
    folder = resources.files("transkun") / "pretrained"
    configuration = moduleconf.parseFromFile(str(folder / "2.0.conf"))["Model"]
    model = configuration.module.TransKun(conf=configuration.config)
    checkpoint = torch.load(str(folder / "2.0.pt"), map_location="cpu", weights_only=True)
    model.load_state_dict(checkpoint.get("best_state_dict", checkpoint.get("state_dict")))
    return model.eval(), writeMidi


def _stand_in_for_torchaudio() -> None:
    """Serve the one function that Transkun takes from torchaudio, where it does not fit the torch installed.

    It computes a mel filter bank that the checkpoint then overwrites.
    """
    try:
        import torchaudio  # noqa: F401  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError):
        import librosa
        import torch

        def melscale_fbanks(
            n_freqs: int, f_min: float, f_max: float, n_mels: int, sample_rate: int, **_: Any
        ) -> torch.Tensor:
            size = 2 * (n_freqs - 1)
            bank = librosa.filters.mel(
                sr=sample_rate, n_fft=size, n_mels=n_mels, fmin=f_min, fmax=f_max, htk=True, norm=None
            )
            return torch.from_numpy(bank.T)

        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        stand_in = ModuleType("torchaudio")
        stand_in.functional = SimpleNamespace(melscale_fbanks=melscale_fbanks)  # type: ignore[attr-defined]
        sys.modules["torchaudio"] = stand_in
