"""What commands change in a git work tree: found, kept and put back, without the repository being touched or run."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from runner.undo import tree
from runner.undo.blobs import LARGEST
from runner.undo.tree import Budget
from runner.unfinished import is_unfinished, unfinished_name
from tests.undo.support import Desk, repository, sh, snapshot


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    files = {
        "a.txt": "one\n",
        "b.txt": "two\n",
        "docs/c.txt": "three\n",
        "run.sh": "#!/bin/sh\n",
        ".gitignore": "*.log\n",
    }
    return Desk(repository(tmp_path / "repo", files), tmp_path / "data")


COMMANDS = {
    "changed": "echo more >> a.txt",
    "replaced by rename": "echo new > t && mv t a.txt",
    "same size, times put back": "touch -r a.txt ref && printf 'ONE\\n' > a.txt && touch -r ref a.txt && rm ref",
    "removed": "rm a.txt docs/c.txt",
    "new": "echo new > new.txt && mkdir -p x/y && echo deep > x/y/z.txt",
    "renamed": "mv a.txt renamed.txt",
    "renamed by git": "git mv a.txt renamed.txt",
    "made executable": "chmod +x run.sh",
    "mode and content": "chmod 600 a.txt && echo x >> a.txt",
    "staged": "echo more >> a.txt && git add a.txt",
    "commited": "echo more >> a.txt && git commit -qam second",
    "link made": "ln -s a.txt link",
    "file became a link": "rm a.txt && ln -s b.txt a.txt",
    "file became a folder": "rm a.txt && mkdir a.txt && echo x > a.txt/inner",
    "folder became a file": "rm -r docs && echo x > docs",
    "folder became a link": "mv docs moved && ln -s moved docs",
    "untracked, then removed": "rm loose.txt",
    "untracked, then changed": "echo x >> loose.txt",
    "changed before, then checked out": "git checkout -q -- b.txt",
    "stashed": "git stash -q",
    "reset": "git reset -q --hard",
    "another branch": "git checkout -q -b other && echo x > a.txt && git commit -qam x && git checkout -q main",
    "cleaned": "git clean -fdq",
    "odd names": "echo x > 'with space' && echo y > $'new\\nline' && echo z > -dash && echo ü > ü.txt",
    "unpacked": "mkdir t && touch -d 2001-01-01 t/old && tar cf t.tar t && rm -r t && tar xf t.tar && rm t.tar",
    "attributes": "echo '*.txt text eol=crlf' > .gitattributes && rm a.txt && git checkout -q -- a.txt",
    "no longer ignored": "rm .gitignore",
    "everything": "rm -rf a.txt b.txt docs run.sh loose.txt .gitignore",
}


@pytest.mark.parametrize("line", COMMANDS.values(), ids=COMMANDS.keys())
def test_what_a_command_did_is_undone_and_done_again(desk: Desk, line: str) -> None:
    (desk.root / "loose.txt").write_text("untracked\n")
    (desk.root / "loose.txt").chmod(0o600)
    (desk.root / "b.txt").write_text("two, changed\n")
    (desk.root / "kept.log").write_text("ignored\n")
    before = snapshot(desk.root)
    changed = desk.shell(line)
    after = snapshot(desk.root)
    head, index = sh(desk.root, "git rev-parse HEAD"), sh(desk.root, "git ls-files -s")
    assert desk.names(changed) == {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if changed is None:
        return
    outcome = desk.undo(1)
    assert not outcome.left
    assert snapshot(desk.root) == before
    assert sh(desk.root, "git rev-parse HEAD") == head
    assert sh(desk.root, "git ls-files -s") == index
    outcome = desk.redo()
    assert not outcome.left
    assert snapshot(desk.root) == after


def test_what_git_itself_did_is_said_not_to_be_undone(desk: Desk) -> None:
    committed = desk.shell("echo more >> a.txt && git commit -qam second")
    staged = desk.shell("echo more >> a.txt && git add a.txt")
    looked = desk.shell("echo more >> b.txt; git status > /dev/null; git diff > /dev/null")
    assert committed is not None
    assert "another commit" in committed.uncovered
    assert staged is not None
    assert "staged" in staged.uncovered
    assert looked is not None
    assert looked.uncovered == ""


def test_nothing_is_told_of_a_command_that_changed_nothing(desk: Desk) -> None:
    assert desk.shell("ls; cat a.txt; git log > /dev/null; touch b.txt; echo x > ignored.log") is None


def test_what_another_call_writes_meanwhile_is_not_the_commands(desk: Desk) -> None:
    """Its name until it is whole: there before the command and gone after it, or the other way round."""
    for folder in (desk.root, desk.root / "docs"):
        before = folder / unfinished_name("a" * 200 + ".txt")
        before.write_text("half")
        after = folder / unfinished_name("c.txt")
        assert desk.shell(f"mv {before} {after}") is None
    assert not is_unfinished(b"docs/.notes.tmp")


def test_the_index_the_references_and_the_objects_are_not_touched(desk: Desk) -> None:
    (desk.root / "a.txt").write_text("staged\n")
    sh(desk.root, "git add a.txt")
    (desk.root / "a.txt").write_text("staged and changed\n")
    (desk.root / "loose.txt").write_text("untracked\n")

    def of_git() -> dict[str, tuple[int, int, bytes]]:
        return {
            str(path): ((status := path.lstat()).st_mtime_ns, status.st_ino, path.read_bytes())
            for path in sorted((desk.root / ".git").rglob("*"))
            if path.is_file()
        }

    was = of_git()
    with desk.window():
        assert of_git() == was
        (desk.root / "a.txt").write_text("changed more\n")
    desk.undo(1)
    assert of_git() == was
    assert (desk.root / "a.txt").read_text() == "staged and changed\n"
    assert sh(desk.root, "git status --porcelain") == "MM a.txt\n?? loose.txt\n"


def test_a_repository_runs_nothing_of_its_own(desk: Desk, tmp_path: Path) -> None:
    """Filters, hooks, monitors, drivers, pagers, aliases: whatever is configured there leaves no trace."""
    marker = tmp_path / "ran"
    trap = desk.root / ".git" / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {marker}\ncat\n")
    trap.chmod(0o755)
    for hook in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        (desk.root / ".git" / "hooks" / hook).write_text(trap.read_text())
        (desk.root / ".git" / "hooks" / hook).chmod(0o755)
    (desk.root / ".gitattributes").write_text("*.txt filter=trap diff=trap merge=trap\n")
    sh(desk.root, "git add -A && git commit -qm attributes")
    marker.unlink(missing_ok=True)
    for name in (
        *("filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "diff.trap.textconv", "diff.trap.command"),
        *("core.fsmonitor", "core.pager", "core.editor", "core.askPass", "core.sshCommand", "diff.external"),
        *(
            "core.gitProxy",
            "credential.helper",
            "gpg.program",
            "core.alternateRefsCommand",
            "uploadpack.packObjectsHook",
        ),
    ):
        sh(desk.root, f"git config {name} {trap}")
    sh(desk.root, "git config filter.trap.required true && git config alias.ls-files '!" + str(trap) + "'")
    # A file of a time to come counts as one that the index cannot vouch for, so that git would compare its content.
    sh(desk.root, "touch -d 2099-01-01 a.txt b.txt")
    before = snapshot(desk.root)
    with desk.window():
        (desk.root / "a.txt").write_text("x\n")
        (desk.root / "b.txt").unlink()
    assert desk.undo(1).left == ()
    assert {name: each[2] for name, each in snapshot(desk.root).items()} == {
        name: each[2] for name, each in before.items()
    }
    assert not marker.exists()


def test_a_missing_object_is_not_fetched_from_anywhere(desk: Desk, tmp_path: Path) -> None:
    marker = tmp_path / "fetched"
    sh(
        desk.root,
        f"git config remote.origin.url 'ext::sh -c \"touch {marker}\"' && git config protocol.ext.allow always",
    )
    sh(desk.root, "git config remote.origin.promisor true && git config extensions.partialClone origin")
    sh(desk.root, "git config core.repositoryFormatVersion 1")
    blob = sh(desk.root, "git rev-parse :a.txt").strip()
    (desk.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    changed = desk.command(lambda: (desk.root / "a.txt").write_text("gone\n"))
    assert changed is not None
    assert changed.files == ()
    assert "a.txt" in changed.uncovered
    assert not marker.exists()


def test_a_file_that_a_filter_changes_is_put_back_as_it_was_on_disk(desk: Desk) -> None:
    """Same length in git and on disk, other content: only what was on disk will do."""
    (desk.root / ".gitattributes").write_text("*.enc filter=rot\n")
    sh(desk.root, "git config filter.rot.clean 'tr a-z b-za' && git config filter.rot.smudge 'tr b-za a-z'")
    (desk.root / "secret.enc").write_text("hello\n")
    sh(desk.root, "git add -A && git commit -qm filtered && sleep 0.05 && git status")
    before = snapshot(desk.root)
    desk.shell("echo broken > secret.enc")
    assert desk.undo(1).left == ()
    assert snapshot(desk.root) == before


@pytest.mark.parametrize("mixed", [False, True])
def test_line_endings_that_git_converts(desk: Desk, mixed: bool) -> None:
    content = b"one\r\ntwo\r\nthree\r\n" if not mixed else b"one\r\ntwo\nthree\r\n"
    sh(desk.root, "git config core.autocrlf true")
    (desk.root / "dos.txt").write_bytes(content)
    sh(desk.root, "git add -A 2> /dev/null && git commit -qm dos && sleep 0.05 && git update-index --refresh")
    changed = desk.shell("rm dos.txt")
    assert changed is not None
    if mixed:
        assert changed.files == ()
        assert "dos.txt" in changed.uncovered
    else:
        desk.undo(1)
        assert (desk.root / "dos.txt").read_bytes() == content


def test_a_work_tree_of_another_branch_and_a_folder_inside_a_repository(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", {"a.txt": "one\n", "part/b.txt": "two\n"})
    sh(main, "git worktree add -q ../second -b second")
    for root, name in ((tmp_path / "second", "a.txt"), (main / "part", "b.txt")):
        desk = Desk(root, tmp_path / f"data {root.name}")
        before = snapshot(tmp_path)
        desk.shell(f"echo x >> {name}; echo y > new; touch ../outside; git add -A .; git commit -qm x")
        assert desk.undo(1).left == ()
        (root / ".." / "outside").unlink()
        assert {k: v for k, v in snapshot(tmp_path).items() if "data" not in k} == {
            k: v for k, v in before.items() if "data" not in k
        }


def test_submodules_and_repositories_inside_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"in.txt": "inner\n"})
    sh(desk.root, f"git -c protocol.file.allow=always submodule --quiet add {other} sub && git commit -qm sub")
    repository(desk.root / "nested", {"n.txt": "nested\n"})
    changed = desk.shell("echo x >> sub/in.txt; echo x >> nested/n.txt; echo x >> a.txt")
    assert desk.names(changed) == {"a.txt"}


def test_too_large_files_are_said(desk: Desk) -> None:
    big = desk.root / "big.bin"
    with big.open("wb") as file:
        file.truncate(LARGEST + 1)
    changed = desk.shell("echo x >> big.bin; echo x >> a.txt; truncate -s 20M bigger.bin")
    assert changed is not None
    assert desk.names(changed) == {"a.txt"}
    assert "too large" in changed.uncovered
    assert "big.bin" in changed.uncovered
    assert "bigger.bin" in changed.uncovered


def test_a_tree_that_is_too_large_is_said_and_not_looked_at_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_FILES", 3)
    changed = desk.shell("echo x >> a.txt")
    assert changed is not None
    assert changed.files == ()
    assert "too large to compare" in changed.uncovered
    assert changed.uncovered.endswith(": a.txt")
    monkeypatch.setattr(tree, "Git", None)
    assert desk.shell("true") is None


def test_more_changed_files_than_are_kept_are_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (desk.root / f"loose{number}.txt").write_text(f"{number}\n")
    monkeypatch.setattr(tree, "Budget", lambda: Budget(files=2))
    changed = desk.shell("rm loose*.txt a.txt")
    assert changed is not None
    assert desk.names(changed) == {"a.txt", "loose0.txt", "loose1.txt"}
    assert "loose2.txt, loose3.txt" in changed.uncovered
    assert desk.undo(1).left == ()
    assert (desk.root / "loose1.txt").read_text() == "1\n"


def test_what_git_never_showed_is_not_taken_for_new(desk: Desk) -> None:
    """An ignored file that becomes visible, or is moved to another name, is nothing that undo may remove."""
    (desk.root / "old.log").write_text("precious\n")
    (desk.root / "secret.log").write_text("precious too\n")
    changed = desk.shell("echo '*.tmp' > .gitignore; mv secret.log public.txt; echo new > new.txt; chmod 600 old.log")
    assert changed is not None
    assert desk.names(changed) == {".gitignore", "new.txt"}
    assert "public.txt" in changed.uncovered
    desk.undo(1)
    assert (desk.root / "public.txt").read_text() == "precious too\n"
    assert (desk.root / "old.log").read_text() == "precious\n"
    assert not (desk.root / "new.txt").exists()


def test_a_name_that_is_no_text_is_said(desk: Desk) -> None:
    def odd() -> None:
        with open(os.fsencode(desk.root) + b"/\xff\xfe.txt", "w") as file:
            file.write("x")

    changed = desk.command(odd)
    assert changed is not None
    assert changed.files == ()
    assert "no UTF-8" in changed.uncovered


def test_a_folder_without_git_says_so_and_what_changed(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    desk = Desk(tmp_path / "plain", tmp_path / "data")
    changed = desk.shell("echo x > made.txt")
    assert changed is not None
    assert changed.files == ()
    assert "no git work tree" in changed.uncovered
    assert "made.txt" in changed.uncovered
    assert desk.shell("true") is None


def test_a_repository_that_is_removed_or_made_by_the_command(desk: Desk, tmp_path: Path) -> None:
    removed = desk.shell("rm -rf .git && echo x >> a.txt")
    assert removed is not None
    assert removed.files == ()
    assert removed.uncovered
    made = desk.shell("git init -q && echo x > fresh.txt")
    assert made is not None
    assert made.files == ()
    assert "no git work tree" in made.uncovered


def test_two_commands_at_once_are_said_to_be_two(desk: Desk) -> None:
    with desk.window() as one:
        (desk.root / "a.txt").write_text("by one\n")
        with desk.window() as two:
            (desk.root / "b.txt").write_text("by two\n")
            (desk.root / "a.txt").write_text("by two\n")
        (desk.root / "b.txt").write_text("by one\n")
    first, second = desk.last(one), desk.last(two)
    assert first is not None
    assert second is not None
    assert "at the same time" in first.uncovered
    assert "at the same time" in second.uncovered
    assert desk.undo(1).left == ()
    assert (desk.root / "a.txt").read_text() == "one\n"
    assert (desk.root / "b.txt").read_text() == "two\n"


def test_a_file_tool_beside_a_command_is_told_once(desk: Desk) -> None:
    with desk.window() as ctx:
        (desk.root / "docs" / "c.txt").write_text("first by the command\n")
        desk.write("a.txt", "by the tool\n")
        desk.write("b.txt", "by the tool\n")
        desk.write("docs/c.txt", "then by the tool\n")
        (desk.root / "b.txt").write_text("then by the command\n")
    assert desk.names(desk.last(ctx)) == {"b.txt", "docs/c.txt"}
    assert desk.undo(1).left == ()
    assert (desk.root / "a.txt").read_text() == "one\n"
    assert (desk.root / "b.txt").read_text() == "two\n"
    assert (desk.root / "docs" / "c.txt").read_text() == "three\n"


def test_the_git_that_lies_in_the_folder_is_not_the_one_that_is_asked(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "ran"
    fake = desk.root / "git"
    fake.write_text(f"#!/bin/sh\ntouch {marker}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{desk.root}:{os.environ['PATH']}")
    changed = desk.command(lambda: (desk.root / "a.txt").write_text("x\n"))
    assert not marker.exists()
    assert changed is not None
    assert "git is not installed" in changed.uncovered


def test_a_process_in_the_background_is_said(desk: Desk) -> None:
    """It goes on after its call, and whatever it changes later belongs to no call."""

    class Background:
        def __init__(self) -> None:
            self.processes: list[str] = []

        def running(self, session_id: str) -> list[str]:
            return self.processes

    background = Background()
    ctx = replace(desk.ctx(), background=background)
    desk.keeper.before_command(ctx)
    background.processes.append("server")
    desk.keeper.after_command(ctx)
    started = desk.keeper.take(ctx)
    assert started is not None
    assert "a background process" in started.uncovered
    desk.keeper.before_command(ctx)
    desk.keeper.after_command(ctx)
    assert desk.keeper.take(ctx) is None
    desk.keeper.before_command(ctx)
    (desk.root / "a.txt").write_text("by whom?\n")
    desk.keeper.after_command(ctx)
    changed = desk.keeper.take(ctx)
    assert changed is not None
    assert "a background process" in changed.uncovered
