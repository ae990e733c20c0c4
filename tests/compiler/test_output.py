"""Output folders: all or nothing, whatever fails and whenever."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from egressc.output import Folder, digest, write
from egressc.output_manifest import OutputError

MADE_FROM = {"sources": {"p.egress": "sha256:00"}}


def folder(path, target="t", **files):
    firewall = path.split("/")[0]
    return Folder(path, firewall, target, tuple((n.replace("__", "."), c.encode()) for n, c in files.items()))


FIRST = (
    folder("edge", a__txt="old a", b__txt="old b"),
    folder("hosts/one", c__txt="old"),
    folder("hosts/two", c__txt="2"),
)
SECOND = (folder("edge", a__txt="new a", d__txt="new d"), folder("fresh", e__txt="e"), folder("hosts", c__txt="whole"))


def put(out, folders, *, complete=True):
    write(out, folders, "1.2.3", MADE_FROM, complete=complete)


def tree(out):
    """Every file below a folder with its content, and empty folders."""
    found = {}
    for place, folders, files in os.walk(out):
        for name in files:
            path = Path(place, name)
            found[path.relative_to(out).as_posix()] = path.read_bytes()
        if not folders and not files and place != str(out):
            found[Path(place).relative_to(out).as_posix() + "/"] = b""
    return found


def test_the_tree_and_its_manifest(tmp_path):
    out = tmp_path / "deep" / "build"
    put(out, FIRST)
    assert set(tree(out)) == {
        "edge/a.txt",
        "edge/b.txt",
        "hosts/one/c.txt",
        "hosts/two/c.txt",
        "manifest.json",
    }
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["egressc"] == "1.2.3"
    assert list(manifest["firewalls"]) == ["edge", "hosts"]
    hosts = manifest["firewalls"]["hosts"]
    assert hosts["target"] == "t"
    assert hosts["sources"] == {"p.egress": "sha256:00"}
    assert hosts["files"] == {
        "one/c.txt": "sha256:" + sha256(b"old").hexdigest(),
        "two/c.txt": "sha256:" + sha256(b"2").hexdigest(),
    }
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_twice_is_once(tmp_path):
    put(tmp_path, FIRST)
    before = tree(tmp_path)
    put(tmp_path, FIRST)
    assert tree(tmp_path) == before


def test_a_complete_run_replaces_and_removes(tmp_path):
    put(tmp_path, FIRST)
    put(tmp_path, SECOND)
    assert set(tree(tmp_path)) == {"edge/a.txt", "edge/d.txt", "fresh/e.txt", "hosts/c.txt", "manifest.json"}
    put(tmp_path, SECOND[:1])
    assert set(tree(tmp_path)) == {"edge/a.txt", "edge/d.txt", "manifest.json"}


def test_other_folders_and_entries_stay_when_the_run_is_not_complete(tmp_path):
    put(tmp_path, FIRST)
    before = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    write(tmp_path, SECOND[1:2], "9.9.9", {"sources": {}}, complete=False)
    after = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert set(tree(tmp_path)) == {
        "edge/a.txt",
        "edge/b.txt",
        "hosts/one/c.txt",
        "hosts/two/c.txt",
        "fresh/e.txt",
        "manifest.json",
    }
    for name in ("edge", "hosts"):
        assert after["firewalls"][name] == before["firewalls"][name]


@pytest.mark.parametrize("name", ["edge/notes.txt", "hosts/one/sub/x", "hosts/x", "edge/.hidden"])
def test_a_foreign_file_stops_it(tmp_path, name):
    put(tmp_path, FIRST)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="was not written by egressc"):
        put(tmp_path, SECOND)
    assert tree(tmp_path) == before


def test_a_foreign_file_in_a_folder_that_would_be_removed_stops_it(tmp_path):
    put(tmp_path, FIRST)
    (tmp_path / "hosts" / "notes").write_text("mine")
    with pytest.raises(OutputError, match="notes"):
        put(tmp_path, SECOND[:1])
    put(tmp_path, SECOND[:1], complete=False)
    assert (tmp_path / "hosts" / "notes").read_text() == "mine"


def test_files_beside_the_folders_are_nobodys_business(tmp_path):
    (tmp_path / "README").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x").write_text("mine")
    put(tmp_path, FIRST)
    put(tmp_path, SECOND)
    assert (tmp_path / "README").read_text() == "mine"
    assert (tmp_path / "other" / "x").read_text() == "mine"


def test_links_are_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.txt").write_text("mine")
    out = tmp_path / "out"
    put(out, FIRST)
    (out / "edge" / "a.txt").unlink()
    (out / "edge" / "a.txt").symlink_to(elsewhere / "a.txt")
    with pytest.raises(OutputError, match="was not written"):
        put(out, SECOND)
    (out / "edge" / "a.txt").unlink()
    (out / "edge" / "sub").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="was not written"):
        put(out, SECOND)
    (out / "edge" / "sub").unlink()
    (out / "edge" / "b.txt").unlink()
    (out / "edge").rmdir()
    (out / "edge").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="stands where"):
        put(out, SECOND)
    assert (elsewhere / "a.txt").read_text() == "mine"


def test_the_output_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put(tmp_path / "link", FIRST)
    put(tmp_path / "link", SECOND)
    assert "fresh/e.txt" in tree(tmp_path / "real")
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"firewalls": 1}', '{"firewalls": {"a": {}}}', '{"firewalls": {"../a": {"target": "t", "files": {}}}}',
     '{"firewalls": {"a": {"target": "t", "files": {"x": 1}}}}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_manifest_stops_it(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(OutputError, match="is not a manifest"):
        put(tmp_path, FIRST)
    assert set(tree(tmp_path)) == {"manifest.json"}


def test_places_that_are_no_folders(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is not a folder"):
        put(tmp_path / "file", FIRST)
    with pytest.raises(OutputError, match="cannot write"):
        put(tmp_path / "file" / "below", FIRST)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "edge").write_text("x")
    with pytest.raises(OutputError, match="stands where"):
        put(tmp_path / "out", FIRST)
    assert (tmp_path / "file").read_text() == "x"


class Failure:
    """Lets the n-th change of the file system fail."""

    METHODS = ("mkdir", "write_bytes", "write_text", "rename", "replace", "unlink", "rmdir")

    def __init__(self, monkeypatch, at, how):
        self.calls = 0
        for name in self.METHODS:
            real = getattr(Path, name)

            def changed(path, *args, _real=real, **options):
                self.calls += 1
                if self.calls == at:
                    how()
                return _real(path, *args, **options)

            monkeypatch.setattr(Path, name, changed)


def full():
    raise OSError(28, "No space left on device")


def interrupt():
    raise KeyboardInterrupt


def changes_of_a_second_run(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        put(tmp_path / "count", FIRST)
        counting = Failure(patch, 0, full)
        put(tmp_path / "count", SECOND)
        return counting.calls


@pytest.mark.parametrize(("how", "error"), [(full, OutputError), (interrupt, KeyboardInterrupt)])
def test_a_failure_at_any_step_leaves_what_was_there(tmp_path, how, error):
    steps = changes_of_a_second_run(tmp_path)
    assert steps > 15
    failed = 0
    for at in range(1, steps + 1):
        out = tmp_path / f"out{at}"
        put(out, FIRST)
        before = tree(out)
        with pytest.MonkeyPatch.context() as patch:
            Failure(patch, at, how)
            try:
                put(out, SECOND)
            except error:
                failed += 1
                after = tree(out)
                assert after == before, at
        put(out, SECOND)
        assert tree(out) == tree(tmp_path / "count"), at
    assert failed >= steps - 3, "nearly every step is before the moment at which everything counts"


def test_a_failure_in_a_new_folder_leaves_nothing(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        counting = Failure(patch, 0, full)
        put(tmp_path / "count" / "build", FIRST)
    for at in range(1, counting.calls + 1):
        out = tmp_path / f"new{at}" / "build"
        with pytest.MonkeyPatch.context() as patch:
            Failure(patch, at, full)
            with pytest.raises(OutputError, match="no space left"):
                put(out, FIRST)
        assert not out.parent.exists(), at


def test_a_run_that_is_killed_at_any_step_is_taken_back_by_the_next(tmp_path):
    steps = changes_of_a_second_run(tmp_path)
    nothing = folder("zzz", x__txt="x")
    outcomes = set()
    for at in range(1, steps + 1):
        out = tmp_path / f"killed{at}"
        put(out, FIRST)
        before = {**tree(out)}
        child = os.fork()
        if child == 0:
            with pytest.MonkeyPatch.context() as patch:
                Failure(patch, at, lambda: os._exit(9))
                put(out, SECOND)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 9, at
        # The next run touches none of these folders, and finds them as they were before or as they should be after.
        put(out, (nothing,), complete=False)
        found = {name: content for name, content in tree(out).items() if not name.startswith(("zzz/", "manifest"))}
        old = {name: content for name, content in before.items() if not name.startswith("manifest")}
        new = {n: c for n, c in tree(tmp_path / "count").items() if not n.startswith("manifest")}
        assert found in (old, new), at
        outcomes.add(found == new)
        put(out, SECOND)
        assert tree(out) == tree(tmp_path / "count"), at
    assert False in outcomes


def test_a_file_put_into_a_folder_after_a_crash_is_not_lost(tmp_path):
    put(tmp_path, FIRST)
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "replace", lambda *_: os._exit(9))
            put(tmp_path, SECOND)
        os._exit(0)
    os.waitpid(child, 0)
    (tmp_path / "edge" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        put(tmp_path, FIRST)
    assert (tmp_path / "edge" / "mine.txt").read_text() == "mine"
    (tmp_path / "edge" / "mine.txt").unlink()
    put(tmp_path, FIRST)
    assert (tmp_path / "edge" / "a.txt").read_text() == "old a"
