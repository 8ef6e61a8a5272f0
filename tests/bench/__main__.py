"""`make bench` prints figures, as ratios where there is something to compare with; nothing passes or fails by them.

`python -m tests.bench NAME ...` runs only the named ones.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from typing import Final

BENCHES: Final = (
    "first_frame",
    "runner",
    "tokens",
    "keys",
    "transcript",
    "memory",
    "idle",
    "store",
    "sessions",
    "control",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}")
    names: list[str] = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench is called {unknown[0]!r}; there are {', '.join(BENCHES)}")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, load {load}")
    for name in names:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"tests.bench.bench_{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
