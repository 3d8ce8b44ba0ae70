"""Compares a vector of the literature with the same computed by librosa, column by column, and times both.

    cargo build --release -p examples --no-default-features --example vectors --example time_feature
    python benches/compare_vectors.py gtzan57|fma518|bahuleyan97|choi_mfcc120 CLIP.wav ... [--pad constant] [--rounds 3] [--worst 15]

For each group of columns: the largest and the median difference over its columns and the clips, relative to the largest magnitude that the
column's group and statistic have, and the columns that differ most. Both sides see zeros beyond the ends of a clip with `--pad constant`
(librosa's constant-Q transform does so in any case) and a mirrored signal with `--pad reflect`. One thread on both sides. Needs librosa,
scipy and soundfile.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target")) / "release/examples"


def gtzan57(y, sr, pad):
    """The 57 columns of the table of GTZAN, as librosa before 0.9 made them but for the padding."""
    import librosa

    out = []

    def both(x):
        out.extend([np.mean(x), np.var(x)])

    both(librosa.feature.chroma_stft(y=y, sr=sr, pad_mode=pad))
    both(librosa.feature.rms(y=y, pad_mode=pad))
    both(librosa.feature.spectral_centroid(y=y, sr=sr, pad_mode=pad))
    both(librosa.feature.spectral_bandwidth(y=y, sr=sr, pad_mode=pad))
    both(librosa.feature.spectral_rolloff(y=y, sr=sr, pad_mode=pad))
    both(librosa.feature.zero_crossing_rate(y))
    spectrum = librosa.stft(y, pad_mode=pad)
    for part in librosa.decompose.hpss(spectrum):
        both(librosa.util.fix_length(librosa.istft(part), size=len(y)))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, pad_mode=pad))
    strength = librosa.onset.onset_strength(S=mel, sr=sr, aggregate=np.median)
    out.append(librosa.feature.tempo(onset_envelope=strength, sr=sr)[0])
    for row in librosa.feature.mfcc(S=mel, sr=sr, n_mfcc=20):
        both(row)
    return np.array(out)


def fma518(y, sr, pad):
    """FMA's features.py, with the arguments that librosa asks for today."""
    import librosa
    from scipy import stats

    rows = {"zcr": librosa.feature.zero_crossing_rate(y)}
    cqt = np.abs(librosa.cqt(y, sr=sr, hop_length=512, bins_per_octave=12, n_bins=84, tuning=None))
    rows["chroma_cqt"] = librosa.feature.chroma_cqt(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12)
    rows["chroma_cens"] = librosa.feature.chroma_cens(C=cqt, n_chroma=12, n_octaves=7, bins_per_octave=12)
    rows["tonnetz"] = librosa.feature.tonnetz(chroma=rows["chroma_cens"])
    magnitude = np.abs(librosa.stft(y, pad_mode=pad))
    rows["chroma_stft"] = librosa.feature.chroma_stft(S=magnitude**2, n_chroma=12)
    rows["rmse"] = np.sqrt(np.mean(magnitude**2, axis=0, keepdims=True))
    rows["spectral_centroid"] = librosa.feature.spectral_centroid(S=magnitude)
    rows["spectral_bandwidth"] = librosa.feature.spectral_bandwidth(S=magnitude)
    rows["spectral_contrast"] = librosa.feature.spectral_contrast(S=magnitude, n_bands=6)
    rows["spectral_rolloff"] = librosa.feature.spectral_rolloff(S=magnitude)
    mel = librosa.feature.melspectrogram(sr=sr, S=magnitude**2)
    rows["mfcc"] = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    out = []
    for name in sorted(rows):
        x = rows[name]
        out += [stats.kurtosis(x, axis=1), np.max(x, axis=1), np.mean(x, axis=1), np.median(x, axis=1)]
        out += [np.min(x, axis=1), stats.skew(x, axis=1), np.std(x, axis=1)]
    return np.concatenate(out)


