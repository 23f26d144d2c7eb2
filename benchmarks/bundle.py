"""A bundle of everything, made here and installed and used where there is no network.

    python -m benchmarks.bundle [--bundle FILE.tar] [--work FOLDER] [--output benchmarks/bundle.json]

Needs Linux with network namespaces (root, or users' own ones) and an index of packages to make the bundle from. The
trial knows nothing of this installation: its environment holds a path and an empty home alone. It looks whether
anything outside can be reached, installs, asks the doctor, has sentences written, starts the service, asks it, and
stops it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, write

TRIAL = """
set -eu
ip link set lo up
if "$PYTHON" -c 'import socket; socket.create_connection(("192.0.2.1", 80), 3)' 2> /dev/null; then
    echo "there is a network" >&2; exit 1
fi
now() { date +%s.%N; }
lap() { echo "SECONDS $1 $(echo "$(now) $began" | awk '{print $1 - $2}')"; began=$(now); }
began=$(now)
sh "$BUNDLE/install.sh" "$HOME/venv"; lap install
PATH=$HOME/venv/bin:$PATH
chainwright doctor; lap doctor
chainwright sentences 今天 公园 --samples 3 --seed 7 --json > "$HOME/first.json"; lap first_sentences_and_conversion
chainwright sentences 今天 公园 --samples 3 --seed 7 --json > "$HOME/again.json"; lap sentences_again
chainwright serve --port "$PORT" > "$HOME/serve.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
until curl -sf http://127.0.0.1:$PORT/ready > /dev/null; do kill -0 $server; sleep 0.2; done; lap ready
curl -sf http://127.0.0.1:$PORT/v1/sentences -H 'content-type: application/json' \
    -d '{"keywords": ["今天", "公园"], "samples": 3, "seed": 7}' > "$HOME/served.json"; lap served_sentences
curl -sf http://127.0.0.1:$PORT/docs > /dev/null
curl -sf http://127.0.0.1:$PORT/studio > /dev/null
"""


def try_out(bundle: Path, work: Path) -> dict[str, Any]:
    """Install and use a bundle in a network namespace of its own: seconds of each step, and what was written.

    Raises:
        SystemExit: a step failed.
    """
    home = work / "home"
    home.mkdir(parents=True)
    with tarfile.open(bundle) as opened:
        opened.extractall(work, filter="data")
    (folder,) = (each for each in work.iterdir() if (each / "install.sh").is_file())
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "BUNDLE": str(folder), "LANG": "C.UTF-8"}
    # Any port will do: no other process is in the namespace.
    environment |= {"PYTHON": str(Path(sys.executable).resolve()), "PORT": "8000"}
    alone = ["unshare", "--map-root-user", "--net", "sh", "-c", TRIAL]
    done = subprocess.run(alone, cwd="/", env=environment, stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    if done.returncode:
        sys.exit(f"the trial failed with exit status {done.returncode}; see {home}")
    laps = dict(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("SECONDS "))
    written = {name: json.loads((home / f"{name}.json").read_text("utf-8")) for name in ("first", "again", "served")}
    texts = {name: [sentence["text"] for sentence in answer["sentences"]] for name, answer in written.items()}
    if not texts["first"] == texts["again"] == texts["served"] or not all("今天" in text for text in texts["first"]):
        sys.exit(f"the same seed gave {texts}")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return {
        "python": manifest["python"],
        "platform": manifest["platform"],
        "packages": len(manifest["packages"]),
        "without_licence": [each["name"] for each in manifest["packages"] if each["licence"] == "not told"],
        "seconds": {name: round(float(seconds), 1) for name, seconds in laps.items()},
        "installed_megabytes": _megabytes(home / "venv"),
        "sentences": texts["first"],
    }


def _megabytes(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) // 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="one that is made already")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp/chainwright-bundle"), help="a new folder, kept")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/bundle.json"))
    options = parser.parse_args()
    options.work.mkdir(parents=True)
    result: dict[str, Any] = {"machine": machine()}
    bundle = options.bundle or options.work / "chainwright-offline.tar"
    if options.bundle is None:
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "app.cli.entry", "bundle", str(bundle)], check=True)
        result["seconds_to_make"] = round(time.monotonic() - began, 1)
    result["megabytes"] = bundle.stat().st_size // 1_000_000
    result |= try_out(bundle, options.work / "trial")
    write(options.output, result)


if __name__ == "__main__":
    main()
