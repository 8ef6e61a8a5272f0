"""What the next run asks for: the model, and the effort and temperature that the person chose. Knows no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from runner.models.fitting import DEFAULT
from runner.state import RunState
from runner.state.settings import Asked

Temperature: TypeAlias = float | Literal["default"] | None
"""None: not changed; "default": as configured."""


@dataclass(slots=True)
class NextRequest:
    """effort, temperature: None = as configured. fresh: they were changed since the last run began. recovered: the
    session that the death of the program cut off last, found at the start; it can be taken up.
    """

    agent: str = ""
    recovered: str = ""
    model: str = ""
    why: str = ""
    effort: str | None = None
    temperature: float | None = None
    fresh: bool = False

    def change(self, model: str, effort: str | None, temperature: Temperature) -> str:
        """Take a change over and say in words what is new, "" where nothing is."""
        said: list[str] = []
        if model and model != self.model:
            self.model, self.why = model, "chosen by you"
            said.append(model)
        if effort is not None:
            self.effort, self.fresh = None if effort == DEFAULT else effort, True
            said.append(f"effort {effort}")
        if temperature is not None:
            self.temperature, self.fresh = temperature if isinstance(temperature, float | int) else None, True
            said.append(f"temperature {temperature if isinstance(temperature, str) else f'{temperature:g}'}")
        return ", ".join(said)

    def settings(self) -> dict[str, str | float]:
        """For a run's ModelSettings; what is not here is as configured."""
        found: dict[str, str | float] = {}
        if self.effort is not None:
            found["reasoning_effort"] = self.effort
        if self.temperature is not None:
            found["temperature"] = self.temperature
        return found

    def asked(self, run: RunState | None) -> Asked:
        """What is asked for now: by the last run, unless it has ended and something else was chosen since."""
        if run is not None and not (run.finished and self.fresh):
            return run.asked
        return Asked(effort=self.effort, temperature=self.temperature)

    def opened(self, model: str, run: RunState | None) -> None:
        """A stored session is shown: it goes on as it was."""
        self.model, self.why = model, "the model of this session"
        if run is not None:
            self.effort, self.temperature, self.fresh = run.asked.effort, run.asked.temperature, False
