"""Models that are built in, offline, free and deterministic, for trying Quarterdeck and for tests.

They are not intelligent and say so. See models.py for what each of them does.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from runner.clock import Clock, SystemClock
from runner.errors import ConfigError
from runner.models.base import Model
from runner.models.demo.models import FlakyModel, PilotModel, SlowModel
from runner.models.demo.voice import Pace

_KINDS: dict[str, type[PilotModel]] = {"demo/pilot": PilotModel, "demo/slow": SlowModel, "demo/flaky": FlakyModel}

DEMO_NAMES: tuple[str, ...] = tuple(_KINDS)
SPEED_VARIABLE = "QUARTERDECK_DEMO_SPEED"

__all__ = ["DEMO_NAMES", "SPEED_VARIABLE", "demo_model"]


def demo_model(
    name: str, *, pace: float | None = None, clock: Clock | None = None, environ: Mapping[str, str] | None = None
) -> Model:
    """The demo model of this name.

    pace: 1 is a readable pace, 2 twice as fast, 0 does not wait at all; None takes QUARTERDECK_DEMO_SPEED, else 1.
    Without a clock of its own, a model of one name and pace is made once, so that demo/flaky counts its attempts
    however often it is resolved. Raises ConfigError.
    """
    if name not in _KINDS:
        close = get_close_matches(name, DEMO_NAMES, 1, 0.5)
        hint = f", for example {close[0]!r}" if close else ""
        raise ConfigError(f"there is no demo model {name!r}", expected=f"one of {', '.join(DEMO_NAMES)}{hint}")
    speed = _speed(os.environ if environ is None else environ) if pace is None else pace
    if not math.isfinite(speed) or speed < 0:
        raise ConfigError(f"is {speed}", where="the pace of a demo model", expected="0 or more")
    return _shared(name, speed) if clock is None else _KINDS[name](name, Pace(speed=speed), clock)


@cache
def _shared(name: str, speed: float) -> Model:
    return _KINDS[name](name, Pace(speed=speed), SystemClock())


def _speed(environ: Mapping[str, str]) -> float:
    text = environ.get(SPEED_VARIABLE, "").strip()
    if not text:
        return 1.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not math.isfinite(speed) or speed < 0:
        raise ConfigError(
            f"is {text!r}", where=SPEED_VARIABLE, expected="a number: 1 as it is, 2 twice as fast, 0 no waits"
        )
    return speed
