"""Writes python_draws.json: what CPython's random, NumPy's RandomState and scikit-learn draw, for tests/split_of_studies.rs.

Run with Python 3 and scikit-learn: python python_draws.py > python_draws.json
"""
import json
import random

import numpy as np
from sklearn.model_selection import (KFold, ShuffleSplit, StratifiedKFold,
                                     StratifiedShuffleSplit)

SEEDS = [0, 1, 10, 44, 1004, 2**31, 2**32 - 1]
out = {"python": [], "numpy": [], "shuffle": [], "stratified_shuffle": [], "k_fold": [], "stratified_k_fold": []}
for seed in SEEDS + [2**32, 2**53 + 1, 2**64 - 1]:
    r = random.Random(seed)
    items = list(range(100)); r.shuffle(items)
    out["python"].append({
        "seed": str(seed), "shuffle": items, "small": r.sample(range(30), 7), "large": r.sample(range(10_000), 7),
        "random": [int(r.random() * 2**53) for _ in range(3)], "below": [r.randrange(n) for n in (1, 2, 3, 255, 256, 257, 2**31, 2**32, 2**40 + 3)],
    })
for seed in SEEDS:
    r = np.random.RandomState(seed)
    shuffled = np.arange(57); r.shuffle(shuffled)
    out["numpy"].append({
        "seed": str(seed), "permutation": r.permutation(100).tolist(), "shuffle": shuffled.tolist(),
        "randint": [int(r.randint(5, high)) for high in (6, 7, 8, 260, 261, 262, 2**31, 2**33 + 9)],
        "choice": r.choice(17, 9).tolist(), "without": r.choice(17, 9, replace=False).tolist(),
        "random": [int(x * 2**53) for x in r.random_sample(3)],
    })
rng = np.random.default_rng(3)
for n, size in [(10, 0.2), (1000, 0.2), (101, 0.1), (77, 5), (7463, 0.2)]:
    for seed in (10, 1004):
        train, test = next(ShuffleSplit(1, test_size=size, random_state=seed).split(np.zeros(n)))
        out["shuffle"].append({"n": n, "size": size, "seed": seed, "train": train.tolist(), "test": test.tolist()})
for n, classes, size, seed in [(580, 8, 40, 1004), (200, 5, 0.25, 0), (97, 4, 0.1, 7), (60, 3, 31, 2), (333, 10, 0.33, 5)]:
    y = np.concatenate([np.arange(classes), np.arange(classes), rng.integers(0, classes, n - 2 * classes)])
    y = y[rng.permutation(n)]
    splits = [[a.tolist(), b.tolist()] for a, b in StratifiedShuffleSplit(3, test_size=size, random_state=seed).split(y, y)]
    out["stratified_shuffle"].append({"y": y.tolist(), "size": size, "seed": seed, "splits": splits})
for n, k, seed in [(10, 3, None), (100, 10, 0), (53, 7, 42)]:
    folds = KFold(k, shuffle=seed is not None, random_state=seed)
    out["k_fold"].append({"n": n, "k": k, "seed": seed, "test": [b.tolist() for _, b in folds.split(np.zeros(n))]})
for n, classes, k, seed in [(100, 4, 5, None), (211, 5, 10, 0), (90, 3, 7, 42)]:
    y = np.concatenate([np.repeat(np.arange(classes), k), rng.integers(0, classes, n - k * classes)])
    y = y[rng.permutation(n)]
    folds = StratifiedKFold(k, shuffle=seed is not None, random_state=seed)
    out["stratified_k_fold"].append({"y": y.tolist(), "k": k, "seed": seed, "test": [b.tolist() for _, b in folds.split(y, y)]})
print(json.dumps(out, separators=(",", ":")))
