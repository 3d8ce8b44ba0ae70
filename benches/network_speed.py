"""Steps of training and inference of the zoo beside the same networks in PyTorch, in turn, as a table.

For every case the two programs run one after the other in as many rounds as asked for, and the shortest time of each counts: a machine
that does other work disturbs both alike. The PyTorch modules are those of crates/mgr-models/tests/fixtures/zoo/networks.py.

Run: cargo build --release -p mgr-models --example zoo_speed
     python network_speed.py target/release/examples/zoo_speed ROUNDS THREADS SECONDS [CASE ...]      (needs torch and numpy)
"""

import json
import pathlib
import subprocess
import sys

ZOO = pathlib.Path(__file__).parent.parent / "crates/mgr-models/tests/fixtures/zoo"


def ours(program, threads, seconds, case):
    output = subprocess.run([program, threads, seconds, case], check=True, capture_output=True, text=True).stdout
    cells = [cell.strip() for cell in output.splitlines()[-1].split("|")]
    # | case | batch | step | peer | ratio | inference | peer | ratio | clips |
    return {"batch": int(cells[2]), "step": float(cells[3]) / 1e3, "inference": float(cells[6]) / 1e3}


def theirs(threads, seconds, case):
    output = subprocess.run(
        [sys.executable, str(ZOO / "speed.py"), threads, seconds, case], check=True, capture_output=True, text=True
    ).stdout
    return json.loads(output)[case]


def main():
    program, rounds, threads, seconds, *cases = sys.argv[1:]
    if not cases:
        cases = [case["case"] for case in json.loads((ZOO / "cases.json").read_text()) if case["speed"]]
    print("| network | batch | step here, ms | PyTorch | ratio | inference here, ms | PyTorch | ratio | clips a second |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for case in cases:
        best = [{"step": float("inf"), "inference": float("inf")} for _ in range(2)]
        for _ in range(int(rounds)):
            for one, times in zip(best, (ours(program, threads, seconds, case), theirs(threads, seconds, case))):
                batch = times["batch"]
                for part in one:
                    one[part] = min(one[part], times[part])
        here, there = best
        cells = [f"`{case}`", str(batch)]
        for part in ("step", "inference"):
            ratio = here[part] / there[part]
            cells += [f"{1e3 * here[part]:.1f}", f"{1e3 * there[part]:.1f}", f"{ratio:.2f}"]
        print("| " + " | ".join(cells + [f"{batch / here['inference']:.1f}"]) + " |", flush=True)


main()
