"""Contestants: files found by name or path, loaded, checked, chained into systems."""
