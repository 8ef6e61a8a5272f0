"""`quarterdeck run`: one prompt, without the screen."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from tui.cli import UsageError, tell
from tui.commands.common import load, report_withheld
from tui.settings import Settings

if TYPE_CHECKING:
    from runner.config import RunConfig
    from runner.mcp.state import ServerState
    from runner.models.base import ModelInfo, ModelSettings
    from runner.store import Store


def run(args: argparse.Namespace) -> int:
    # Until the run can be aborted in order, SIGTERM ends the program as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    prompt = _prompt(args)
    if args.on_limit == "ask" and not args.control:
        raise UsageError("quarterdeck run: --on-limit ask needs --control, because somebody has to answer")
    settings = load(
        args,
        {
            "limits.max_turns": args.max_turns,
            "limits.max_cost_usd": args.max_cost,
            "limits.max_time": args.max_time,
            "limits.on_limit": args.on_limit,
            "compaction": "off" if args.no_compaction else None,
        },
    )
    report_withheld(settings)
    name, why = settings.chosen_model()
    registry = settings.registry()
    asked = _asked(args, registry.resolve(name).info)

    from runner.clock import SystemClock
    from runner.store import Store
    from runner.store.paths import data_dir
    from tui.engine_parts.services import UNATTENDED_WAIT, Services
    from tui.headless import Headless, drive

    with closing(Store.open()) as store:
        recovered = store.recover(SystemClock())
        session_id = store.session(args.session).session_id if args.session else None
        if args.resume:
            prompt = _resumed(store, session_id)
        if not args.json and settings.source("model").kind == "default":
            tell(f"using {name}: {why}")
        failures = _Failures()
        services = Services(
            settings, data_dir(), on_servers=lambda: failures.look(services.servers), prepare=UNATTENDED_WAIT
        )
        services.recover([run.run_id for run in recovered])
        job = Headless(
            runner=services.runner(store),
            agent=services.equipped(settings.agent()),
            prompt=prompt,
            config=_config(settings, session_id, asked, control=args.control),
            json=args.json,
            control=args.control,
            services=services,
        )
        return asyncio.run(drive(job))


def _resumed(store: Store, session_id: str | None) -> str:
    """What to tell the model of the run that was cut off."""
    from runner.review.resume import resume_message

    text = "" if session_id is None else resume_message(store.runs(session_id))
    if not text:
        raise UsageError("quarterdeck run: --resume: the session's last run came to its end; give a prompt instead")
    return text


class _Failures:
    """Says of each server that cannot be used why, once for each time that it fails."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def look(self, servers: Sequence[ServerState]) -> None:
        failed = {server.name: server.problem for server in servers if server.phase == "failed"}
        for name in failed.keys() - self._failed.keys():
            tell(f"the server {name} cannot be used: {failed[name]}")
        self._failed = failed


def _config(settings: Settings, session_id: str | None, asked: ModelSettings, *, control: bool) -> RunConfig:
    # A file may say "ask" for the screen; where nobody can send an answer, asking would wait for ever.
    nobody: dict[str, Any] = {} if control else {"on_limit": "end"}
    return settings.run_config(session_id=session_id, approver=control, model_settings=asked, **nobody)


def _asked(args: argparse.Namespace, info: ModelInfo) -> ModelSettings:
    """The effort and the temperature of the command line."""
    from runner.models.base import ModelSettings
    from runner.models.fitting import DEFAULT, effort_problem, read_temperature

    effort: str | None = args.effort
    problem = effort_problem(effort, info) if effort is not None else ""
    if problem:
        raise UsageError(f"quarterdeck run: --effort: {problem}")
    try:
        temperature = None if args.temperature is None else read_temperature(args.temperature)
    except ValueError as error:
        raise UsageError(f"quarterdeck run: --temperature: {error}") from error
    return ModelSettings(reasoning_effort=None if effort == DEFAULT else effort, temperature=temperature)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _prompt(args: argparse.Namespace) -> str:
    prompt: str | None = args.prompt
    if args.resume:
        if prompt is not None or not args.session:
            raise UsageError("quarterdeck run: --resume goes on in a session: give --session ID, and no prompt")
        return ""
    if prompt is None:
        raise UsageError("quarterdeck run: there is no prompt; give one, or - to read it from stdin")
    if prompt != "-":
        if not prompt.strip():
            raise UsageError("quarterdeck run: the prompt is empty")
        return prompt
    if args.control:
        raise UsageError("quarterdeck run: stdin cannot bring both the prompt and --control commands; give the prompt")
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("quarterdeck run: the prompt on stdin is not UTF-8 text") from error
    if not text.strip():
        raise UsageError("quarterdeck run: the prompt on stdin is empty")
    return text.rstrip("\n")
