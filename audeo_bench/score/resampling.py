"""Swapping and drawing blocks: the machinery under the statistics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

LEVEL = 0.05


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: the chance of any false alarm among all of them stays below the level."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1)
    return adjusted.tolist()


def swapped_totals(values: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Sums of a random half of the units, over and over.

    Parameters
    ----------
    values : np.ndarray, shape (units, columns)

    Returns
    -------
    totals : np.ndarray, shape (draws, columns)
        Over every subset where these are at most ``draws``, the first of them empty; else over random ones.
    """
    return _multiply(_swaps(len(values), seed, draws), values)


def p_value(under_null: np.ndarray, found: float, units: int, draws: int) -> float:
    """Two-sided share of swapped differences as large as the one found.

    Random draws count the one found among them, so that the test is valid with any number of draws.
    """
    # Equal but for float error counts as equal: swapping nothing gives the difference found.
    as_large = np.count_nonzero(np.abs(under_null) >= abs(found) - 1e-12)
    if 2**units <= draws:
        return as_large / len(under_null)
    return (as_large + 1) / (len(under_null) + 1)


def drawn_totals(values: np.ndarray, blocks: tuple[int, ...], seed: int, draws: int) -> np.ndarray:
    """Sums over blocks drawn with replacement, stratified by recording.

    From a recording of n blocks, n - 1 are drawn and each counts n / (n - 1) times (Rao and Wu, 1988): the
    spread of a mean then is what its n blocks tell, where drawing n would make it sqrt((n - 1) / n) of that.
    Recordings of a single block are drawn from as one stratum; one that is alone joins the shortest other.

    Parameters
    ----------
    values : np.ndarray, shape (sum(blocks), columns)
    blocks : tuple of int
        Blocks of each recording.

    Returns
    -------
    totals : np.ndarray, shape (draws, columns)
    """
    counts, factors = _block_draws(blocks, seed, draws)
    return _multiply(counts, values * factors[:, None])


def strata(blocks: Sequence[int]) -> list[np.ndarray]:
    """Indices of the blocks that are drawn from together: recordings, with single blocks put together."""
    ends = np.cumsum(blocks)
    recordings = [np.arange(end - count, end) for count, end in zip(blocks, ends, strict=True)]
    longer = sorted((r for r in recordings if len(r) > 1), key=len)
    single = [r for r in recordings if len(r) == 1]
    if len(single) == 1 and longer:
        longer[0] = np.concatenate([longer[0], single[0]])
    elif single:
        longer.append(np.concatenate(single))
    return longer


def stretched_interval(
    drawn: np.ndarray, estimate: float, blocks: tuple[int, ...], level: float = LEVEL
) -> tuple[float, float]:
    """Percentiles of bootstrap values, stretched about the estimate from normal to Student's distribution.

    Degrees of freedom are blocks less strata. NaN where a single block is all there is.
    """
    from scipy import stats

    freedom = sum(blocks) - len(strata(blocks))
    if freedom < 1:
        return float("nan"), float("nan")
    stretch = stats.t.ppf(1 - level / 2, freedom) / stats.norm.ppf(1 - level / 2)
    low, high = np.quantile(drawn, [level / 2, 1 - level / 2])
    return float(estimate + stretch * (low - estimate)), float(estimate + stretch * (high - estimate))


@lru_cache(maxsize=4)
def _swaps(units: int, seed: int, draws: int) -> np.ndarray:
    """Which units are swapped in each draw, (draws, units) of 0 and 1."""
    if 2**units <= draws:
        return ((np.arange(2**units)[:, None] >> np.arange(units)) & 1).astype(np.uint8)
    return np.random.default_rng(seed).integers(0, 2, (draws, units), np.uint8)


@lru_cache(maxsize=4)
def _block_draws(blocks: tuple[int, ...], seed: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each block is drawn, (draws, blocks), and how often each draw of it counts, (blocks,)."""
    rng = np.random.default_rng(seed)
    counts, factors = np.ones((draws, sum(blocks)), np.uint16), np.ones(sum(blocks))
    for stratum in strata(blocks):
        size = len(stratum)
        if size > 1:
            counts[:, stratum] = rng.multinomial(size - 1, np.full(size, 1 / size), size=draws)
            factors[stratum] = size / (size - 1)
    return counts, factors


def _multiply(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``counts @ values`` in pieces, since a large corpus' counts as floats would fill gigabytes."""
    pieces = np.array_split(counts, max(1, counts.size // 4_000_000))
    return np.concatenate([piece.astype(float) @ values for piece in pieces])
