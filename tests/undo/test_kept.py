"""Contents that are kept: once, privately, bounded, whole; and files put back without following anybody's link."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import threading
import time
import zlib
from pathlib import Path

import pytest

from runner.undo.blobs import LARGEST, Blobs, digest_of
from runner.undo.disk import NOTHING, Blocked, Entry, put, read
from runner.undo.keeper import Keeper
from runner.undo.sweep import sweep
from tests.undo.support import Desk, repository, sh


def test_a_content_is_kept_once_and_privately(tmp_path: Path) -> None:
    os.umask(0o077 & os.umask(0))
    blobs = Blobs(tmp_path / "data")
    one, other = blobs.put(b"x" * 100_000), blobs.put(b"x" * 100_000, durable=True)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert one == other == digest_of(b"x" * 100_000)
    assert [path.relative_to(tmp_path / "data").as_posix() for path in files] == [f"kept/{one[:2]}/{one[2:]}"]
    assert files[0].stat().st_size < 1000
    assert blobs.get(one) == b"x" * 100_000
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_what_is_damaged_or_swapped_counts_as_not_kept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    path = tmp_path / "kept" / digest[:2] / digest[2:]
    whole = path.read_bytes()
    for damaged in (whole[:-6], b"", b"\0" * 20, zlib.compress(b"other")):
        path.write_bytes(damaged)
        assert blobs.get(digest) is None
    path.unlink()
    (tmp_path / "secret").write_bytes(whole)
    path.symlink_to(tmp_path / "secret")
    assert blobs.get(digest) is None
    assert blobs.put(b"content") == digest
    assert (tmp_path / "secret").read_bytes() == whole
    assert not path.is_symlink()


def test_many_at_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digests: list[str] = []
    threads = [threading.Thread(target=lambda: digests.append(blobs.put(b"same" * 10_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(digests)) == 1
    assert blobs.get(digests[0]) == b"same" * 10_000
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_oldest_go_first_and_what_is_young_stays(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    now = time.time()
    digests = [blobs.put(os.urandom(10_000)) for _ in range(6)]
    for age, digest in enumerate(digests):
        path = tmp_path / "kept" / digest[:2] / digest[2:]
        os.utime(path, (now - 86400 * age, now - 86400 * age))
    assert sweep(blobs.folder, now, most_bytes=35_000, most_days=10) == 3
    assert [blobs.has(digest) for digest in digests] == [True, True, True, False, False, False]
    assert sweep(blobs.folder, now, most_bytes=0, most_days=10) == 2
    assert [blobs.has(digest) for digest in digests] == [True, False, False, False, False, False]
    # What is kept again counts as new.
    os.utime(tmp_path / "kept" / digests[0][:2] / digests[0][2:], (0, 0))
    again = blobs.get(digests[0])
    assert again is not None
    blobs.put(again)
    assert sweep(blobs.folder, now) == 0


def test_the_keeper_sweeps_in_the_background(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    old = Blobs(tmp_path / "data").put(b"old")
    path = tmp_path / "data" / "kept" / old[:2] / old[2:]
    os.utime(path, (0, 0))
    desk = Desk(tmp_path / "root", tmp_path / "data")
    (desk.root / "a.txt").write_text("one\n")
    desk.write("a.txt", "two\n")
    deadline = time.monotonic() + 10
    while path.exists():
        assert time.monotonic() < deadline
    desk.keeper.close()
    assert desk.undo(1).left == ()


def test_a_content_that_was_dropped_is_said_and_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    desk = Desk(tmp_path / "root", tmp_path / "data")
    (desk.root / "a.txt").write_text("one\n")
    desk.write("a.txt", "two\n")
    sweep(tmp_path / "data" / "kept", time.time() + 10, most_bytes=0, young=0)
    assert desk.states(1) == {"a.txt": "lost"}
    assert [each.state for each in desk.undo(1, force=["a.txt"]).left] == ["lost"]
    assert (desk.root / "a.txt").read_text() == "two\n"


def test_a_full_or_forbidden_disk_stops_no_edit_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "data").write_text("a file where the folder should be")
    desk = Desk(tmp_path / "root", tmp_path / "data")
    (desk.root / "a.txt").write_text("one\n")
    changed = desk.write("a.txt", "two\n")
    assert changed is not None
    assert "could not be kept" in changed.uncovered
    assert "a.txt" in changed.uncovered
    assert (desk.root / "a.txt").read_text() == "two\n"


def test_permissions_and_owners_come_back(tmp_path: Path) -> None:
    desk = Desk(repository(tmp_path / "repo"), tmp_path / "data")
    (desk.root / "secret").write_text("key\n")
    (desk.root / "secret").chmod(0o400)
    desk.shell("rm -f secret; chmod 755 a.txt")
    os.umask(0o022 | os.umask(0))
    assert desk.undo(1).left == ()
    assert stat.S_IMODE((desk.root / "secret").stat().st_mode) == 0o400
    assert stat.S_IMODE((desk.root / "a.txt").stat().st_mode) == 0o644
    # Permissions that a person changed afterwards are theirs.
    desk.turn = 2
    desk.write("a.txt", "changed\n")
    (desk.root / "a.txt").chmod(0o600)
    assert desk.undo(2).left == ()
    assert stat.S_IMODE((desk.root / "a.txt").stat().st_mode) == 0o600
    assert (desk.root / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("part", ["folder", "file"])
def test_a_link_in_the_place_of_a_file_or_a_folder_leads_nowhere(tmp_path: Path, part: str) -> None:
    """Between the change and the undo somebody puts a link to other people's files there."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("somebody's\n")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d" / "f.txt").write_text("one\n")
    desk = Desk(root, tmp_path / "data")
    desk.write("d/f.txt", "two\n")
    if part == "folder":
        (root / "d").rename(root / "moved")
        (root / "d").symlink_to(outside)
    else:
        (root / "d" / "f.txt").unlink()
        (root / "d" / "f.txt").symlink_to(outside / "f.txt")
    outcome = desk.undo(1)
    assert outcome.done == ()
    assert [each.state for each in outcome.left] == ["outside"]
    outcome = desk.undo(1, force=["d/f.txt" if part == "file" else str(root / "d" / "f.txt")])
    assert (outside / "f.txt").read_text() == "somebody's\n"
    assert sorted(os.listdir(outside)) == ["f.txt"]


