"""README and docs name only what is there: files, links, commands, rooms."""

import re
from pathlib import Path

import pytest
from test_rooms import ORDER
from typer.main import get_command

from audeo_bench.cli import app
from audeo_bench.places import checkout

ROOT = checkout() or Path()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
pytestmark = pytest.mark.skipif(checkout() is None, reason="documents are in the checkout")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", page.read_text())
    broken = [
        link for link in links if not re.match(r"https?:|$", link) and not (page.parent / link).exists()
    ]
    assert broken == []


@each_page
def test_files_of_the_repository_that_are_named_are_there(page):
    top = "audeo_bench|baselines|docs|leaderboards|models|studies|tests"
    named = re.findall(rf"(?<![\w/])((?:{top})/[\w/.+-]*\w/?)", page.read_text())
    missing = {name for name in named if not (ROOT / name).exists()}
    assert {name for name in missing if not name.startswith("leaderboards/simulated-wtc2/my_model")} == set()


@each_page
def test_nothing_beside_the_checkout_is_named(page):
    assert re.findall(r"\.\./shared|/work/|/tmp/", page.read_text()) == []


@each_page
def test_commands_and_options_exist(page):
    """Of every line and every piece of code that begins with ``audeo-bench``."""
    for line in re.findall(r"(?:^|`)audeo-bench (\w[^`\n]*)", page.read_text(), re.M):
        words = line.partition("#")[0].split()
        command = get_command(app)
        while words and (known := getattr(command, "commands", None)):
            assert words[0] in known, f"audeo-bench {line}"
            command = known[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options, f"audeo-bench {line}"


def test_every_room_has_its_line_in_the_order_of_the_pipeline():
    rooms = [room for room in ORDER if (ROOT / "audeo_bench" / room / "__init__.py").exists()]
    told = re.findall(r"^\| `audeo_bench/(\w+)/` \|", (ROOT / "docs" / "architecture.md").read_text(), re.M)
    assert told == rooms
