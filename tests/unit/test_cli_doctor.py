"""The doctor and the list of models: findings, remedies, and real answers of real servers on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tui import cli
from tui.commands.doctor_system import judge_litellm
from tui.commands.findings import Finding
from tui.local_servers import Server, is_loopback, local_servers, probe


@contextmanager
def serving(body: bytes, status: int = 200) -> Generator[tuple[str, list[str]]]:
    """A server on loopback that answers every GET so; its /v1 address, and the paths that were asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands look at the folder they are started in, and --cwd changes it."""
    monkeypatch.chdir(tmp_path)


MODELS = json.dumps({"data": [{"id": "qwen"}, {"id": "llama"}, {"no": "id"}, 7]}).encode()


def test_a_model_server_says_what_it_has() -> None:
    with serving(MODELS) as (base, asked):
        [answer] = probe([Server(title="lab", base=base, prefix="lab/")])
    assert answer.models == ("qwen", "llama")
    assert answer.problem == ""
    assert asked == ["/v1/models"]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"<html>", 200, "does not answer like a model server"),
        (b"[]", 200, "lists no models"),
        (b'{"data": {}}', 200, "lists no models"),
        (b"", 404, "answers 404"),
    ],
)
def test_another_server_on_that_port_is_told_apart(body: bytes, status: int, problem: str) -> None:
    with serving(body, status) as (base, _):
        [answer] = probe([Server(title="lab", base=base)])
    assert problem in answer.problem
    assert answer.models == ()


def test_where_nothing_listens_there_is_no_answer() -> None:
    with serving(b"") as (base, _):
        pass
    assert probe([Server(title="lab", base=base)]) == []


@pytest.mark.parametrize(
    ("base", "here"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8080", True),
        ("http://127.1.2.3", True),
        ("http://127.evil.example/v1", False),
        ("http://10.0.0.1/v1", False),
        ("https://api.openai.com/v1", False),
        ("nonsense", False),
    ],
)
def test_only_this_machine_is_asked(base: str, here: bool) -> None:
    assert is_loopback(base) is here
    servers = local_servers({}, {"mine": base})
    assert any(server.base == base for server in servers) is here


def test_an_address_in_the_environment_elsewhere_is_not_asked() -> None:
    titles = {server.title for server in local_servers({"OLLAMA_HOST": "gpu.example:11434"}, {})}
    assert "ollama" not in titles
    assert "ollama" in {server.title for server in local_servers({"OLLAMA_HOST": "127.0.0.1:999"}, {})}


@pytest.mark.parametrize(
    ("version", "has_mcp", "level", "fix"),
    [
        ("1.109.1", True, "ok", ""),
        ("1.106.3", False, "ok", ""),
        ("1.106.2", True, "ok", ""),
        ("1.106.2", False, "broken", "mcp"),
        ("1.82.7", True, "broken", "malicious"),
        ("1.82.8", True, "broken", "malicious"),
        ("1.82.6", True, "warning", "1.106"),
        ("1.110.0", True, "warning", "1.106"),
        ("2.0", True, "warning", "1.106"),
        (None, True, "broken", "make setup"),
    ],
)
def test_a_litellm_that_cannot_be_used_is_named(version: str | None, has_mcp: bool, level: str, fix: str) -> None:
    found = judge_litellm(version, has_mcp=has_mcp)
    assert found[0] == level
    assert fix in found[1]


Report = Callable[[], tuple[int, dict[str, list[Finding]]]]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Runs `quarterdeck doctor --json` in an empty folder: the exit code, and the findings by name."""

    def run() -> tuple[int, dict[str, list[Finding]]]:
        code = cli.main_with(["doctor", "--json"])
        found: dict[str, list[Finding]] = {}
        for fields in json.loads(capsys.readouterr().out)["findings"]:
            found.setdefault(fields["name"], []).append(Finding(**fields))
        return code, found

    return run


def test_a_sound_installation(report: Report) -> None:
    code, found = report()
    assert code == 0
    for name in ("Python", "quarterdeck", "textual", "litellm", "Colours", "Inside", "User file", "Folder", "Model"):
        assert found[name][0].level == "ok", name
    assert found["Keys"][0].level == "note"
    assert "OPENAI_API_KEY" in found["Keys"][0].fix
    assert found["Local servers"][0].value.startswith("asked http://127.0.0.1")


