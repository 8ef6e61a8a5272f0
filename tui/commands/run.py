"""`quarterdeck run`: one prompt, without the screen."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from tui.cli import UsageError, tell
from tui.commands.common import load, report_withheld
from tui.settings import Settings

if TYPE_CHECKING:
    from runner.config import RunConfig


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
    registry.resolve(name)

    from runner.api import Runner
    from runner.clock import SystemClock
    from runner.policy.grants import GrantFile
    from runner.store import Store
    from runner.store.paths import data_dir
    from tui.headless import Headless, drive

    with closing(Store.open()) as store:
        store.recover(SystemClock())
        session_id = store.session(args.session).session_id if args.session else None
        if not args.json and settings.source("model").kind == "default":
            tell(f"using {name}: {why}")
        job = Headless(
            runner=Runner(store=store, models=registry, grants=GrantFile(data_dir() / "grants.json")),
            agent=settings.agent(),
            prompt=prompt,
            config=_config(settings, session_id, control=args.control),
            json=args.json,
            control=args.control,
        )
        return asyncio.run(drive(job))


def _config(settings: Settings, session_id: str | None, *, control: bool) -> RunConfig:
    # A file may say "ask" for the screen; where nobody can send an answer, asking would wait for ever.
    nobody: dict[str, Any] = {} if control else {"on_limit": "end"}
    return settings.run_config(session_id=session_id, approver=control, **nobody)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _prompt(args: argparse.Namespace) -> str:
    prompt: str | None = args.prompt
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
