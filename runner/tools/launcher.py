"""Children that die with the program: a small program that asks the kernel for it, then becomes the command.

Code between fork and exec of a program with threads can deadlock, so the request is made after exec, by a launcher.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

# The signal is bound to the thread that forked: it must be one that lives as long as the program.
# getppid is asked after prctl, because a parent that died in between sends no signal any more.
# Python ignores SIGPIPE, and sets LC_CTYPE in the C locale; the command gets both as they were.
_LAUNCHER = """\
import ctypes, os, sys
parent, *restored = map(int, sys.argv[1].split(","))
libc = ctypes.CDLL(None)
libc.prctl(1, 9, 0, 0, 0)
if os.getppid() != parent:
    os._exit(137)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
for number in restored:
    libc.signal(number, None)
os.environ.pop("LC_CTYPE", None)
if sys.argv[2]:
    os.environ["LC_CTYPE"] = sys.argv[2][1:]
try:
    os.execv(sys.argv[3], sys.argv[3:])
except OSError as error:
    os.write(2, f"{sys.argv[3]}: {error.strerror}\\n".encode())
os._exit(126)
"""


def supports_parent_death() -> bool:
    """Linux only, and only where the interpreter can start a second one of itself."""
    return sys.platform == "linux" and bool(sys.executable) and not getattr(sys, "frozen", False)


def with_parent_death(argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """argv (argv[0] an absolute path) wrapped so that it gets SIGKILL when the calling thread's process dies.

    Costs one start of the interpreter without its site, about 10 ms. Elsewhere than on Linux: argv itself.
    """
    if not supports_parent_death():
        return list(argv)
    restored = [int(signal.SIGPIPE), int(signal.SIGXFSZ)]
    numbers = ",".join(map(str, [os.getpid(), *restored]))
    locale = f"={env['LC_CTYPE']}" if "LC_CTYPE" in env else ""
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, numbers, locale, *argv]
