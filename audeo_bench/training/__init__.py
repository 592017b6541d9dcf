"""Training contestants: what a contestant's ``fit`` is given, and how its weights, log and curve are kept."""
