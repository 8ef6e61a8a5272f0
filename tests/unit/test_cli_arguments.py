"""Arguments: which command they mean, what is refused, and how an error ends the program."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from runner.errors import AuthenticationError, ConfigError, NotFoundError, StoreError
from tui import cli


@pytest.mark.parametrize(
    ("argv", "command", "rest"),
    [
        ([], "tui", []),
        (["fix the bug"], "tui", ["fix the bug"]),
        (["run", "x"], "run", ["x"]),
        (["--model", "m", "run", "x"], "run", ["--model", "m", "x"]),
        (["--model=m", "run", "x"], "run", ["--model=m", "x"]),
        (["--debug", "doctor"], "doctor", ["--debug"]),
        (["--model", "run"], "tui", ["--model", "run"]),
        (["--continue", "sessions"], "sessions", ["--continue"]),
        (["--", "run"], "tui", ["--", "run"]),
        (["hello", "run"], "tui", ["hello", "run"]),
        (["-", "run"], "tui", ["-", "run"]),
    ],
)
def test_the_first_word_that_is_no_option_decides(argv: list[str], command: str, rest: list[str]) -> None:
    assert cli.split_command(argv) == (command, rest)


@pytest.mark.parametrize("command", [name for name in cli.PARSERS if name != "tui"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main_with([command, "--help"])
    assert ended.value.code == 0
    assert f"quarterdeck {command}" in capsys.readouterr().out


def test_the_main_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main_with(["--help"])
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in cli.COMMANDS)


def test_options_are_never_guessed_from_their_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["run", "--max-c", "1", "x"]) == 2
    assert "--max-c" in capsys.readouterr().err


def test_the_session_is_either_named_or_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["--session", "x", "--continue"]) == 2
    assert "not allowed with" in capsys.readouterr().err


def _raising(error: BaseException) -> Callable[[object], NoReturn]:
    def run(_args: object) -> NoReturn:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("is wrong", where="file:3", expected="a number"), 2, "file:3: is wrong; expected a number"),
        (NotFoundError("no session has the id 'x'"), 2, "no session"),
        (StoreError("the disk is full"), 1, "the disk is full"),
        (AuthenticationError("no key", fix="Set OPENAI_API_KEY."), 2, "no key. Set OPENAI_API_KEY."),
        (ConfigError("two\nlines \x1b[31mred"), 2, "two lines \\u001b[31mred"),
        (KeyboardInterrupt(), 130, ""),
        (ValueError("odd"), 1, "internal error, ValueError: odd"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tui.commands.doctor.run", _raising(error))
    assert cli.main_with(["doctor"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == (1 if said else 0)


def test_debug_shows_where(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tui.commands.doctor.run", _raising(ConfigError("is wrong")))
    assert cli.main_with(["doctor", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setattr("tui.commands.doctor.run", _raising(ValueError("odd")))
    with pytest.raises(ValueError, match="odd"):
        cli.main_with(["doctor", "--debug"])
