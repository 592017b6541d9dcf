"""Runs: a system answers for every recording of a split, and the answers are kept in a folder."""
