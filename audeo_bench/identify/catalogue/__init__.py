"""Catalogues: what the offline engines know."""
