"""What a boxed command can reach, tried with real commands; and what becomes of one where no sandbox can be built."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.tools.base import Sandbox, ToolContext
from runner.tools.builtin import SHELL
from runner.tools.sandbox.places import places_of
from tests.conftest import missing
from tests.contract.sources import ROOT
from tests.processes.support import context, need_sandbox, run, until

BWRAP = need_sandbox()
BOX = Sandbox(mode="require")
COMMIT = "git -c user.name=a -c user.email=b commit -qm"


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    workspace = tmp_path / "work"
    workspace.mkdir()
    return context(workspace, sandbox=BOX)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder of ours that is not in /tmp, of which a sandbox has its own."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    places = [ROOT / ".cache", Path(pwd.getpwuid(os.geteuid()).pw_dir)]
    outside = [place for place in places if not place.is_relative_to("/tmp") and os.access(place, os.W_OK)]
    if not outside:
        missing("there is no folder of ours outside of /tmp")
    with tempfile.TemporaryDirectory(prefix="sandbox-", dir=outside[0]) as folder:
        yield Path(folder)


async def shell(ctx: ToolContext, command: str, **arguments: Any) -> tuple[int | None, str]:
    outcome = await run(SHELL, ctx, command=command, **arguments)
    assert outcome.display is not None
    assert outcome.display["sandbox"]["on"] is True
    return outcome.display["exit_code"], outcome.output


async def test_the_workspace_may_be_written_and_nothing_else(ctx: ToolContext, elsewhere: Path, tmp_path: Path) -> None:
    outside, more = elsewhere / "outside", elsewhere / "more"
    for folder in (outside, more):
        folder.mkdir()
    (outside / "kept").write_text("kept")
    code, _ = await shell(ctx, "echo in > in && mkdir -p a/b && echo x > a/b/c && rm in")
    assert code == 0
    assert (ctx.workspace / "a/b/c").read_text() == "x\n"
    home = Path(os.environ["HOME"])
    for place in (outside, home, Path("/etc"), Path("/usr/bin"), Path("/sys"), Path("/run"), Path("/")):
        await shell(ctx, f"echo x > {place}/quarterdeck-was-here; rm -rf {outside}/kept")
        assert not (place / "quarterdeck-was-here").exists()
    assert (outside / "kept").exists()
    wider = context(ctx.workspace, sandbox=Sandbox(mode="require", write=(more, tmp_path / "absent")))
    code, _ = await shell(wider, f"echo x > {more}/y")
    assert (code, (more / "y").read_text()) == (0, "x\n")


async def test_links_do_not_lead_out(ctx: ToolContext, elsewhere: Path) -> None:
    secret = elsewhere / "secret"
    secret.mkdir()
    (secret / "file").write_text("before")
    (ctx.workspace / "to_folder").symlink_to(secret)
    (ctx.workspace / "to_file").symlink_to(secret / "file")
    tries = [
        "echo x > to_file",
        "echo x > to_folder/new",
        f"ln -s {secret} mine; echo x > mine/new",
        f"ln {secret}/file hard && echo x > hard",
        "cd to_folder && rm file",
        f"mount -o remount,rw,bind {secret}",
        f"umount {secret}; mount --bind {secret} . && echo x > file",
        "mv ../work ../elsewhere; mkdir ../outside_too",
        f"unshare -Urm sh -c 'mount -o remount,rw,bind / && echo x > {secret}/new'",
    ]
    for command in tries:
        await shell(ctx, command)
        assert _names(secret) == ["file"], command
        assert (secret / "file").read_text() == "before", command
    assert _names(elsewhere) == ["secret"]


async def test_a_workspace_behind_a_link_is_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    code, printed = await shell(context(tmp_path / "link", sandbox=BOX), "pwd -P; echo x > here")
    assert (code, printed.split("\n")[0]) == (0, str(tmp_path / "real"))
    assert (tmp_path / "real/here").exists()


async def test_git_works_but_what_it_runs_later_is_kept(ctx: ToolContext) -> None:
    repository = ctx.workspace
    _git(repository, "init", "-q", "-b", "main")
    (repository / ".quarterdeck").mkdir()
    (repository / ".quarterdeck/config.toml").write_text("# rules\n")
    (repository / ".git/commondir.sample").touch()
    before = (repository / ".git/config").read_text()
    code, printed = await shell(
        ctx, "echo a > a && git add a && git -c user.name=a -c user.email=b commit -qm one && git log"
    )
    assert code == 0, printed
    for command in (
        "echo evil > .git/hooks/pre-commit",
        "git config core.fsmonitor evil",
        "echo evil >> .git/config",
        "rm -rf .git/hooks .git/config",
        "mv .git .gone",
        "mv .git/hooks .git/hooks2; mkdir .git/hooks && echo evil > .git/hooks/pre-commit",
        "ln -sf /tmp/evil .git/config",
        "echo evil > .quarterdeck/config.toml",
        "mv .quarterdeck q; mkdir .quarterdeck",
        "rm -rf .git .quarterdeck",
    ):
        code, printed = await shell(ctx, command)
        assert code != 0, command
        assert (repository / ".git/config").read_text() == before, command
        assert not (repository / ".git/hooks/pre-commit").exists(), command
        assert (repository / ".quarterdeck/config.toml").read_text() == "# rules\n", command


async def test_what_git_would_obey_and_was_not_there_is_put_aside(ctx: ToolContext) -> None:
    repository = ctx.workspace
    _git(repository, "init", "-q", "-b", "main")
    (repository / ".git/hooks").rename(repository / "no_hooks")
    evil = f"cp -r .git evil; echo '[core] fsmonitor = \"touch {repository}/ran\"' >> evil/config"
    code, printed = await shell(ctx, f"{evil}; mkdir .git/hooks; echo ../evil > .git/commondir")
    assert code == 0, printed
    assert "commondir.set-aside-" in printed
    names = _names(repository / ".git")
    assert not {"commondir", "hooks"} & set(names)
    assert len([name for name in names if ".set-aside-" in name]) == 2
    _git(repository, "status")
    assert not (repository / "ran").exists()
    # The same when the command is cut.
    task = asyncio.create_task(run(SHELL, ctx, command="echo ../evil > .git/commondir; touch there; sleep 1000"))
    await until(lambda: (repository / "there").exists())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "commondir" not in _names(repository / ".git")
    # What git makes itself stays.
    assert (await shell(ctx, f"git init -q sub; {COMMIT} x --allow-empty"))[0] == 0
    assert {"config", "hooks"} <= set(_names(repository / "sub/.git"))
    assert "config" in _names(repository / ".git")


async def test_the_model_is_told_what_the_sandbox_did(ctx: ToolContext, elsewhere: Path) -> None:
    _git(ctx.workspace, "init", "-q")
    _, printed = await shell(ctx, "git config a.b c")
    assert f"{ctx.workspace}/.git/config may not be changed" in printed
    _, printed = await shell(ctx, f"touch {elsewhere}/x")
    assert f"{elsewhere}/x is read-only for them" in printed
    # It is not blamed for what it has nothing to do with.
    for command in ("echo 'Read-only file system: /etc/x'", "cat missing", "echo EROFS; false"):
        _, printed = await shell(ctx, command)
        assert "sandbox" not in printed


async def test_a_linked_work_tree_can_commit(ctx: ToolContext, tmp_path: Path) -> None:
    main, tree = ctx.workspace, tmp_path / "tree"
    identity = ("-c", "user.name=a", "-c", "user.email=b")
    _git(main, "init", "-q")
    _git(main, *identity, "commit", "-q", "--allow-empty", "-m", "one")
    _git(main, "worktree", "add", "-q", str(tree))
    boxed = context(tree, sandbox=BOX)
    code, printed = await shell(
        boxed, "echo a > a; git add a; git -c user.name=a -c user.email=b commit -qm two; git log"
    )
    assert code == 0, printed
    assert "two" in _git(tree, "log")
    for command in (
        f"echo evil > {main}/.git/hooks/pre-commit",
        f"echo evil >> {main}/.git/config",
        "echo gitdir: /tmp/x > .git",
        "rm .git",
    ):
        assert (await shell(boxed, command))[0] != 0, command
    await shell(boxed, f"echo x > {main}/in_the_main_tree")
    assert not (main / ".git/hooks/pre-commit").exists()
    assert not (main / "in_the_main_tree").exists()


def test_a_file_that_only_claims_to_be_a_work_tree_opens_nothing(tmp_path: Path) -> None:
    work, victim = tmp_path / "work", tmp_path / "victim"
    own = victim / "worktrees/x"
    for folder in (work, victim / "objects", own):
        folder.mkdir(parents=True)
    (victim / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "commondir").write_text("../..\n")
    (work / ".git").write_text(f"gitdir: {own}\n")
    (own / "gitdir").write_text("/somewhere/else/.git\n")
    assert places_of(BOX, work, {}).writable == (work.resolve(),)
    (own / "gitdir").write_text(f"{work}/.git\n")
    assert set(places_of(BOX, work, {}).writable) == {work.resolve(), victim.resolve()}


@contextlib.contextmanager
def listening(family: socket.AddressFamily, address: Any) -> Generator[Any, None, None]:
    """A server that says hello to whoever connects."""
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(b"hello")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)


async def test_the_network_is_only_there_where_it_is_allowed(ctx: ToolContext) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as (_, port):
        command = f"cat < /dev/tcp/127.0.0.1/{port}"
        code, printed = await shell(ctx, command)
        assert code != 0
        assert "hello" not in printed
        assert (await shell(ctx, command, network=True)) == (0, "hello\n[exit code 0]")
        allowed = context(ctx.workspace, sandbox=Sandbox(mode="auto", network=True))
        assert (await shell(allowed, command))[0] == 0


async def test_the_sockets_of_services_do_not_answer(ctx: ToolContext, tmp_path: Path) -> None:
    if not os.access("/run", os.W_OK):
        pytest.skip("only root can put a socket into /run")
    place = f"/run/quarterdeck-test-{os.getpid()}"
    python = "import socket; s = socket.socket(socket.AF_UNIX); s.connect({!r}); print(s.recv(5))"
    try:
        with listening(socket.AF_UNIX, place):
            boxed = await run(SHELL, ctx, command=f'python3 -c "{python.format(place)}"')
            free = await run(SHELL, context(ctx.workspace), command=f'python3 -c "{python.format(place)}"')
    finally:
        os.unlink(place)
    assert "hello" in free.output
    assert "hello" not in boxed.output


async def test_other_processes_cannot_be_seen_nor_their_environment(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-of-the-program-1234"
    other = await asyncio.create_subprocess_exec("sleep", "1000", env={"OUR_API_KEY": secret})
    try:
        _, free = await shell_output(context(ctx.workspace), "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'")
        _, boxed = await shell_output(ctx, "cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; ls /proc")
        code, _ = await shell_output(ctx, f"kill -0 {os.getpid()}")
    finally:
        other.kill()
        await other.wait()
    assert secret in free
    assert secret not in boxed
    assert str(os.getpid()) not in boxed.split()
    assert code != 0


async def shell_output(ctx: ToolContext, command: str) -> tuple[int | None, str]:
    outcome = await run(SHELL, ctx, command=command, max_output=1024 * 1024)
    assert outcome.display is not None
    return outcome.display["exit_code"], outcome.output


async def test_a_temporary_folder_of_the_sessions_own(ctx: ToolContext, tmp_path: Path) -> None:
    (tmp_path / "beside").write_text("not yours")
    one = context(ctx.workspace, sandbox=BOX, session_id="one")
    other = context(ctx.workspace, sandbox=BOX, session_id="other")
    _, printed = await shell(
        one, f"echo kept > /tmp/note; python3 -c 'import tempfile; print(tempfile.mkdtemp())'; cat {tmp_path}/beside"
    )
    assert "/tmp/" in printed
    assert "not yours" not in printed
    assert (await shell(one, "cat /tmp/note"))[1] == "kept\n[exit code 0]"
    assert (await shell(other, "cat /tmp/note"))[0] == 1
    assert "note" not in os.listdir("/tmp")


async def test_secrets_in_the_home_folder_are_hidden_unless_shown(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The home of the tests lies in /tmp, of which a sandbox has its own; so there is one in the workspace.
    home = ctx.workspace / "home"
    for name in (".ssh/id_ed25519", ".aws/credentials", ".netrc", "data/sessions.db", "plain"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"content of {name}\n")
    monkeypatch.setenv("HOME", str(home))
    hidden = context(ctx.workspace, sandbox=Sandbox(mode="require", hide=(home / "data",)))
    _, printed = await shell(
        hidden, "cat ~/.ssh/id_ed25519 ~/.aws/credentials ~/.netrc ~/data/*; cat ~/plain; echo x > ~/.ssh/y"
    )
    assert [line for line in printed.split("\n") if "content" in line] == ["content of plain"]
    assert not (home / ".ssh/y").exists()
    shown = context(ctx.workspace, sandbox=Sandbox(mode="require", show=(home / ".ssh",)))
    _, printed = await shell(shown, "cat ~/.ssh/id_ed25519 ~/.aws/credentials")
    assert "content of .ssh/id_ed25519" in printed
    assert "content of .aws" not in printed


async def test_caches_that_cannot_be_written_are_elsewhere(ctx: ToolContext) -> None:
    assert (await shell(ctx, 'mkdir -p "$XDG_CACHE_HOME" && echo x > "$XDG_CACHE_HOME/y"'))[0] == 0


async def test_root_inside_has_no_power_over_the_system(ctx: ToolContext) -> None:
    _, printed = await shell(ctx, "grep CapEff /proc/self/status; mknod disk b 8 0; dmesg > /dev/null; cat /dev/mem")
    effective = int(printed.split("CapEff:")[1].split()[0], 16)
    if os.geteuid() == 0:
        dac_override_chown_fowner_fsetid = 0b11011
        assert effective & ~dac_override_chown_fowner_fsetid == 0
    else:
        assert effective == 0
    assert not (ctx.workspace / "disk").exists()


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(autouse=True)
def _no_git_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
