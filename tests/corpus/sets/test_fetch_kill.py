"""A fetch that is killed anywhere is finished by the same command, with the same bytes, and nothing twice."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from film_server import FilmServer, make_film, make_labels, slowly

from audeo_bench.corpus.sets import films_of
from audeo_bench.corpus.sets.here import read_record

KILLS = int(os.environ.get("AUDEO_BENCH_KILLS", "4"))


def test_killed_at_random_and_run_again(tmp_path: Path, server: FilmServer):
    ids = [f"f{place}" for place in range(4)]
    rows = "".join(f'[[film]]\nid = "{name}"\nmidi = "{name}.mid"\n' for name in ids)
    (tmp_path / "mine.toml").write_text(
        f'name = "mine"\n[source]\nkind = "https"\nbase = "{server.url}"\n{rows}'
    )
    for place, name in enumerate(ids):
        server.files[f"/{name}.mp4"] = make_film(tmp_path / "made.mp4", seconds=6, seed=place).read_bytes()
        server.files[f"/{name}.mid"] = make_labels(tmp_path / "made.mid").read_bytes()
    server.always = slowly(0.7 if KILLS < 10 else 1.5)
    command = [sys.executable, "-m", "audeo_bench", "data", "fetch", str(tmp_path / "mine.toml")]
    command += ["--into", str(tmp_path / "films")]
    chance = random.Random(7)
    kept: dict[str, int] = {}
    for _ in range(KILLS):
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(1.0, 3.5))
        running.send_signal(signal.SIGKILL)
        running.wait()
        kept |= {name: server.gets(f"/{name}.mp4") for name in read_record("mine").films if name not in kept}
    server.always = None
    assert subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0
    found = films_of("mine")
    assert [film.film.id for film in found] == ids
    for film in found:
        body = server.files[f"/{film.film.id}.mp4"]
        assert film.sha256 == hashlib.sha256(body).hexdigest()
        assert film.path.read_bytes() == body
        gets = server.gets(f"/{film.film.id}.mp4")
        assert gets == kept.get(film.film.id, gets)  # what was kept is not asked for again
    assert not (tmp_path / "films/.fetching").exists()
