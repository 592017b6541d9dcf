"""Is the piece recognised when one listens to the reconstruction? Table 2 of the paper.

``segments`` cuts sound into queries, ``ledger`` keeps every answer, ``shazam`` asks the public service,
``catalogue`` answers offline, ``titles`` judges an answer against the work, and ``table`` adds it all up.
"""
