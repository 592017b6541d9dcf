"""The geometry of a piano keyboard in millimetres, for those who build, play, film or read one.

Coordinates: x runs right from the left edge of A0; y runs away from the player, 0 at the front edge of the
white keys; z runs up, 0 at the surface of an unpressed white key.
"""

from __future__ import annotations

import numpy as np

WHITE_WIDTH = 23.5
WHITE_LENGTH = 150.0
BLACK_WIDTH = 11.0
BLACK_LENGTH = 95.0
BLACK_HEIGHT = 11.5
KEY_DIP = 10.0
"""How far a white key's front sinks when it is pressed to the ground."""

IS_BLACK = np.array([(k + 9) % 12 in (1, 3, 6, 8, 10) for k in range(88)])
"""shape (88,), bool, key index 0 = A0."""

_WHITES_BEFORE = np.concatenate([[0], np.cumsum(~IS_BLACK)[:-1]])
# Where the black key's centre stands off the line between its white neighbours, by pitch class, in mm (C# D#
# F# G# A#).
_BLACK_OFFSET = {1: -2.2, 3: 2.2, 6: -3.2, 8: 0.0, 10: 3.2}

KEY_X = np.array(
    [
        _WHITES_BEFORE[k] * WHITE_WIDTH + (_BLACK_OFFSET[(k + 9) % 12] if IS_BLACK[k] else WHITE_WIDTH / 2)
        for k in range(88)
    ]
)
"""x of each key's centre, shape (88,), mm."""

KEYBOARD_WIDTH = 52 * WHITE_WIDTH
OCTAVE = 7 * WHITE_WIDTH

FRAME_HEIGHT, FRAME_WIDTH = 100, 900
"""Pixels of the picture of a keyboard that every corpus gives."""
BEHIND, BEFORE = 7.0, 50.0
"""Millimetres of the key plane that the picture shows behind the keys and before their front edge: the middle
of what the simulated camera shows (`Appearance.draw`).
"""
