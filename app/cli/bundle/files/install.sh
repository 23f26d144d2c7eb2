#!/bin/sh
# Installs chainwright from the files beside this one, without a network.
#
#   sh install.sh FOLDER          a new virtual environment there
#   PYTHON=/path/to/python sh install.sh FOLDER
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-}
if [ "$#" -ne 1 ] || [ -z "$folder" ]; then
    echo "usage: sh install.sh FOLDER    (a new virtual environment is made there)" >&2
    exit 2
fi
if [ -e "$folder" ]; then
    echo "Error: $folder is there already; name a new folder." >&2
    exit 2
fi

wanted=$(sed -n 's/^ "python": "\(.*\)",$/\1/p' "$here/manifest.json")
python=${PYTHON:-$(command -v "python$wanted" || echo python3)}
if ! command -v "$python" > /dev/null; then
    echo "Error: there is no $python; install Python $wanted, or name it: PYTHON=/path/to/python sh install.sh FOLDER" >&2
    exit 2
fi

# Names every file that is damaged, missing or for another machine.
"$python" - "$here" << 'END'
import hashlib
import json
import sys
import sysconfig
from pathlib import Path


def refuse(message):
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(2)


here = Path(sys.argv[1])
manifest = json.loads((here / "manifest.json").read_text("utf-8"))
found = f"{sys.version_info.major}.{sys.version_info.minor}"
if found != manifest["python"]:
    refuse(f"this is Python {found}, the packages are for {manifest['python']}; name that one with PYTHON=...")
if sysconfig.get_platform() != manifest["platform"]:
    refuse(
        f"this is {sysconfig.get_platform()}, the packages are for {manifest['platform']}; "
        "make a bundle on a machine like this one."
    )
damaged = []
for line in (here / "SHA256SUMS").read_text("utf-8").splitlines():
    digest, name = line.split("  ", 1)
    try:
        content = (here / name).read_bytes()
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != digest:
        damaged.append(name)
if damaged:
    refuse(f"{', '.join(damaged)}: damaged or missing; copy the bundle again.")
END

trap 'rm -rf "$folder"' EXIT
"$python" -m venv --without-pip "$folder"
# pip installs from its own wheel, and no configuration of this machine's says where to look.
pip=$(echo "$here"/wheels/pip-*.whl)/pip
requirement=$(sed -n 's/^ "install": "\(.*\)",$/\1/p' "$here/manifest.json")
PIP_CONFIG_FILE=/dev/null "$folder/bin/python" "$pip" --isolated --disable-pip-version-check install \
    --quiet --no-index --find-links "$here/wheels" pip "$requirement"
trap - EXIT

echo "Installed in $folder. Next:"
echo "  $folder/bin/chainwright doctor"
echo "  $folder/bin/chainwright sentences 今天 公园 --samples 3"
echo "  $folder/bin/chainwright serve"
