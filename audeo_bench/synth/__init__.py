"""From piano rolls and notes to sound: FluidSynth with a sound font."""
