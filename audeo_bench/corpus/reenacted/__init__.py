"""Real labels acted out before the simulated camera."""
