"""How well the keyboard finder finds: films with measured corners, and the same pictures made harder.

A folder holds films and a ``measured.csv`` with the columns ``video``, ``a0_far_x`` .. ``a0_near_y`` (film
pixels as stored) and, where it has splits, ``split``. A corner's miss is its distance from the measured one
in widths of a white key. With ``--harder`` each film's still is also turned, mirrored, seen in perspective,
moved out of the picture by up to two keys, and its light changed, that many times::

    python -m studies.keyboard_finder FOLDER [FOLDER ...] [--harder 4]
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from audeo_bench.api import AudeoBenchError
from audeo_bench.film.finding import keyboard_in_film
from audeo_bench.keyboard.finding import SURE, find_keyboard
from studies.tables import Keep, Table, show

SIZE = (640, 360)
NAMES = ("a0_far", "c8_far", "c8_near", "a0_near")


@dataclass(frozen=True)
class Answer:
    """``miss``: the worst corner's, in white keys; infinite where no keyboard was found."""

    group: str
    miss: float
    confidence: float
    seconds: float


def measured(folder: Path) -> Iterator[tuple[str, Path, np.ndarray]]:
    """Split, film and corners, (4, 2), of every row of ``measured.csv``."""
    table = folder / "measured.csv"
    if not table.is_file():
        raise AudeoBenchError(f"{table}: missing; give a folder of films with a table of their corners.")
    with table.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            corners = [[float(row[f"{name}_{axis}"]) for axis in "xy"] for name in NAMES]
            yield row.get("split") or folder.name, folder / row["video"], np.array(corners)


def miss(found: np.ndarray, true: np.ndarray) -> float:
    """The worst corner's distance in widths of a white key."""
    white = (np.linalg.norm(true[0] - true[1]) + np.linalg.norm(true[3] - true[2])) / 104
    return float(np.linalg.norm(found - true, axis=1).max() / white)


def harder(still: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Another view of a still in other light, and the corners in it."""
    along = corners[1] - corners[0]
    width = np.linalg.norm(along)
    scale = rng.uniform(0.5, 1.05) * 620 / width
    tilt = np.radians(rng.uniform(-15, 15) * (rng.random() < 0.6) + 180 * (rng.random() < 0.3))
    angle = tilt - np.arctan2(along[1], along[0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.12:
        turn = np.diag([-1, 1]) @ turn
    slack = max(0.0, SIZE[0] - width * scale * abs(np.cos(tilt))) / 2
    middle = np.array([320 + rng.uniform(-1, 1) * slack, 180 + rng.uniform(-60, 60)])
    place = np.eye(3)
    place[:2, :2], place[:2, 2] = turn, middle - turn @ corners.mean(0)
    view = np.array([[1, 0, 320], [0, 1, 180], [0, 0, 1.0]])
    bend = np.eye(3)
    bend[2, :2] = rng.normal(0, [0.0003, 0.0005])
    matrix = view @ bend @ np.linalg.inv(view) @ place
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    around = int(rng.integers(0, 120))
    picture = cv2.warpPerspective(still, matrix, SIZE, flags=way, borderValue=around) / 255.0
    picture = picture ** np.exp(rng.uniform(-0.6, 0.6)) * rng.uniform(0.4, 1.7)
    gradient = np.linspace(-1, 1, SIZE[0]) * rng.normal(0, 0.15)
    picture = np.clip(picture * (1 + gradient), 0, 1)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 1.3))
    picture = np.clip(picture + rng.normal(0, rng.uniform(0, 0.03), picture.shape), 0, 1)
    moved = cv2.perspectiveTransform(corners[:, None], matrix)[:, 0]
    return (picture * 255).astype(np.uint8), moved


def _shown(corners: np.ndarray) -> bool:
    """All but two keys at either end are in the picture."""
    slack = 2.3 * np.linalg.norm(corners[0] - corners[1]) / 52
    inside = (corners > [-slack, 0]) & (corners < [SIZE[0] + slack, SIZE[1]])
    return bool(inside.all())


def study(folders: list[Path], times: int, seed: int) -> list[Answer]:
    """The finder's answers on every film, and on ``times`` harder views of each."""
    rng = np.random.default_rng(seed)
    answers = []
    for folder in folders:
        for split, path, corners in measured(folder):
            start = time.process_time()
            found, still = keyboard_in_film(path)
            spent = time.process_time() - start
            answers.append(Answer(split, miss(found.corners, corners), found.confidence, spent))
            for _ in range(times):
                picture, moved = harder(still, corners, rng)
                if not _shown(moved):
                    continue
                start = time.process_time()
                try:
                    found = find_keyboard(picture)
                    off, sure = miss(found.corners, moved), found.confidence
                except AudeoBenchError:
                    off, sure = np.inf, 0.0
                answers.append(Answer(f"{split}, harder", off, sure, time.process_time() - start))
    return answers


def tables(answers: list[Answer]) -> list[Table]:
    rows = []
    for group in sorted({answer.group for answer in answers}):
        own = [answer for answer in answers if answer.group == group]
        off = np.array([answer.miss for answer in own])
        sure = np.array([answer.confidence for answer in own]) > SURE
        right = f"{100 * (off[sure] < 0.5).mean():.1f} %" if sure.any() else "-"
        rows.append(
            (
                group,
                str(len(own)),
                f"{100 * (off < 1 / 3).mean():.1f} %",
                f"{100 * (off < 0.5).mean():.1f} %",
                str(int((off >= 1).sum())),
                f"{100 * sure.mean():.1f} %",
                right,
                f"{np.mean([answer.seconds for answer in own]):.2f}",
            )
        )
    header = (
        "pictures",
        "number",
        "within 1/3 key",
        "within 1/2",
        "off by a key",
        "sure",
        "of those, within 1/2",
        "seconds each",
    )
    return [Table(header, tuple(rows))]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Folders of films with measured.csv.")],
    views: Annotated[int, typer.Option("--harder", help="Harder views of each film's still.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the harder views.")] = 0,
    keep: Keep = None,
) -> None:
    """Print the share of keyboards whose corners are all right, and what confidence is worth."""
    try:
        answers = study(folders, views, seed)
    except AudeoBenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    show(tables(answers), keep)


if __name__ == "__main__":
    typer.run(main)
