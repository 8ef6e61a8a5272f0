"""Public doubles for testing agents and front ends without a provider: a scripted model, faults, a clock, a recorder.

None of them reads the wall clock, the network or the environment. `runner.testing.wire` checks the requests that a
server of a test receives.
"""

from runner.ids import SequentialIds
from runner.testing.clock import FakeClock
from runner.testing.faults import Fault, FaultyModel
from runner.testing.gate import Gate
from runner.testing.invariants import check_events, check_history
from runner.testing.recorder import Recorder
from runner.testing.requests import InvalidRequestAssertion, RequestCheck, expecting_invalid, invalid_requests
from runner.testing.scripted import (
    Pause,
    ScriptedModel,
    StreamRecord,
    calls,
    finish,
    hold,
    pause,
    reasoning,
    refusal,
    reply,
    text,
    usage,
)

__all__ = [
    "FakeClock",
    "Fault",
    "FaultyModel",
    "Gate",
    "InvalidRequestAssertion",
    "Pause",
    "Recorder",
    "RequestCheck",
    "ScriptedModel",
    "SequentialIds",
    "StreamRecord",
    "calls",
    "check_events",
    "check_history",
    "expecting_invalid",
    "finish",
    "hold",
    "invalid_requests",
    "pause",
    "reasoning",
    "refusal",
    "reply",
    "text",
    "usage",
]
