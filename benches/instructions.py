"""Counts the instructions of one run of each op, by callgrind: the same on a busy machine as on a quiet one.

    cargo build --release -p examples --no-default-features --example time_feature
    python benches/instructions.py CLIP.wav OP [OP ...]

Needs valgrind. A run's count is half the difference between three runs and one, so the plan and the file are not in it. CLIP.wav as for
side_by_side.py; a few seconds are enough, the count is given for each second of sound too.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TIMER = Path(__file__).resolve().parent.parent / "target/release/examples/time_feature"


def seconds(path):
    """Length of a WAV file; the wave module reads no float files, so the header is read here."""
    data = Path(path).read_bytes()
    rate = int.from_bytes(data[24:28], "little")
    per_second = int.from_bytes(data[28:32], "little")
    at = data.index(b"data")
    return int.from_bytes(data[at + 4 : at + 8], "little") / per_second if rate else 0.0


def count(op, path, runs):
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", TIMER, op, path, str(runs)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{op}: {done.stderr.strip().splitlines()[-1]}")
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    if len(sys.argv) < 3 or not TIMER.exists():
        sys.exit(__doc__)
    path = sys.argv[1]
    length = seconds(path)
    print("| op | million instructions | million for each second of sound |\n|---|---|---|")
    for op in sys.argv[2:]:
        one = (count(op, path, 3) - count(op, path, 1)) / 2e6
        print(f"| `{op}` | {one:.1f} | {one / length:.2f} |", flush=True)


if __name__ == "__main__":
    main()
