"""Progress is a bar in a terminal, and a line now and then in a file."""

from __future__ import annotations

import pytest

from audeo_bench import progress
from audeo_bench.progress import progress_bar


def test_where_stderr_is_no_terminal_a_line_is_said_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress_bar("rendering", 3, "recordings") as bar:
        bar.advance()
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
        bar.advance()
    said = capsys.readouterr().err
    assert said.startswith("rendering: 2 of 3 recordings") and said.endswith("\n")
