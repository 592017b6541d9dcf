"""Sets of real films by name: what a set is, which ship, how their films are fetched, which of them are here.

>>> read_manifest(shipped_sets()["audeo-films"]).splits
{'wtc1': 21, 'validation': 3, 'wtc2': 3}
"""

from audeo_bench.corpus.sets.film import Film
from audeo_bench.corpus.sets.here import FilmHere, films_of, known_sets
from audeo_bench.corpus.sets.labels import read_labels
from audeo_bench.corpus.sets.manifest import FilmSet, manifest_of_folder, read_manifest, shipped_sets

__all__ = [
    "Film",
    "FilmHere",
    "FilmSet",
    "films_of",
    "known_sets",
    "manifest_of_folder",
    "read_labels",
    "read_manifest",
    "shipped_sets",
]