def test_a_link_swapped_in_at_the_last_moment(tmp_path: Path) -> None:
    """The check and the change are on the same open folder, so a swap between them changes nothing outside."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("somebody's\n")
    (tmp_path / "d").mkdir()
    target = tmp_path / "d" / "f"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (tmp_path / "d").rename(tmp_path / "e")
            # A missing folder is made again by whoever puts a file back into it.
            with contextlib.suppress(OSError):
                (tmp_path / "d").symlink_to("outside")
                (tmp_path / "d").unlink()
            shutil.rmtree(tmp_path / "d", ignore_errors=True)
            with contextlib.suppress(OSError):
                (tmp_path / "e").rename(tmp_path / "d")
            shutil.rmtree(tmp_path / "e", ignore_errors=True)
            (tmp_path / "d").mkdir(exist_ok=True)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(150):
            for content in (b"one %d" % number, b"two %d" % number):
                try:
                    now, _ = read(str(target))
                    put(str(target), Entry(digest_of(content), 0o644), content, expected=now)
                    put(str(target), NOTHING, b"", expected=Entry(digest_of(content)))
                except Blocked:
                    continue
    finally:
        stop.set()
        thread.join()
    assert (tmp_path / "outside" / "f").read_text() == "somebody's\n"
    assert os.listdir(tmp_path / "outside") == ["f"]


@pytest.mark.parametrize(
    "target",
    [NOTHING, Entry(digest_of(b"new"), 0o600), Entry(digest_of(b"f"), stat.S_IFLNK), Entry(digest_of(b"old"), 0)],
)
def test_what_is_not_what_was_expected_is_not_touched(tmp_path: Path, target: Entry) -> None:
    """Not by a replacement, nor by a removal, a link, or a change of permissions."""
    path = tmp_path / "f"
    path.write_text("somebody's")
    with pytest.raises(Blocked) as blocked:
        put(str(path), target, b"new", expected=Entry(digest_of(b"old"), 0o644))
    assert blocked.value.why == "changed"
    assert path.read_text() == "somebody's"
    assert os.listdir(tmp_path) == ["f"]
    path.unlink()
    if target.digest is not None:
        path.write_text("somebody's")
        with pytest.raises(Blocked):
            put(str(path), target, b"new", expected=NOTHING)
        assert path.read_text() == "somebody's"
        assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("same_turn", [False, True])
def test_what_somebody_else_wrote_between_two_changes_is_not_lost(tmp_path: Path, same_turn: bool) -> None:
    (tmp_path / "root").mkdir()
    desk = Desk(tmp_path / "root", tmp_path / "data")
    desk.write("a.txt", "turn 1\n")
    (desk.root / "a.txt").write_text("by somebody else\n")
    desk.turn = 1 if same_turn else 2
    desk.write("a.txt", "turn 2\n")
    assert desk.states(1, desk.turn) == {"a.txt": "outside"}
    assert desk.undo(1, desk.turn).done == ()
    if not same_turn:
        assert desk.undo(2).left == ()
        assert (desk.root / "a.txt").read_text() == "by somebody else\n"
        assert desk.states(1) == {"a.txt": "outside"}
    assert desk.undo(1, desk.turn, force=["a.txt"]).left == ()
    assert not (desk.root / "a.txt").exists()
    # Even what was given up with open eyes comes back.
    assert desk.redo().left == ()
    assert (desk.root / "a.txt").read_text() == ("turn 2\n" if same_turn else "by somebody else\n")


def test_a_turn_in_the_middle_is_not_taken_back_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    desk = Desk(tmp_path / "root", tmp_path / "data")
    for desk.turn in (1, 2, 3):
        desk.write("a.txt", f"turn {desk.turn}\n")
    assert desk.states(1, 3) == {"a.txt": "later"}
    assert desk.states(1) == desk.states(1, 2) == {"a.txt": "later"}
    assert desk.states(2, 3) == {"a.txt": "ready"}


def test_what_changed_between_the_plan_and_the_undo_is_left_alone(tmp_path: Path) -> None:
    from runner.undo.restore import restore

    (tmp_path / "root").mkdir()
    desk = Desk(tmp_path / "root", tmp_path / "data")
    desk.write("a.txt", "one\n")
    desk.write("b.txt", "one\n")
    plan = desk.plan(1)
    (desk.root / "a.txt").write_text("by somebody else\n")
    outcome = restore(plan, desk.data, force={str(desk.root / "a.txt")})
    assert [(each.state, each.blocked) for each in outcome.left] == [("blocked", "changed")]
    assert (desk.root / "a.txt").read_text() == "by somebody else\n"
    assert not (desk.root / "b.txt").exists()


def test_special_files_and_folders_in_the_place_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    desk = Desk(tmp_path / "root", tmp_path / "data")
    for name in ("pipe", "folder", "large"):
        (desk.root / name).write_text("one\n")
        desk.write(name, "two\n")
        (desk.root / name).unlink()
    os.mkfifo(desk.root / "pipe")
    (desk.root / "folder").mkdir()
    (desk.root / "folder" / "theirs").write_text("theirs\n")
    with (desk.root / "large").open("wb") as file:
        file.truncate(LARGEST + 1)
    outcome = desk.undo(1, force=["pipe", "folder", "large"])
    assert {os.path.basename(each.path): each.blocked for each in outcome.left} == {
        "pipe": "special",
        "folder": "folder",
        "large": "large",
    }
    assert outcome.done == ()
    assert (desk.root / "folder" / "theirs").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    # Nothing in an ordinary folder is forbidden to root.
    place = folder / "new" if os.geteuid() else Path("/sys/quarterdeck-new")
    with pytest.raises(Blocked) as blocked:
        put(str(place), Entry(digest_of(b"x"), 0o644), b"x", expected=NOTHING)
    assert blocked.value.why == "denied"
    assert not place.exists()


def test_undo_by_file_and_of_one_turn_among_several(tmp_path: Path) -> None:
    desk = Desk(repository(tmp_path / "repo"), tmp_path / "data")
    desk.write("a.txt", "turn 1\n")
    desk.write("b.txt", "turn 1\n")
    desk.turn = 2
    desk.write("a.txt", "turn 2\n")
    assert desk.states(1) == {"a.txt": "later", "b.txt": "ready"}
    assert desk.states(1, 2) == {"a.txt": "ready", "b.txt": "ready"}
    assert desk.history().since(("run-1", 1)) == {("run-1", 1), ("run-1", 2)}
    outcome = desk.undo(1)
    assert [each.state for each in outcome.left] == ["later"]
    assert (desk.root / "a.txt").read_text() == "turn 2\n"
    assert (desk.root / "b.txt").read_text() == "two\n"
    assert desk.undo(2, paths=["a.txt"]).left == ()
    assert (desk.root / "a.txt").read_text() == "turn 1\n"
    # Undone and redone any number of times, each step takes back just the one before it.
    assert desk.redo().left == ()
    assert (desk.root / "a.txt").read_text() == "turn 2\n"
    assert desk.redo().left == ()
    assert (desk.root / "b.txt").read_text() == "turn 1\n"
    assert desk.history().redoable is None


def test_the_model_is_refused_to_edit_what_was_put_back_unseen(tmp_path: Path) -> None:
    import asyncio

    from runner.tools.builtin import EDIT_FILE
    from tests.processes.support import run

    desk = Desk(repository(tmp_path / "repo"), tmp_path / "data")
    desk.edit("a.txt", "one", "changed")
    desk.undo(1)
    outcome = asyncio.run(run(EDIT_FILE, desk.ctx(), path="a.txt", old="one", new="again"))
    assert outcome.status == "error"
    assert "changed on disk" in outcome.output


def test_making_a_keeper_touches_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "data")
    keeper.close()
    keeper.recover(["run-1"])
    assert not (tmp_path / "data").exists()


def test_nothing_is_left_of_records_whose_facts_are_stored(tmp_path: Path) -> None:
    desk = Desk(repository(tmp_path / "repo"), tmp_path / "data")
    desk.write("a.txt", "two\n")
    desk.shell("echo x > new.txt")
    desk.shell("true")
    sh(tmp_path, "true")
    assert [path for path in (tmp_path / "data" / "kept" / "pending").rglob("*")] == []
