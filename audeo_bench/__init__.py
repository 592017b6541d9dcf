"""audeo-bench: how good is your video-to-piano-music model?"""

__version__ = "0.1.0"
