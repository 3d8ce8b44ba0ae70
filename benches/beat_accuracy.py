"""Tempo and beats of annotated clips: ours and librosa's against the annotation.

    cargo build --release -p examples --no-default-features --example parity
    python benches/beat_accuracy.py CLIPS.csv TEMPO.csv BEATS.jsonl [--precision single|double]

CLIPS.csv has the columns `track` and `file`, relative to it (rows without a tempo are left out); TEMPO.csv `track` and `bpm`; BEATS.jsonl
`{"track": .., "beats_s": [..]}`. Tempo: the share within 4 % of the annotation (accuracy 1), or of it times 1, 2, 3, 1/2 or 1/3 (accuracy
2). Beats: mean F-measure with a window of 70 ms, beats in the first 5 s left out as mir_eval does. Needs librosa and soundfile.
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

import librosa
import numpy as np
import soundfile

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target"))
PARITY = TARGET / "release/examples/parity"


def f_measure(found, truth, window=0.07, start=5.0):
    found, truth = [t for t in found if t >= start], [t for t in truth if t >= start]
    if not found or not truth:
        return 0.0
    hits, i = 0, 0
    # Both are sorted and the windows do not overlap, so matching in order is best.
    for t in truth:
        while i < len(found) and found[i] < t - window:
            i += 1
        if i < len(found) and found[i] <= t + window:
            hits, i = hits + 1, i + 1
    return 2 * hits / (len(found) + len(truth))


def near(bpm, truth, factors):
    return any(abs(bpm - f * truth) <= 0.04 * f * truth for f in factors)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("tempo", type=Path)
    parser.add_argument("beats", type=Path)
    parser.add_argument("--kind", default="full30", help="value of the column `kind`, where there is one")
    parser.add_argument("--precision", default="single")
    arguments = parser.parse_args()
    bpm = {row["track"]: float(row["bpm"]) for row in csv.DictReader(arguments.tempo.open()) if row["bpm"]}
    beats = {b["track"]: b["beats_s"] for b in map(json.loads, arguments.beats.open())}
    clips = [r for r in csv.DictReader(arguments.clips.open()) if r.get("kind", arguments.kind) == arguments.kind]
    clips = [r for r in clips if r["track"] in bpm and r["track"] in beats]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cases, signals = [], {}
        for clip in clips:
            track = clip["track"]
            y, sr = soundfile.read(arguments.clips.parent / clip["file"], dtype="float32")
            signals[track] = (y, sr)
            soundfile.write(folder / f"{track}.wav", y, sr, subtype="FLOAT")
            for op, names in (("tempo", ["out"]), ("beat_track", ["tempo", "beats"])):
                outputs = [{"name": n, "file": f"{track}.{op}.{n}.npy"} for n in names]
                cases.append({"id": f"{track} {op}", "input": f"{track}.wav", "sr": sr, "op": op, "outputs": outputs})
        (folder / "manifest.json").write_text(json.dumps({"cases": cases}))
        subprocess.run([PARITY, "--manifest", folder / "manifest.json", "--out", folder, "--precision", arguments.precision],
                       check=True, stdout=subprocess.DEVNULL)
        rows = {"mgr": [], "librosa": []}
        same = 0
        for track, (y, sr) in signals.items():
            ours = (np.load(folder / f"{track}.tempo.out.npy")[0], np.load(folder / f"{track}.beat_track.tempo.npy")[0],
                    np.load(folder / f"{track}.beat_track.beats.npy") * 512 / sr)
            tracked, frames = librosa.beat.beat_track(y=y, sr=sr)
            theirs = (librosa.feature.tempo(y=y, sr=sr)[0], np.ravel(tracked)[0], librosa.frames_to_time(frames, sr=sr))
            same += len(ours[2]) == len(theirs[2]) and np.allclose(ours[2], theirs[2]) and np.allclose(ours[:2], theirs[:2])
            for name, (static, tracked, times) in (("mgr", ours), ("librosa", theirs)):
                truth = bpm[track]
                many = (1, 2, 3, 1 / 2, 1 / 3)
                rows[name].append((near(static, truth, (1,)), near(static, truth, many), near(tracked, truth, (1,)),
                                   near(tracked, truth, many), f_measure(times, beats[track])))
    print(f"{len(clips)} clips; tempo and every beat the same in {same}")
    print("| | tempo, accuracy 1 | accuracy 2 | of the beat tracker, 1 | 2 | beats, F |\n|---|---|---|---|---|---|")
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(f"{v:.3f}" for v in np.mean(values, axis=0)) + " |")


if __name__ == "__main__":
    main()
