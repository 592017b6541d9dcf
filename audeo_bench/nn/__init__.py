"""Layers and loading that several contestants share."""
