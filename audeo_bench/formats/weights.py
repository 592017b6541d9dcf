"""Weights as safetensors: what they say of themselves is read, and judged, before the numbers are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LIMIT", "Description", "describe_weights", "read_weights"]

LIMIT = 2**30
"""Bytes of a file of weights."""


class Description(NamedTuple):
    """What a file of weights says before its tensors are read."""

    facts: dict[str, str]
    shapes: dict[str, tuple[int, ...]]


def describe_weights(path: Path, *, remedy: str) -> Description:
    """The metadata and the tensors' shapes of a safetensors file.

    Raises
    ------
    AudeoBenchError
        Missing, no file, larger than 1 GB, or no whole safetensors file.
    """
    with _opened(path, remedy) as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        return Description(file.metadata() or {}, shapes)


def read_weights(path: Path, *, remedy: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file; errors as of :func:`describe_weights`."""
    with _opened(path, remedy) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@contextmanager
def _opened(path: Path, remedy: str) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    regular_file(path, remedy, LIMIT)
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as fault:
        first = (str(fault) or type(fault).__name__).splitlines()[0]
        raise AudeoBenchError(f"{path}: not a readable safetensors file ({first}); {remedy}.") from fault
