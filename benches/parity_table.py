"""Writes docs/parity.md: for every golden op its cases, and the worst error against its tolerance.

    python benches/parity_table.py GOLDEN_FOLDER CANDIDATE_FOLDER > docs/parity.md

CANDIDATE_FOLDER is what `parity --out` wrote. The errors are measured as the set's own scorer does; where its metric is a share or a
correlation, that stands instead. Needs numpy.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np


def main():
    golden, candidates = Path(sys.argv[1]), Path(sys.argv[2])
    manifest = json.loads((golden / "manifest.json").read_text())
    rows = defaultdict(lambda: {"cases": 0, "outputs": 0, "missing": 0, "worst": 0.0, "of": "", "metrics": set()})
    for case in manifest["cases"]:
        row = rows[case["op"]]
        if case.get("raises"):
            continue
        row["cases"] += 1
        for output in case["outputs"]:
            tolerance = output["tolerance"]
            path = candidates / output["file"]
            row["outputs"] += 1
            row["metrics"].add(tolerance["metric"])
            if not path.exists():
                row["missing"] += 1
                continue
            got, want = np.load(path), np.load(golden / output["file"])
            if got.dtype in (np.float32, np.complex64) and "tolerance_f32" in tolerance:
                tolerance = {**tolerance, **tolerance["tolerance_f32"]}
            if tolerance["metric"] != "allclose" or got.shape != want.shape:
                continue
            if np.iscomplexobj(want):
                got, want = got.astype(np.complex128), want.astype(np.complex128)
            else:
                got, want = got.astype(np.float64), want.astype(np.float64)
            finite = np.isfinite(want) & np.isfinite(got)
            if not finite.any():
                continue
            error = np.abs(got - want)[finite]
            allowed = tolerance["atol"] + tolerance["rtol"] * np.abs(want)[finite]
            if tolerance.get("ill_conditioned"):
                # Here the set asks for the 99.9th percentile only.
                limit = max(tolerance.get("p999_limit", 0), 10 * output["noise_f32_vs_f64"]["p999"])
                share = np.quantile(error, 0.999) / max(limit, 1e-300)
            else:
                share = np.where(error > 0, error / np.maximum(allowed, 1e-300), 0.0).max()
            if share >= row["worst"]:
                row["worst"], row["of"] = float(share), f"{case['id']} {output['name']}"
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items() if name in
                         ("librosa", "kymatio", "numpy", "scipy", "soxr"))
    print("# Parity\n")
    print(f"Every op of the golden set that is built, against {versions}. The last column is the worst error of any value of any")
    print("case, as a share of what the set allows for it (1 would be the limit); ops that the set scores by a share of frames or a")
    print("correlation have none. Written by `python benches/parity_table.py` from what `cargo run --release -p examples")
    print("--no-default-features --example parity` wrote; `.ci/run` fails where an op is out of tolerance.\n")
    print("| op | cases | outputs | scored by | worst error / allowed | in |")
    print("|---|---|---|---|---|---|")
    for op, row in sorted(rows.items()):
        if row["missing"]:
            continue
        metrics = ", ".join(sorted(row["metrics"]))
        worst = f"{row['worst']:.2g} | `{row['of']}`" if row["of"] else "| "
        print(f"| `{op}` | {row['cases']} | {row['outputs']} | {metrics} | {worst} |")
    absent = sorted(op for op, row in rows.items() if row["missing"])
    if absent:
        print(f"\nNot built yet: {', '.join(f'`{op}`' for op in absent)}.")


if __name__ == "__main__":
    main()
