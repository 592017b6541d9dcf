"""``audeo-bench`` that knows the tiny corpus in every process: ``python tiny_command.py train ...``."""

from audeo_bench.corpus import CORPORA

CORPORA["tiny"] = "tiny_corpus:TinyCorpus"  # type: ignore[index]

if __name__ == "__main__":
    from audeo_bench.cli import main

    main()
