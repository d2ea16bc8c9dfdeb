"""Repeatable draws: exact counts over parts, weighted choices, and a hash that gives each dossier its own chances."""

from __future__ import annotations

import zlib

import numpy as np

from demo.office import Flags, Floats, Ints


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return the random stream of this seed and these names; independent of all other streams."""
    words = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.default_rng([seed, *words])


def split(total: int, weights: Floats) -> Ints:
    """Split `total` over parts in proportion to `weights`; the parts add up exactly (largest remainders)."""
    exact = weights / weights.sum() * total
    parts: Ints = np.floor(exact).astype(np.int64)
    rest = np.argsort(-(exact - parts), kind="stable")[: total - int(parts.sum())]
    parts[rest] += 1
    return parts


def pick(rng: np.random.Generator, wanted: int, weights: Floats) -> Flags:
    """Choose exactly `wanted` places, heavier ones more often; weight 0 is never chosen."""
    chosen = np.zeros(len(weights), dtype=np.bool_)
    possible = np.flatnonzero(weights > 0)
    if wanted > len(possible):
        raise ValueError(f"{wanted} of only {len(possible)} dossiers cannot be chosen")
    if wanted:
        keys = np.log(rng.random(len(possible))) / weights[possible]
        chosen[possible[np.argpartition(-keys, wanted - 1)[:wanted]]] = True
    return chosen


def chance(keys: Ints, salt: int) -> Floats:
    """Return a number in [0, 1) for each key, always the same for the same key and salt (splitmix64)."""
    with np.errstate(over="ignore"):
        x = keys.astype(np.uint64) + np.uint64(salt) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) / float(1 << 53)
