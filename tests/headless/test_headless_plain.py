"""`quarterdeck run` for people and shell scripts: streams, exit codes, signals, usage errors, sessions."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.contract.sources import ROOT
from tests.headless.process import Process, Start

SLOW = ("--model", "demo/slow", "write about the sea")


def test_the_answer_goes_to_stdout_and_the_rest_to_stderr(start: Start) -> None:
    process = start("run", "what is here?")
    assert process.end() == 0
    assert "notes.txt" in process.stdout
    assert process.stdout.endswith("\n")
    lines = process.stderr.splitlines()
    assert "demo/pilot" in lines[0]
    assert [line for line in lines if line.startswith("[")] == [line for line in lines if "list_files" in line]
    assert lines[-1].startswith("quarterdeck: completed: 2 turns")


def test_the_answer_streams(start: Start) -> None:
    process = start("run", *SLOW)
    process.wait_until(lambda: len(process.stdout) > 40, "text")
    assert process.popen.poll() is None
    process.signal(signal.SIGTERM)
    assert process.end() == 130


def test_what_would_ask_is_denied_without_an_approver(start: Start, folder: Path) -> None:
    process = start("run", "create new.txt with words")
    assert process.end() == 0
    assert not (folder / "new.txt").exists()
    assert "[denied] write_file new.txt" in process.stderr


def test_a_mode_can_allow_it(start: Start, folder: Path) -> None:
    assert start("run", "--approve", "accept_edits", "create new.txt with words").end() == 0
    assert (folder / "new.txt").exists()


def test_the_prompt_can_come_from_stdin(start: Start) -> None:
    process = start("run", "-", "--json")
    process.write(b"what is here?\n")
    process.close_stdin()
    assert process.end() == 0
    assert process.events[0]["input"][0]["text"] == "what is here?"


def test_a_folder_can_be_given(start: Start, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "unique-name.txt").write_text("x")
    process = start("run", "--cwd", str(other), "what is here?")
    assert process.end() == 0
    assert "unique-name.txt" in process.stdout


# Ends.


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--max-turns", "1", "what is here?"), "max_turns_exceeded"),
        (("--max-turns", "0", "what is here?"), "max_turns_exceeded"),
        (("--max-time", "1", *SLOW), "time_exceeded"),
    ],
)
def test_a_limit_ends_it_with_3(start: Start, arguments: tuple[str, ...], reason: str) -> None:
    process = start("run", "--json", *arguments)
    assert process.end() == 3
    assert process.events[-1]["reason"] == reason


def test_one_interrupt_stops_in_order(start: Start) -> None:
    process = start("run", "--json", "what is here?")
    process.wait_for("text_delta")
    process.signal(signal.SIGINT)
    assert process.end() == 130
    assert process.wait_for("stop_requested")["by"] == "signal"
    assert process.events[-1]["reason"] == "stopped"
    assert process.wait_for("model_responded")["finish_reason"] != "interrupted"


def test_a_second_interrupt_aborts(start: Start) -> None:
    process = start("run", "--json", *SLOW)
    process.wait_for("text_delta")
    process.signal(signal.SIGINT)
    process.wait_for("stop_requested")
    process.signal(signal.SIGINT)
    assert process.end() == 130
    assert process.events[-1]["reason"] == "aborted"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_aborts_and_saves(start: Start, number: signal.Signals) -> None:
    process = start("run", "--json", *SLOW)
    process.wait_for("text_delta", count=2)
    process.signal(number)
    assert process.end() == 130
    assert process.events[-1]["reason"] == "aborted"
    session = process.events[0]["session_id"]
    exported = start("sessions", "export", session)
    assert exported.end() == 0
    stored = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [event["kind"] for event in stored if event["kind"] == "run_finished"] == ["run_finished"]


def test_an_abort_kills_the_processes_of_tools(start: Start, folder: Path) -> None:
    process = start("run", "--json", "--approve", "bypass", "run sleep 600")
    pid = process.wait_for("tool_started", count=2)["pid"]
    process.signal(signal.SIGTERM)
    assert process.end() == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_receipt_of_an_abort_is_told(start: Start, folder: Path) -> None:
    process = start("run", "--approve", "bypass", "run touch started; exec sleep 600")
    process.wait_until((folder / "started").exists, "the command")
    process.signal(signal.SIGTERM)
    assert process.end() == 130
    *told, last = [line for line in process.stderr.splitlines() if line.startswith("quarterdeck: ")]
    assert last.startswith("quarterdeck: cancelled (aborted)")
    assert [line for line in told if "pid " in line and "ended with SIGTERM" in line]
    assert [line for line in told if "shell" in line and "may have had effects" in line]


def test_a_limit_of_the_file_that_asks_ends_the_run_where_nobody_answers(start: Start, folder: Path) -> None:
    process = start("run", "--json", "what is here?", QUARTERDECK_ON_LIMIT="ask", QUARTERDECK_MAX_TURNS="1")
    assert process.end() == 3
    assert process.wait_for("limit_reached")["asks"] is False
    assert process.wait_for("run_started")["config"]["on_limit"] == "end"


def test_compaction_can_be_switched_off(start: Start) -> None:
    assert start("run", "hello", "--json").wait_for("run_started")["config"]["compaction"]["at"] == 0.8
    off = start("run", "hello", "--json", "--no-compaction").wait_for("run_started")
    assert off["config"]["compaction"] is None


def test_the_configuration_is_shown_with_its_sources(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[limits]\nfirst_token_timeout = 5\n[compaction]\nkeep_turns = 2\n")
    process = start("config", "--json", QUARTERDECK_CONFIG=str(file), QUARTERDECK_ON_LIMIT="end")
    assert process.end() == 0
    values = json.loads(process.stdout)["values"]
    assert values["limits.first_token_timeout"] == {"value": 5.0, "source": "user", "where": f"{file}:2"}
    assert values["limits.on_limit"] == {"value": "end", "source": "environment", "where": "QUARTERDECK_ON_LIMIT"}
    assert values["compaction"] == {"value": "on", "source": "user", "where": f"{file}:3"}
    assert values["compaction.keep_turns"] == {"value": 2, "source": "user", "where": f"{file}:4"}
    assert values["compaction.at"]["source"] == "default"
    shown = start("config", QUARTERDECK_CONFIG=str(file), QUARTERDECK_COMPACTION="off")
    assert shown.end() == 0
    assert "environment (QUARTERDECK_COMPACTION)" in shown.stdout
    assert "compaction.at" not in shown.stdout


def test_an_interrupt_before_the_run_is_no_traceback(start: Start) -> None:
    process = start("run", "-")
    deadline = time.monotonic() + 60
    while not _reads_stdin(process.popen.pid):
        assert time.monotonic() < deadline, "the prompt was never read"
        time.sleep(0.05)
    process.signal(signal.SIGINT)
    assert process.end() == 130
    assert "Traceback" not in process.stderr


def _reads_stdin(pid: int) -> bool:
    """Whether the process sleeps in a read of a pipe; asked of Linux."""
    try:
        return "pipe" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False


def test_a_reader_who_goes_away_ends_the_run(start: Start) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "tui", "run", "--json", *SLOW],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    os.close(write_end)
    assert done.returncode == 141
    assert done.stderr == b""


def test_a_reader_who_does_not_read_does_not_hold_the_run_back(start: Start, folder: Path) -> None:
    prompt = "run yes abcdefghijklmnopqrstuvwxyz | head -c 3000000"
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "run", "--json", "--approve", "bypass", prompt],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as popen:
        assert popen.stdout is not None
        session = json.loads(popen.stdout.readline())["session_id"]

        def finished() -> bool:
            listed = start("sessions", "list", "--json")
            assert listed.end() == 0
            rows = [json.loads(line) for line in listed.stdout.splitlines()]
            return any(row["session_id"] == session and row["status"] == "completed" for row in rows)

        for _ in range(30):
            if finished():
                break
        else:
            pytest.fail("the run did not end while nobody read its output")
        rest = [json.loads(line) for line in popen.stdout]
        assert popen.wait(60) == 0
    facts = [event["seq"] for event in rest if not event["kind"].endswith("_delta")]
    assert facts == list(range(2, 2 + len(facts)))
    assert rest[-1]["kind"] == "run_finished"


# Faults of the model.


def test_a_retry_is_told_on_stderr_and_not_printed_twice(start: Start) -> None:
    process = start("run", "--model", "demo/flaky", "what is here?")
    assert process.end() == 0, process.stdout + process.stderr
    assert "Trying again in 2.0 s, as the provider asked" in process.stderr
    assert "rate limit" in process.stderr
    assert process.stdout.count("I list the working folder.") == 1


def test_a_missing_key_is_one_line_with_the_remedy(start: Start) -> None:
    process = start("run", "--model", "openai/gpt-4o-mini", "hello")
    assert process.end() == 1
    assert process.stdout == ""
    assert "OPENAI_API_KEY" in process.stderr
    assert "Traceback" not in process.stderr


# Usage and configuration.


USAGE: list[tuple[tuple[str, ...], str]] = [
    (("run",), "no prompt"),
    (("run", "  "), "the prompt is empty"),
    (("run", "-", "--control"), "stdin cannot bring both"),
    (("run", "x", "--approve", "maybe"), "invalid choice"),
    (("run", "x", "--on-limit", "raise"), "invalid choice"),
    (("run", "x", "--on-limit", "ask"), "--on-limit ask needs --control"),
    (("run", "x", "--max-turns", "many"), '--max-turns: is "many"'),
    (("run", "x", "--max-cost", "-1"), "--max-cost"),
    (("run", "x", "--cwd", "/does/not/exist"), "--cwd /does/not/exist"),
    (("run", "x", "--agent", "nobody"), "there is no agent 'nobody'"),
    (("run", "x", "--model", "no-such-model"), "no-such-model"),
    (("run", "x", "--session", "ffff"), "ffff"),
    (("run", "x", "--nonsense"), "--nonsense"),
    (("sessions", "show", "ffff"), "ffff"),
    (("sessions", "delete", "ffff"), "ffff"),
    (("trust",), "there is no .quarterdeck/config.toml"),
    (("--plain", "two", "words"), "needs quotes"),
    (("sesions",), "did you mean 'sessions'"),
    (("two", "words"), "needs quotes"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=[" ".join(case[0]) for case in USAGE])
def test_usage_errors_are_one_line_and_2(start: Start, arguments: tuple[str, ...], message: str) -> None:
    process = start(*arguments)
    process.close_stdin()
    assert process.end() == 2
    assert process.stdout == ""
    assert message in process.stderr
    assert len(process.stderr.splitlines()) == 1
    assert process.stderr.startswith("quarterdeck")


def test_a_wrong_configuration_names_its_line(start: Start, folder: Path) -> None:
    (folder / ".quarterdeck").mkdir()
    (folder / ".quarterdeck" / "config.toml").write_text("\n[limits]\nmax_turns = -1\n")
    process = start("run", "hello")
    assert process.end() == 2
    assert ".quarterdeck/config.toml:3: limits.max_turns is -1" in process.stderr
    assert start("config").end() == 2


def test_an_untrusted_project_is_told_and_ignored_until_trusted(start: Start, folder: Path) -> None:
    (folder / ".quarterdeck").mkdir()
    (folder / ".quarterdeck" / "config.toml").write_text('approve = "bypass"\n')
    process = start("run", "create new.txt with words")
    assert process.end() == 0
    assert "not trusted yet" in process.stderr
    assert "approve" in process.stderr
    assert not (folder / "new.txt").exists()

    unasked = start("trust")
    unasked.close_stdin()
    assert unasked.end() == 2
    accepted = start("trust", "--yes")
    assert accepted.end() == 0
    assert "line 1: sets the approval mode to bypass" in accepted.stdout

    assert start("run", "create new.txt with words").end() == 0
    assert (folder / "new.txt").exists()
    assert start("trust", "--revoke").end() == 0
    assert "not trusted yet" in _stderr(start("run", "hello"))


def _stderr(process: Process) -> str:
    process.end()
    return process.stderr


# Sessions.


def test_sessions_are_listed_shown_named_exported_and_deleted(start: Start, folder: Path, tmp_path: Path) -> None:
    run = start("run", "--json", "what is here?")
    assert run.end() == 0
    session = run.events[0]["session_id"]

    listed = start("sessions")
    assert listed.end() == 0
    assert session[:13] in listed.stdout
    assert "what is here?" in listed.stdout

    assert start("sessions", "rename", session[:13], "first look").end() == 0
    shown = start("sessions", "show", session)
    assert shown.end() == 0
    assert "first look" in shown.stdout
    assert "> what is here?" in shown.stdout
    assert "[ok] list_files" in shown.stdout
    assert "notes.txt" in shown.stdout

    target = tmp_path / "session.md"
    assert start("sessions", "export", session, "--format", "markdown", "-o", str(target)).end() == 0
    assert "what is here?" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert start("sessions", "export", session, "-o", str(target)).end() == 2

    assert start("sessions", "delete", session).end() == 0
    empty = start("sessions", "list", "--json")
    assert empty.end() == 0
    assert empty.stdout == ""


def test_a_session_can_be_found_by_its_text_and_folder(start: Start, tmp_path: Path) -> None:
    assert start("run", "search for hello").end() == 0
    other = tmp_path / "other"
    other.mkdir()
    assert start("run", "--cwd", str(other), "what is here?").end() == 0

    def listed(*arguments: str) -> int:
        process = start("sessions", "list", "--json", *arguments)
        assert process.end() == 0
        return len(process.stdout.splitlines())

    assert listed() == 2
    assert listed("--limit", "1") == 1
    assert listed("--here") == 1
    assert listed("search for hello") == 1
