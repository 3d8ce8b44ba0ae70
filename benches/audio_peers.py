"""Times reading of audio files by soundfile, by librosa and by mgr in turn, and resampling by soxr and by mgr.

    cargo build --release -p examples --no-default-features --features opus --example time_audio
    python benches/audio_peers.py [--rounds 9] [--markdown] [--folder FOLDER]

30 s of stereo at 44.1 kHz are computed and written as WAV (16 bits), FLAC, Ogg Vorbis and MP3 with libsndfile. Per format: decoding and
mixing to mono, and the same with resampling to 22.05 kHz. The peers are soundfile (libsndfile, which decodes MP3 with mpg123) with the
mean over the channels, and librosa.load with soxr_hq. One thread on both sides. A round is one measurement of each, so that all see the
same phases of a shared machine; medians over the rounds are printed, minima beside them. --folder times all files of a folder with one
and two threads. Needs soundfile, librosa and soxr.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr

RATE, TARGET = 44_100, 22_050
FORMATS = {"WAV": ("wav", "PCM_16"), "FLAC": ("flac", "PCM_16"), "OGG": ("ogg", "VORBIS"), "MP3": ("mp3", "MPEG_LAYER_III")}
TIMER = Path(__file__).resolve().parent.parent / "target/release/examples/time_audio"


def clip():
    """Chords with noise and clicks, not quite the same on both sides."""
    rng = np.random.default_rng(7)
    t = np.arange(30 * RATE) / RATE
    out = np.zeros((len(t), 2))
    for start in np.arange(0, 30, 0.5):
        root = rng.choice([110.0, 130.81, 146.83, 164.81, 196.0])
        span = (t >= start) & (t < start + 0.5)
        local = t[span] - start
        for harmonic in range(1, 24):
            for interval in (1.0, 1.26, 1.5):
                tone = np.sin(2 * np.pi * root * interval * harmonic * local) * np.exp(-4 * local) / harmonic
                out[span] += tone[:, None] * (0.5 + 0.5 * rng.random(2))
        first = int(start * RATE)
        out[first : first + 400] += rng.standard_normal((400, 2))
    out += 0.01 * rng.standard_normal(out.shape)
    return 0.7 * out / np.abs(out).max()


def timer(*arguments):
    done = subprocess.run([timer.path, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)


def time_call(call, runs):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), min(seconds)


def table(rows, markdown):
    head = ("what", "format", "peer", "peer ms", "peer min", "mgr ms", "mgr min", "peer / mgr", "of minima")
    if markdown:
        print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    else:
        print("".join(f"{cell:<17}" if index < 3 else f"{cell:>11}" for index, cell in enumerate(head)))
    for what, name, peer, theirs, ours in rows:
        their, our = (1e3 * statistics.median(m for m, _ in side) for side in (theirs, ours))
        their_least, our_least = (1e3 * min(least for _, least in side) for side in (theirs, ours))
        numbers = [f"{x:.2f}" for x in (their, their_least, our, our_least, their / our, their_least / our_least)]
        cells = [what, name, peer, *numbers]
        if markdown:
            print("| " + " | ".join(cells) + " |")
        else:
            print("".join(f"{cell:<17}" if index < 3 else f"{cell:>11}" for index, cell in enumerate(cells)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--folder")
    parser.add_argument("--timer", default=TIMER, help="the built example, where it is not in target/")
    arguments = parser.parse_args()
    timer.path = arguments.timer
    if not Path(timer.path).exists():
        sys.exit("time_audio is not built; see the head of this file")
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")

    measured = {}

    def add(key, theirs, ours):
        pair = measured.setdefault(key, ([], []))
        pair[0].append(theirs)
        pair[1].append(ours)

    runs = arguments.runs
    with tempfile.TemporaryDirectory() as folder:
        samples = clip()
        mono = samples.mean(axis=1).astype(np.float32)
        files = {}
        for name, (suffix, subtype) in FORMATS.items():
            files[name] = os.path.join(folder, f"clip.{suffix}")
            # libsndfile's Vorbis encoder overflows its stack on one long write.
            with soundfile.SoundFile(files[name], "w", RATE, 2, subtype) as file:
                for start in range(0, len(samples), RATE):
                    file.write(samples[start : start + RATE])
        warm = files["WAV"]
        librosa.load(warm, sr=TARGET)
        for _ in range(arguments.rounds):
            for name, path in files.items():
                ours = timer("file", path, runs, "--sample-rate", TARGET)
                of = lambda key: (ours[key]["median_s"], ours[key]["min_s"])
                decode = time_call(lambda: soundfile.read(path, dtype="float32")[0].mean(axis=1), runs)
                bare = time_call(lambda: soundfile.read(path, dtype="float32"), runs)
                both = time_call(
                    lambda: soxr.resample(soundfile.read(path, dtype="float32")[0].mean(axis=1), RATE, TARGET, "HQ"), runs
                )
                loaded = time_call(lambda: librosa.load(path, sr=TARGET, mono=True), runs)
                add(("decode", name, "soundfile, stereo"), bare, of("decode"))
                add(("decode + mix", name, "soundfile"), decode, of("decode"))
                add(("+ resample", name, "soundfile, soxr"), both, of("decode_resample"))
                add(("+ resample", name, "librosa.load"), loaded, of("decode_resample"))
                if name == "WAV":
                    for quality, key in (("VHQ", "resample_high"), ("HQ", "resample_soxr_hq")):
                        add(
                            ("resample", key.removeprefix("resample_"), f"soxr {quality}"),
                            time_call(lambda: soxr.resample(mono, RATE, TARGET, quality), runs),
                            of(key),
                        )
    rows = sorted(((*key, *pair) for key, pair in measured.items()), key=lambda row: (row[2], row[0]))
    table(rows, arguments.markdown)
    if arguments.folder:
        for threads in (1, 2, 1, 2):
            result = timer("folder", arguments.folder, threads, "--repeat", 3, "--sample-rate", TARGET)
            speed = result["audio_s"] / result["wall_s"]
            print(
                f"folder, {threads} thread(s): {result['files']} files ({result['refused']} refused), {result['wall_s']:.2f} s, "
                f"{speed:.0f} times as fast as it sounds, peak {result['peak_bytes'] / 1e6:.1f} MB"
            )
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