def bahuleyan97(y, sr, pad):
    """The hand-made values of Bahuleyan, the bandwidth of power 4 as there, rounded."""
    import librosa
    from scipy import stats

    out = [np.mean(np.abs(y)), np.std(y), stats.skew(np.abs(y)), stats.kurtosis(y)]

    def both(x):
        out.extend([np.mean(x), np.std(x)])

    both(librosa.feature.zero_crossing_rate(y + 0.0001))
    both(librosa.feature.rms(y=y + 0.0001, pad_mode=pad))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(y=y, sr=sr, pad_mode=pad))
    out.append(librosa.feature.tempo(onset_envelope=librosa.onset.onset_strength(S=mel, sr=sr), sr=sr)[0])
    both(librosa.feature.spectral_centroid(y=y + 0.01, sr=sr, pad_mode=pad))
    for p in (2, 3, 3):
        both(librosa.feature.spectral_bandwidth(y=y + 0.01, sr=sr, p=p, pad_mode=pad))
    rows = librosa.feature.spectral_contrast(y=y, sr=sr, n_bands=6, fmin=200.0, pad_mode=pad)
    out += [*np.mean(rows, axis=1), *np.std(rows, axis=1)]
    both(librosa.feature.spectral_rolloff(y=y + 0.01, sr=sr, roll_percent=0.85, pad_mode=pad))
    for rows in (librosa.feature.mfcc(S=mel, sr=sr, n_mfcc=20), librosa.feature.chroma_stft(y=y, sr=sr, hop_length=1024, pad_mode=pad)):
        out += [*np.mean(rows, axis=1), *np.std(rows, axis=1)]
    return np.round(np.array(out, dtype=np.float64), 3)


def choi_mfcc120(y, sr, pad):
    """The MFCC baseline of Choi et al."""
    import librosa

    out = []
    rows = librosa.feature.mfcc(y=y[: 29 * sr], sr=sr, n_mfcc=20, pad_mode=pad)
    for _ in range(3):
        out += [np.mean(rows, axis=1), np.std(rows, axis=1)]
        rows = rows[:, 1:] - rows[:, :-1]
    return np.concatenate(out)


SETS = {f.__name__: f for f in (gtzan57, fma518, bahuleyan97, choi_mfcc120)}


def group(name):
    """A column without its number: chroma_cens_kurtosis_03 -> chroma_cens_kurtosis, mfcc17_var -> mfcc_var."""
    return re.sub(r"_?\d+(?=$|_(mean|var|std)$)", "", name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", choices=SETS)
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--pad", choices=("constant", "reflect"), default="constant")
    parser.add_argument("--rounds", type=int, default=0, help="timings of either side on the first clip")
    parser.add_argument("--worst", type=int, default=10)
    arguments = parser.parse_args()
    import soundfile

    warnings.simplefilter("ignore")
    params = json.dumps({"pad_mode": arguments.pad})
    command = [TARGET / "vectors", arguments.set, *arguments.clips, "--params", params]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    differences, names = [], []
    for clip, line in zip(arguments.clips, lines, strict=True):
        ours = json.loads(line)
        y, sr = soundfile.read(clip, dtype="float32", always_2d=True)
        y = y.mean(axis=1)
        theirs = SETS[arguments.set](y, sr, arguments.pad)
        names = ours["names"]
        if len(names) != len(theirs):
            sys.exit(f"{len(names)} columns here, {len(theirs)} there")
        groups = np.array([group(n) for n in names])
        scale = np.array([np.abs(theirs[groups == g]).max() for g in groups])
        differences.append(np.abs(np.array(ours["values"]) - theirs) / np.maximum(scale, 1e-12))
    differences = np.array(differences)
    print(f"{arguments.set}, {len(differences)} clips, {len(names)} columns: differences relative to the largest of the group")
    print("| group | columns | largest | median |\n|---|---|---|---|")
    for g in dict.fromkeys(groups):
        of = differences[:, groups == g]
        print(f"| {g} | {of.shape[1]} | {of.max():.1e} | {np.median(of):.1e} |")
    worst = np.argsort(-differences.max(axis=0))[: arguments.worst]
    print("\nlargest: " + ", ".join(f"{names[i]} {differences[:, i].max():.1e}" for i in worst))
    if arguments.rounds:
        y, sr = soundfile.read(arguments.clips[0], dtype="float32", always_2d=True)
        y, theirs, ours = y.mean(axis=1), [], []
        for _ in range(arguments.rounds):
            start = time.perf_counter()
            SETS[arguments.set](y, sr, arguments.pad)
            theirs.append(time.perf_counter() - start)
            command = [TARGET / "time_feature", arguments.set, arguments.clips[0], "5", "--params", params, "--json"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            ours.append(json.loads(done.stdout.strip().splitlines()[-1])["min_s"])
        print(f"\n{len(y) / sr:.1f} s at {sr} Hz: librosa {1e3 * statistics.median(theirs):.0f} ms (least {1e3 * min(theirs):.0f}), "
              f"mgr {1e3 * statistics.median(ours):.1f} ms (least {1e3 * min(ours):.1f})")


if __name__ == "__main__":
    main()
