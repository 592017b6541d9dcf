"""What code made something: all that is imported, by what it says and not by how it looks."""

import sys
import types

from audeo_bench.places import PACKAGE, checkout
from audeo_bench.provenance import changed, code_digest, code_of, loaded


def test_what_a_contestant_imports_is_known_directly_or_not():
    root = checkout()
    assert root is not None
    code = code_of(root / "models" / "keywise.py")
    assert {"models/keywise.py", "audeo_bench/nn/stage.py", "audeo_bench/roll.py"} <= set(code)
    assert not any(place.startswith(("audeo_bench/cli", "audeo_bench/report")) for place in code)
    assert changed(code) is None


def test_what_makes_a_corpus_is_known_before_it_is_made():
    code = code_of(PACKAGE / "corpus" / "simulated" / "__init__.py")
    assert {"audeo_bench/corpus/simulated/skin.py", "audeo_bench/corpus/simulated/composer.py"} <= set(code)


def test_comments_docstrings_and_layout_play_no_part(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text('"""One."""\n\nX = 1\n"""Of it."""\n\n\ndef f():\n    """Two."""\n    return X\n')
    before = code_of(path)
    path.write_text("# Another.\nX = (1)\ndef f():\n\n    return X\n")
    assert code_of(path) == before and code_digest(code_of(path)) == code_digest(before)
    assert changed(before) is None
    path.write_text("X = 2\ndef f(): return X\n")
    assert changed(before) == str(path)
    path.unlink()
    assert changed(before) == str(path)


def test_what_is_linked_into_site_packages_counts_and_odd_modules_harm_nothing(tmp_path, monkeypatch):
    (tmp_path / "src").mkdir()
    (tmp_path / "src/mine.py").write_text("X = 1")
    installed = tmp_path / "site-packages"
    (installed / "theirs").mkdir(parents=True)
    (installed / "theirs/__init__.py").write_text("")
    (installed / "mylib").symlink_to(tmp_path / "src")
    odd = types.ModuleType("odd")
    odd.__file__ = installed / "theirs" / "__init__.py"  # type: ignore[assignment]
    linked = types.ModuleType("linked")
    linked.__file__ = str(installed / "mylib" / "mine.py")
    monkeypatch.setitem(sys.modules, "odd", odd)
    monkeypatch.setitem(sys.modules, "linked", linked)
    found = loaded()
    assert (tmp_path / "src/mine.py").resolve() in found
    assert not any("theirs" in path.parts for path in found)


def test_neighbours_count_as_soon_as_they_are_loaded(tmp_path, monkeypatch):
    (tmp_path / "beside_mine.py").write_text("Y = 1\n")
    path = tmp_path / "mine.py"
    path.write_text("X = 1\n")
    assert len(code_of(path)) == 1
    monkeypatch.syspath_prepend(str(tmp_path))
    import beside_mine  # type: ignore[import-not-found]  # noqa: F401

    assert str(tmp_path / "beside_mine.py") in code_of(path)
    del sys.modules["beside_mine"]


def test_what_is_imported_for_types_alone_plays_no_part(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from audeo_bench.roll import Notes\n"
    )
    assert list(code_of(path)) == [str(path)]
