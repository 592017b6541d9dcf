"""Files that come from outside: one reader for each format, each with limits before memory is taken."""