def test_keys_are_named_and_never_shown(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    _, found = report()
    assert found["OpenAI"][0].value == "OPENAI_API_KEY is set"
    assert "Keys" not in found
    assert "very-secret" not in repr(found)


def test_a_broken_configuration_is_named_with_its_line(report: Report, tmp_path: Path) -> None:
    (tmp_path / ".quarterdeck").mkdir()
    (tmp_path / ".quarterdeck" / "config.toml").write_text("[limits]\nmax_turns = -1")
    code, found = report()
    assert code == 1
    assert found["Error"][0].level == "broken"
    assert "config.toml:2: limits.max_turns" in found["Error"][0].value


def test_what_a_project_may_not_change_is_listed(report: Report, tmp_path: Path) -> None:
    (tmp_path / ".quarterdeck").mkdir()
    (tmp_path / ".quarterdeck" / "config.toml").write_text('approve = "bypass"')
    code, found = report()
    assert code == 0
    assert "quarterdeck trust" in found["Ignored"][0].fix


def test_a_clash_of_keys_is_broken(report: Report, isolated_environment: Path) -> None:
    config = isolated_environment / "quarterdeck-config"
    config.mkdir()
    (config / "config.toml").write_text('[keys]\nmodel = "ctrl+q"')
    code, found = report()
    assert code == 1
    assert "keys.model" in found["Keys"][0].value


def test_a_configured_model_without_key_or_server(report: Report, isolated_environment: Path) -> None:
    config = isolated_environment / "quarterdeck-config"
    config.mkdir()
    with serving(b"") as (base, _):
        pass
    (config / "config.toml").write_text(
        f'[models."lab/qwen"]\nmodel = "openai/qwen"\napi_base = "{base}"\napi_key_env = "LAB_KEY"'
    )
    code, found = report()
    assert code == 0
    assert found["lab/qwen"][0].level == "warning"
    assert found["lab/qwen"][0].fix == "set LAB_KEY"
    assert "does not answer" in found["model lab/qwen"][0].value


def test_the_data_folder(report: Report, isolated_environment: Path) -> None:
    data = isolated_environment / "quarterdeck-data"
    _, found = report()
    assert "not there yet" in found["Folder"][0].value
    data.mkdir(mode=0o755)
    (data / "quarterdeck.db").write_bytes(b"x" * 2_500_000)
    (data / "quarterdeck.db").chmod(0o644)
    _, found = report()
    assert "2.5 MB" in found["Sessions"][0].value
    assert found["Mode"][0].fix == f"chmod 600 {data / 'quarterdeck.db'}"
    data.chmod(0o700)
    assert "Mode" not in report()[1]


def test_a_data_folder_that_is_a_file(report: Report, isolated_environment: Path) -> None:
    (isolated_environment / "quarterdeck-data").write_text("")
    code, found = report()
    assert code == 1
    assert found["Folder"][0].level == "broken"


def test_the_report_for_people_ends_with_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main_with(["doctor", "--cwd", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Program"
    assert lines[-1].startswith(("no problems", "1 to look at"))


# quarterdeck models


def models(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    code = cli.main_with(["models", *arguments])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err


def test_without_a_key_only_the_demo_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = models(capsys)
    assert code == 0
    assert [line.split()[0] for line in lines] == ["demo/flaky", "demo/pilot", "demo/slow"]
    assert "more need a key" in err


def test_a_query_searches_the_whole_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = models(capsys, "GPT-4o mini")
    assert code == 0
    assert all("gpt-4o" in line.split()[0] and "mini" in line.split()[0] for line in lines)
    [line] = [line for line in lines if line.split()[0] == "openai/gpt-4o-mini"]
    assert "128k" in line
    assert "$0.15 in, $0.6 out" in line
    assert "no key" in line


def test_a_key_makes_its_provider_usable(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    _, lines, _ = models(capsys, "--json")
    rows = [json.loads(line) for line in lines]
    assert all(row["usable"] for row in rows)
    mini = next(row for row in rows if row["name"] == "openai/gpt-4o-mini")
    assert (mini["input_cost_per_million"], mini["context_window"], mini["tools"]) == ("0.15", 128000, True)


def test_a_query_without_a_match_offers_near_names(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = models(capsys, "demo/pilto")
    assert (code, lines) == (1, [])
    assert "demo/pilot" in err


def test_local_servers_are_asked_only_with_probe(
    isolated_environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = isolated_environment / "quarterdeck-config"
    config.mkdir()
    with serving(MODELS) as (base, asked):
        (config / "config.toml").write_text(f'[models."lab/qwen"]\nmodel = "openai/qwen"\napi_base = "{base}"')
        _, lines, _ = models(capsys)
        assert asked == []
        assert lines[-1].startswith("lab/qwen")
        _, lines, err = models(capsys, "--probe")
        assert asked == ["/v1/models"]
        assert base in err
        assert any(line.startswith("llama") and base in line for line in lines)
