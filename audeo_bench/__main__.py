"""``python -m audeo_bench`` is ``audeo-bench``."""

from audeo_bench.cli import main

if __name__ == "__main__":
    main()
