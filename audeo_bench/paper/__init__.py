"""The paper's Table 1 and Table 2: what is reported there beside what is reproduced here."""
