"""Tables that mgr writes, read by pandas, pyarrow, SciPy and NumPy; and tables that they write, read by mgr.

    python benches/tables_peer.py --mgr target/release/mgr

Needs numpy, scipy, pandas, pyarrow. Makes its own sounds in a temporary folder and prints a line a format; ends with 1 where anything
differs.
"""

import argparse
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import wave

import numpy as np
import pandas as pd
import pyarrow.parquet
from scipy.io import arff


def sounds(folder):
    """Twenty clips of two genres, with names that need quotes; half of them hum, half hiss."""
    draw = np.random.default_rng(0)
    for genre, noise in (("hip hop", 0.5), ('ro"ck, and roll', 0.01)):
        (folder / genre).mkdir(parents=True)
        for number in range(10):
            time = np.arange(22050) / 22050
            samples = 0.3 * np.sin(2 * np.pi * (200 + 40 * number) * time) + noise * draw.standard_normal(22050)
            with wave.open(str(folder / genre / f"clip {number},é.wav"), "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(22050)
                out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def read(path):
    """Names of the columns, values, ids and labels, as the format's usual reader gives them."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            return describe_npz(file)
    if path.suffix == ".csv":
        frame = pd.read_csv(path)
    elif path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        assert pyarrow.parquet.read_table(path).column_names == list(frame.columns)
    else:
        rows, _ = arff.loadarff(io.StringIO(without_text(path.read_text(encoding="utf-8"))))
        frame = pd.DataFrame(rows)
        for column in frame.columns:
            if frame[column].dtype == object:
                # SciPy leaves the format's escapes in a text, as Weka does not.
                frame[column] = [value.decode().replace('\\"', '"') for value in frame[column]]
    numbers = frame.select_dtypes("number")
    texts = frame.select_dtypes(exclude="number")
    return list(numbers.columns), numbers.to_numpy(float), {name: list(texts[name].astype(str)) for name in texts}


def without_text(text):
    """The same ARFF without its text attribute, the first, which SciPy's reader does not take."""
    head, rows = text.split("@DATA\n") if "@DATA\n" in text else text.split("@data\n")
    lines = head.splitlines()
    place = next(i for i, line in enumerate(lines) if line.lower().endswith(" string"))
    del lines[place]
    return "\n".join(lines + ["@DATA"] + [re.sub(r"^('(\\.|[^'])*'|[^,]*),", "", row) for row in rows.splitlines()]) + "\n"


def describe_npz(file):
    texts = {name: list(file[name].astype(str)) for name in file.files if file[name].dtype.kind in "US"}
    matrix = next(file[name] for name in file.files if file[name].ndim == 2)
    names = next((value for value in texts.values() if len(value) == matrix.shape[1]), None)
    return names, matrix.astype(float), texts


def confusions(value):
    """Every confusion matrix in a document."""
    if isinstance(value, dict):
        own = [value["confusion"]] if "confusion" in value else []
        return own + [found for part in value.values() for found in confusions(part)]
    return [found for part in value for found in confusions(part)] if isinstance(value, list) else []


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mgr", type=pathlib.Path, required=True)
    mgr = arguments.parse_args().mgr.resolve()
    failed = False

    def told(name, fits, what=""):
        nonlocal failed
        failed |= not fits
        print(f"{'ok  ' if fits else 'FAIL'} {name} {what}")

    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        sounds(folder / "music")
        tables = {}
        for ending in ("csv", "parquet", "arff", "npz"):
            path = folder / f"table.{ending}"
            command = [mgr, "extract", "music", "--feature", "mfcc", "--statistics", "mean,std", "--table", path.name]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            try:
                tables[ending] = read(path)
            except Exception as error:  # what a reader says is the finding
                told(f"mgr -> {ending}", False, repr(error))
        columns, values, texts = tables["csv"]
        for ending, (names, matrix, found) in tables.items():
            same = matrix.shape == values.shape and np.allclose(matrix, values, rtol=1e-6, atol=1e-9)
            labels = sorted({tuple(sorted(set(v))) for v in found.values() if len(set(v)) == 2})
            fits = same and (names is None or list(names) == columns) and (("hip hop", 'ro"ck, and roll') in labels)
            told(f"mgr -> {ending}", fits, f"{matrix.shape} values, texts {sorted(found)}" + ("" if fits else f" {labels} {names}"))
        frame = pd.DataFrame(values, columns=columns)
        frame.insert(0, "id", texts.get("id") or [str(i) for i in range(len(frame))])
        frame["label"] = texts.get("label") or next(v for v in texts.values() if len(set(v)) == 2)
        frame.to_csv(folder / "pandas.csv", index=False, encoding="utf-8-sig")
        frame.to_parquet(folder / "pandas.parquet", index=False)
        np.savez(folder / "numpy.npz", X=values, y=np.array(frame["label"]).astype("U"), columns=np.array(columns))
        answers = {}
        for name in ("table.csv", "table.arff", "pandas.csv", "pandas.parquet", "numpy.npz"):
            command = [mgr, "learn", "--table", name, "--model", "gaussian_nb", "--folds", "5", "--json"]
            if name == "numpy.npz":
                command += ["--label", "y"]
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if run.returncode == 0:
                # Everything but times and names of files.
                answers[name] = json.dumps(confusions(json.loads(run.stdout)))
            told(f"{name} -> mgr", run.returncode == 0, run.stderr.strip())
        told("one verdict on the same values", len(set(answers.values())) == 1)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
