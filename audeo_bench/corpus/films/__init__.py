"""Real films as a corpus: films that are here, warped to the one geometry, beside their true notes."""
