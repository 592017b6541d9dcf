"""Leaderboards: rows, how runs and answers become rows, and how rows become boards."""
