"""Still pictures: four named formats, their size judged before they are decoded."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

__all__ = ["FORMATS", "PIXELS", "read_picture"]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
"""Pillow's others are rarer, and some run programs (EPS runs Ghostscript)."""
PIXELS = 40_000_000
"""More than 8K video's 33 million."""
BYTES = 2**28
MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
"""Of 8 bits a sample or less; Pillow would clip 16 bits to white."""


def read_picture(path: Path, *, color: bool = False, remedy: str) -> np.ndarray:
    """Read a picture, turned as its EXIF record says.

    Parameters
    ----------
    path : Path
        JPEG, PNG, WEBP or BMP by its content, whatever its name; of several pictures the first.
    color : bool
    remedy : str
        What the user can do about a bad file, as the end of a sentence.

    Returns
    -------
    np.ndarray, shape (height, width), or (height, width, 3) with ``color``, uint8
        Grey by Pillow's weights (ITU-R 601-2); transparency is ignored.

    Raises
    ------
    AudeoBenchError
        Missing, no file, no whole picture, of more than 40 million pixels or more than 8 bits a sample.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    regular_file(path, remedy, BYTES)
    try:
        # Pillow warns from 89 million pixels on, where this reader has long refused.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=FORMATS)
        with picture:
            if picture.width * picture.height > PIXELS:
                raise ValueError(f"{picture.width:,} x {picture.height:,} pixels, too many")
            if picture.mode not in MODES:
                raise ValueError(f"pixels of mode {picture.mode}; save it with 8 bits a sample")
            turned = ImageOps.exif_transpose(picture)
            return np.array(turned.convert("RGB" if color else "L"))
    except UnidentifiedImageError:
        raise AudeoBenchError(f"{path}: neither JPEG, PNG, WEBP nor BMP; {remedy}.") from None
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        SyntaxError,  # what Pillow's PNG reader raises
        RuntimeError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as fault:
        raise AudeoBenchError(f"{path}: not a readable picture ({fault}); {remedy}.") from fault
