"""A change of model, reasoning effort or temperature while the run goes on: checked when it is asked for, taken before
the next request."""

from __future__ import annotations

from dataclasses import replace

from runner.control.commands import SetModel
from runner.errors import CommandError, ConfigError
from runner.events import LeftOut, SettingsChanged, SettingsLeftOut
from runner.loop.core import RunCore
from runner.models.base import Model, ModelSettings
from runner.models.fitting import DEFAULT, effort_problem, merged, temperature_problem


def check_switch(core: RunCore, command: SetModel) -> None:
    """Raises CommandError where it cannot be done; the effort has to be one of the model's that it will be used for."""
    if not command.model and command.effort is None and command.temperature is None:
        raise CommandError("set_model names no model, no effort and no temperature")
    name = command.model or core.inbox.requests.model
    try:
        info = core.models.resolve(name).info if name else core.model.info
    except ConfigError as error:
        raise CommandError(str(error)) from error
    problem = effort_problem(command.effort, info) if command.effort is not None else ""
    if not problem and isinstance(command.temperature, float | int):
        problem = temperature_problem(command.temperature)
    if problem:
        raise CommandError(problem)


def settings_of(core: RunCore) -> ModelSettings:
    """The run's settings where set, else the agent's."""
    return merged(core.agent.model_settings, core.config.model_settings)


def take_settings(core: RunCore) -> None:
    """Make a change of effort or temperature count from here on. "default" leaves it to the agent's own settings."""
    requests = core.inbox.requests
    if requests.effort is None and requests.temperature is None:
        return
    old, own = settings_of(core), core.config.model_settings
    if requests.effort is not None:
        own = replace(own, reasoning_effort=None if requests.effort == DEFAULT else requests.effort)
    if requests.temperature is not None:
        taken = None if isinstance(requests.temperature, str) else float(requests.temperature)
        own = replace(own, temperature=taken)
    requests.effort = requests.temperature = None
    core.config = replace(core.config, model_settings=own)
    new = settings_of(core)
    if (new.reasoning_effort, new.temperature) != (old.reasoning_effort, old.temperature):
        core.told_left_out = None
        core.emitter.fact(
            SettingsChanged(
                old_effort=old.reasoning_effort,
                effort=new.reasoning_effort,
                old_temperature=old.temperature,
                temperature=new.temperature,
            )
        )


def tell_left_out(core: RunCore, model: Model, missing: tuple[LeftOut, ...]) -> None:
    """Say, once, which settings a request is sent without."""
    told = (model.info.name, missing)
    if core.told_left_out != told:
        core.told_left_out = told
        core.emitter.fact(SettingsLeftOut(model=model.info.name, left_out=missing))
