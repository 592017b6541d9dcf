"""What a study found: printed as Markdown, and kept as a file that the tests hold its page to."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from audeo_bench.files import atomic_write
from audeo_bench.provenance import commit, versions

Keep = Annotated[
    Path | None, typer.Option(help="Also write the tables to this file (docs/results/<study>.json).")
]


@dataclass(frozen=True)
class Table:
    """Cells as they are printed."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        lines = (self.header, ("---",) * len(self.header), *self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_interval(value: float, low: float, high: float, sign: str = "") -> str:
    """Shares in 0..1 as per cent, such as ``63.7 (55.9 to 71.5)``; ``sign="+"`` for a difference."""
    return f"{100 * value:{sign}.1f} ({100 * low:.1f} to {100 * high:.1f})"


def show(tables: Sequence[Table], keep: Path | None, **facts: object) -> None:
    """Print tables and ``facts``; write both to ``keep``, with the command and the libraries' versions."""
    print("\n\n".join(table.markdown() for table in tables))
    for name, value in facts.items():
        print(f"\n{name}: {value}")
    if keep is None:
        return
    found = [{"header": table.header, "rows": table.rows} for table in tables]
    name = Path(sys.argv[0]).stem
    # Where the data lie, and where this file goes, is nobody's business.
    arguments = [Path(word).name if Path(word).is_dir() else word for word in sys.argv[1:]]
    if "--keep" in arguments:
        del arguments[(place := arguments.index("--keep")) : place + 2]
    content = {
        "command": " ".join(["python", "-m", f"studies.{name}", *arguments]),
        "commit": commit(),
        **facts,
        "tables": found,
        "versions": versions(),
    }
    with atomic_write(keep) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
