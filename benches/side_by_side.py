"""Times features by their Python peers and by mgr in turn, in one go, and prints a table of ratios.

    cargo build --release -p examples --no-default-features --example time_feature
    python benches/side_by_side.py [CLIP.wav] [--rounds 5] [--ops OP ...] [--markdown] [--document docs/benchmarks.md]

Needs librosa, soundfile, and kymatio for scattering. One thread on both sides. A round is one timing of the peer (a warm call first)
and one median of mgr's runs, so that both see the same phases of a shared machine; the medians over the rounds are printed. Without a
clip, 30 s at 22,050 Hz are computed: chords with noise and clicks. --document puts the table, with the machine and the versions, between
the marks that the document has for it.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import importlib.metadata
import json
import math
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE = 22_050
TIMER = Path(__file__).resolve().parent.parent / "target/release/examples/time_feature"


def clip():
    rng = np.random.default_rng(7)
    t = np.arange(30 * RATE) / RATE
    out = np.zeros_like(t)
    for start in np.arange(0, 30, 0.5):
        root = rng.choice([110.0, 130.81, 146.83, 164.81, 196.0])
        span = (t >= start) & (t < start + 0.5)
        local = t[span] - start
        for harmonic in range(1, 9):
            for interval in (1.0, 1.26, 1.5):
                out[span] += np.sin(2 * np.pi * root * interval * harmonic * local) * np.exp(-4 * local) / harmonic
        first = int(start * RATE)
        out[first : first + 200] += rng.standard_normal(200)
    out += 0.01 * rng.standard_normal(len(out))
    return (0.7 * out / np.abs(out).max()).astype(np.float32)


def peers(y):
    """Op -> (peer, call that makes what one run of the op makes, parameters of the op, runs a round)."""
    import librosa

    table = {}

    def librosa_op(op, call, params=None, runs=20):
        table[op] = ("librosa", call, params or {}, runs)

    mel = lambda: librosa.feature.melspectrogram(y=y, sr=RATE)
    librosa_op("stft_mag", lambda: np.abs(librosa.stft(y)))
    librosa_op("mel", mel)
    librosa_op("logmel", lambda: librosa.power_to_db(mel(), ref=np.max))
    librosa_op("mfcc", lambda: librosa.feature.mfcc(y=y, sr=RATE))
    librosa_op("cqt_mag", lambda: np.abs(librosa.cqt(y, sr=RATE)))
    librosa_op("vqt_mag", lambda: np.abs(librosa.vqt(y, sr=RATE)))
    librosa_op("chroma_stft", lambda: librosa.feature.chroma_stft(y=y, sr=RATE))
    librosa_op("chroma_cqt", lambda: librosa.feature.chroma_cqt(y=y, sr=RATE, bins_per_octave=36))
    librosa_op("centroid", lambda: librosa.feature.spectral_centroid(y=y, sr=RATE))
    librosa_op("contrast", lambda: librosa.feature.spectral_contrast(y=y, sr=RATE))
    librosa_op("yin", lambda: librosa.yin(y, fmin=65.4, fmax=2093.0, sr=RATE))
    librosa_op("time_stretch", lambda: librosa.effects.time_stretch(y, rate=0.8), runs=5)
    librosa_op("pitch_shift", lambda: librosa.effects.pitch_shift(y, sr=RATE, n_steps=2.0), runs=5)
    librosa_op("onset_strength", lambda: librosa.onset.onset_strength(y=y, sr=RATE))
    librosa_op("onset_detect", lambda: librosa.onset.onset_detect(y=y, sr=RATE))
    librosa_op("tempogram", lambda: librosa.feature.tempogram(y=y, sr=RATE))
    librosa_op("fourier_tempogram", lambda: np.abs(librosa.feature.fourier_tempogram(y=y, sr=RATE)))
    librosa_op("tempogram_ratio", lambda: librosa.feature.tempogram_ratio(y=y, sr=RATE), runs=3)
    librosa_op("tempo", lambda: librosa.feature.tempo(y=y, sr=RATE))
    librosa_op("beat_track", lambda: librosa.beat.beat_track(y=y, sr=RATE))
    librosa_op("plp", lambda: librosa.beat.plp(y=y, sr=RATE))
    librosa_op("hpss", lambda: librosa.decompose.hpss(np.abs(librosa.stft(y))), runs=5)
    librosa_op("hpss_time", lambda: librosa.effects.hpss(y), runs=5)
    import compare_vectors

    for name in ("gtzan57", "bahuleyan97"):
        vector = getattr(compare_vectors, name)
        librosa_op(name, lambda vector=vector: vector(y, RATE, "constant"), {"pad_mode": "constant"}, runs=2)
    librosa_op("pyin", lambda: librosa.pyin(y, fmin=65.4, fmax=2093.0, sr=RATE), runs=2)
    for op in ("marsyas", "rp_features", "tzanetakis_cook"):
        # No peer in Python: mgr alone.
        table[op] = ("-", None, {}, 20)
    try:
        from kymatio.scattering1d.frontend.numpy_frontend import ScatteringNumPy1D
    except ImportError:
        return table
    long, short = y.astype(np.float64), y[: 10 * RATE].astype(np.float64)
    built = {}

    def scattering(x, j, q):
        key = (len(x), j, q)
        if key not in built:
            built[key] = ScatteringNumPy1D(J=j, shape=(len(x),), Q=q)
        return built[key](x)

    table["scattering1d"] = ("kymatio", lambda: scattering(long, 8, 8), {"J": 8, "Q": 8}, 3)
    table["mlfcf_scatter"] = ("kymatio", lambda: scattering(short, 10, 6), {"J": 10, "Q": 6, "length": 10 * RATE}, 5)
    return table


def time_mgr(op, path, runs, params):
    command = [TIMER, op, path, str(runs), "--params", json.dumps(params), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout.strip().splitlines()[-1])


def time_peer(call, runs):
    call()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ops", nargs="*")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--document", type=Path)
    arguments = parser.parse_args()
    if not TIMER.exists():
        sys.exit(f"{TIMER.name} is not built; see the head of this file")

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.clip
        if path is None:
            path = os.path.join(folder, "clip.wav")
            soundfile.write(path, clip(), RATE, subtype="FLOAT")
        y, rate = soundfile.read(path, dtype="float32")
        if rate != RATE or y.ndim != 1:
            sys.exit(f"{path}: needs mono at {RATE} Hz")
        table = peers(y)
        unknown = set(arguments.ops or []) - set(table)
        if unknown:
            sys.exit(f"no such op: {', '.join(sorted(unknown))}")
        lines = []
        head = ("op", "peer", "peer ms", "mgr ms", "mgr min ms", "ratio", "mgr plan ms", "mgr plan MB", "mgr peak MB")
        if arguments.markdown or arguments.document:
            lines.append("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
            print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
        else:
            print("{:<14}{:<9}{:>10}{:>10}{:>12}{:>9}{:>13}{:>13}{:>13}".format(*head), flush=True)
        for op, (peer, call, params, runs) in table.items():
            if arguments.ops and op not in arguments.ops:
                continue
            theirs, ours = [], []
            try:
                for _ in range(arguments.rounds):
                    theirs.append(time_peer(call, runs) if call else math.nan)
                    ours.append(time_mgr(op, path, 3 * runs, params))
            except RuntimeError as error:
                print(f"{op}: {error}", file=sys.stderr)
                continue
            their = 1e3 * statistics.median(theirs)
            our = 1e3 * statistics.median(o["median_s"] for o in ours)
            least = 1e3 * min(o["min_s"] for o in ours)
            build = 1e3 * statistics.median(o["build_s"] + o["prepare_s"] for o in ours)
            plan = max(o["plan_bytes"] for o in ours) / 1e6
            peak = max(o["peak_bytes"] for o in ours) / 1e6
            peer_ms, ratio = (f"{their:.1f}", f"{their / our:.1f}") if call else ("-", "-")
            cells = (op, peer, peer_ms, f"{our:.2f}", f"{least:.2f}", ratio, f"{build:.1f}", f"{plan:.1f}", f"{peak:.1f}")
            if arguments.markdown or arguments.document:
                lines.append("| " + " | ".join(cells) + " |")
                print("| " + " | ".join(cells) + " |", flush=True)
            else:
                print("{:<14}{:<9}{:>10}{:>10}{:>12}{:>9}{:>13}{:>13}{:>13}".format(*cells), flush=True)

    if arguments.document:
        write(arguments.document, arguments.rounds, lines)


def write(path, rounds, lines):
    """Puts the table between the document's marks, under what it was measured with."""
    names = ("librosa", "kymatio", "numpy", "scipy", "numba", "soxr")
    versions = []
    for name in names:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    told = f"{model}, {os.cpu_count()} cores, {platform.system()}; Rust {compiler}, Python {platform.python_version()}, {', '.join(versions)}; {rounds} rounds."
    text = path.read_text()
    before, rest = text.split("<!-- side_by_side -->", 1)
    after = rest.split("<!-- end -->", 1)[1]
    path.write_text(f"{before}<!-- side_by_side -->\n{told}\n\n" + "\n".join(lines) + f"\n<!-- end -->{after}")


if __name__ == "__main__":
    main()
