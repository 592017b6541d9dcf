"""The authors' release: its labels, stored answers and pictures."""
