"""Which packages the wheel holds; everything else about them is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

SHIPPED = ("baselines", "leaderboards", "models")

setup(
    packages=[
        *find_namespace_packages(include=["audeo_bench", "audeo_bench.*"]),
        *(f"audeo_bench._shipped.{folder}" for folder in SHIPPED),
    ]
)
