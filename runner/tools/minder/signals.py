"""Signals by the C library: the standard module for them takes as long to load as a whole minder."""

from __future__ import annotations

import ctypes

PDEATHSIG, SUBREAPER = 1, 36
"""Options of prctl."""


class Signals:
    """set_mask: SIG_SETMASK of this machine."""

    def __init__(self, set_mask: int) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
        self._set_mask = set_mask

    def prctl(self, option: int, value: int) -> bool:
        """False where this system refuses it."""
        return self._libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0

    def call_itself(self, name: str) -> None:
        """What lists of processes show, so that ending every interpreter by its name does not end this one."""
        self._libc.prctl(15, name.encode(), 0, 0, 0)

    def restore(self, number: int) -> None:
        """The action that a program has that was started plainly."""
        self._libc.signal(number, None)

    def block_all(self) -> None:
        numbers = ctypes.create_string_buffer(128)
        self._libc.sigfillset(numbers)
        self._libc.sigprocmask(self._set_mask, numbers, None)

    def unblock_all(self) -> None:
        numbers = ctypes.create_string_buffer(128)
        self._libc.sigemptyset(numbers)
        self._libc.sigprocmask(self._set_mask, numbers, None)

    def is_pending(self, number: int) -> bool:
        numbers = ctypes.create_string_buffer(128)
        self._libc.sigpending(numbers)
        return bool(self._libc.sigismember(numbers, number))

    def wait(self, *wanted: int) -> int:
        """The next of these signals, which have to be blocked."""
        numbers, came = ctypes.create_string_buffer(128), ctypes.c_int(0)
        self._libc.sigemptyset(numbers)
        for number in wanted:
            self._libc.sigaddset(numbers, number)
        self._libc.sigwait(numbers, ctypes.byref(came))
        return came.value
