import pytest
from film_server import FilmServer


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AUDEO_BENCH_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server():
    with FilmServer() as server:
        yield server
