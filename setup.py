"""Compiles models/language/forward/layer.c, once for each kind of processor that its users may have.

By Zig's C compiler, which comes as a package: an installation needs none of its own, and equal
processors get equal bits. Where it fails, chainwright runs without.
"""

import os
import platform
import subprocess
import sys
import zlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = "models/language/forward/layer.c"
BUILDS = {"any": "baseline"}
if platform.machine().lower() in ("x86_64", "amd64"):
    BUILDS = {"any": "x86_64", "avx2": "x86_64_v3", "avx512": "x86_64_v4"}
OPTIONS = [
    *("-std=c11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-sanitize=undefined"),
    *("-shared", "-fPIC", "-ffreestanding", "-nostdlib", "-s"),
]
CACHES = ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")


class Build(build_ext):
    """Each extension is the same source for another processor."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        cpu = BUILDS[ext.name.rsplit("_", 1)[1]]
        checksum = f"-DSOURCE={zlib.crc32(Path(SOURCE).read_bytes())}u"
        command = [sys.executable, "-m", "ziglang", "cc", f"-mcpu={cpu}", checksum, *OPTIONS, "-o", str(target), SOURCE]
        caches = {name: str(Path(self.build_temp).absolute() / "zig") for name in CACHES}
        try:
            subprocess.run(command, check=True, env=os.environ | caches)
        except subprocess.CalledProcessError as error:
            self.warn(f"{target.name} was not compiled, sampling will be slower: {error}")


setup(
    cmdclass={"build_ext": Build},
    ext_modules=[Extension(f"models.language.forward.layer_{name}", [SOURCE], optional=True) for name in BUILDS],
)
