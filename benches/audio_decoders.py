"""Compares what mgr decodes with soundfile (libsndfile) and PyAV (FFmpeg), sample by sample.

    cargo build --release -p examples --no-default-features --features opus --example time_audio
    python benches/audio_decoders.py FOLDER [--markdown]

For every file of the folder: frames, and the largest difference of a sample of any channel, full scale being 1. A decoder that does not
open a file has a dash. Where FFmpeg keeps an encoder's padding that others cut, the common part at the best of a few offsets counts, and
the difference in frames is shown. Needs numpy, soundfile and PyAV (`av`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

try:
    import av
except ImportError:
    av = None

TIMER = Path(__file__).resolve().parent.parent / "target/release/examples/time_audio"
# Delays that decoders are known to keep or to cut: none, MP3's and AAC's own and those of common encoders.
SHIFTS = (0, 529, 576, 1105, 1024, 2112, 2048, 312, 1152, 2257)


def by_mgr(timer, path, folder):
    out = Path(folder) / "samples.f32"
    done = subprocess.run([timer, "dump", path, out], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().removeprefix("time_audio: ").replace(str(path), path.name)
    report = json.loads(done.stdout)
    return np.fromfile(out, dtype="<f4").reshape(-1, report["channels"]), report


def by_soundfile(path):
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)[0]
    except Exception:
        return None


def by_av(path):
    if av is None:
        return None
    scale = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0}
    blocks = []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                block = frame.to_ndarray()
                kind = frame.format.name.removesuffix("p")
                if not frame.format.is_planar:
                    block = block.reshape(-1, frame.layout.nb_channels).T
                block = block.astype(np.float64)
                if kind == "u8":
                    block -= 128
                blocks.append(block / scale.get(kind, 1.0))
    except Exception:
        if not blocks:
            return None
    return np.concatenate(blocks, axis=1).T.astype(np.float32)


def compare(ours, theirs):
    """Largest difference over the common part, and frames that the other has more."""
    if theirs is None:
        return "-", "-"
    if theirs.shape[1] != ours.shape[1]:
        return f"{theirs.shape[1]} channels", "-"
    best = None
    for shift in SHIFTS if len(theirs) != len(ours) else (0,):
        for a, b in ((ours, theirs[shift:]), (ours[shift:], theirs)):
            both = min(len(a), len(b))
            if both == 0:
                continue
            worst = float(np.abs(a[:both].astype(np.float64) - b[:both]).max())
            if best is None or worst < best[0]:
                best = (worst, shift)
    worst, shift = best
    more = len(theirs) - len(ours)
    return ("0" if worst == 0 else f"{worst:.1e}") + (f" at shift {shift}" if shift else ""), f"{more:+d}" if more else "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--timer", default=TIMER, help="the built example, where it is not in target/")
    arguments = parser.parse_args()
    head = ("file", "container, codec", "Hz", "channels", "frames", "soundfile", "frames more", "FFmpeg", "frames more")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head) if arguments.markdown else "\t".join(head))
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(arguments.folder.iterdir()):
            ours, report = by_mgr(arguments.timer, path, folder)
            if ours is None:
                cells = (path.name, f"refused: {report}", *[""] * 7)
            else:
                kind = f"{report['container']}, {report['codec']}"
                cells = (path.name, kind, report["sample_rate"], report["channels"], report["frames"])
                cells += (*compare(ours, by_soundfile(path)), *compare(ours, by_av(path)))
            cells = [str(cell) for cell in cells]
            print("| " + " | ".join(cells) + " |" if arguments.markdown else "\t".join(cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
