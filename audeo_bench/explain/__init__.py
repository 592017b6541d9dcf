"""Where in the picture a contestant looks."""
