"""Line mode on pipes: lines one after the other, answers only when they were asked for, and the exit codes."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from runner.store import Store
from tests.line_mode.conftest import OpenPipes
from tests.line_mode.terminal import PATIENCE, environ_of
from tests.processes.support import no_trace_of, running, sleeper

ALLOW = "allow write_file?"


def test_lines_follow_each_other_and_what_came_early_answers_nothing(pipes: OpenPipes, folder: Path) -> None:
    process = pipes("--model", "demo/pilot")
    process.send("what is here", 'create a.txt with "hi"', "allow", "/cost")
    code, error = process.end()
    assert code == 0
    (line,) = error.splitlines()
    assert line.startswith("quarterdeck: standard input is not a terminal")
    assert "line mode" in line
    out = process.text
    assert out.index("[ok] list_files") < out.index("[denied] write_file") < out.index("tokens in (")
    assert out.count("quarterdeck: completed") == 3
    assert not (folder / "a.txt").exists()
    assert "\x1b" not in out


def test_an_answer_that_was_asked_for_counts(pipes: OpenPipes, folder: Path) -> None:
    process = pipes()
    process.send('create a.txt with "hi"')
    process.until(ALLOW)
    process.send("", "what?", "a")
    process.until("completed")
    assert (folder / "a.txt").exists()
    assert process.text.count("that is no answer") == 1
    process.send('create b.txt with "hi"')
    process.until(ALLOW, times=4)
    process.send("deny: not now")
    process.until("completed", times=2)
    assert not (folder / "b.txt").exists()
    process.send('create c.txt with "hi"')
    process.until(ALLOW, times=5)
    # The end of the input: nobody can answer any more.
    assert process.end()[0] == 0
    assert process.text.count("[denied] write_file") == 2
    assert not (folder / "c.txt").exists()


def test_stop_and_abort(pipes: OpenPipes, folder: Path) -> None:
    process = pipes()
    process.send("run `touch made`")
    process.until("allow shell?")
    process.send("/stop")
    process.until("cancelled (stopped)")
    assert not (folder / "made").exists()
    process.send("run `sleep 60`")
    process.until("allow shell?", times=3)
    process.send("run")
    process.until("[running] shell")
    process.process.send_signal(signal.SIGINT)
    process.until("Stop requested")
    process.send("/abort")
    process.until("cancelled (aborted)")
    code, _ = process.end()
    assert code == 130


def test_a_limit_is_asked_about(pipes: OpenPipes) -> None:
    process = pipes()
    process.send("/limit turns 1", "what is here")
    process.until("what now?")
    assert "The turn limit is reached: 1 of 1 turns" in process.text
    process.send("yes", "raise much", "raise 5")
    process.until("completed")
    assert process.text.count("what now?") == 3
    assert "that is no answer" in process.text
    process.send("what is here")
    process.until("what now?", times=4)
    process.send("stop")
    assert process.end()[0] == 130


def test_a_signal_ends_it_and_what_runs(pipes: OpenPipes) -> None:
    command = sleeper()
    with no_trace_of(command):
        process = pipes("--plain", f"run `{command}`")
        process.until("allow shell?")
        process.send("run")
        process.until("[running] shell")
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(PATIENCE) == 143
        assert running(command) == []
    with closing(Store.open()) as store:
        session = store.sessions(limit=1)[0]
        assert (session.status, session.live) == ("cancelled", False)


def test_a_file_is_read_to_its_end(folder: Path) -> None:
    (folder / "said.txt").write_text("thanks\n")
    with open(folder / "said.txt", "rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "--plain"],
            cwd=folder,
            env=environ_of(),
            stdin=file,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "quarterdeck: completed" in done.stdout


def test_a_model_that_cannot_be_used_is_a_wrong_use(pipes: OpenPipes) -> None:
    process = pipes("--plain", "--model", "nowhere/at-all", "hello")
    code, _ = process.end()
    assert code == 2
    assert "not started" in process.text


def test_a_reader_that_is_gone_ends_it(pipes: OpenPipes) -> None:
    process = pipes()
    assert process.process.stdout is not None
    process.process.stdout.close()
    process.send("what is here")
    assert process.process.wait(PATIENCE) == 141
