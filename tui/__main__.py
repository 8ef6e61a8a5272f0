"""The console script `quarterdeck`, also `python -m tui`."""

from __future__ import annotations

import sys

from tui.cli import main_with


def main() -> None:
    sys.exit(main_with(sys.argv[1:]))


if __name__ == "__main__":
    main()
