"""Films: read at 25 frames a second, warped to the keyboard's one geometry, written with sound."""
