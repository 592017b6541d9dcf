"""A film, a roll or a MIDI file becomes sound."""
