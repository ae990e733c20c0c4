"""Where the two sides of a change come from: files, folders, git revisions."""

from __future__ import annotations

import os
import subprocess

import pytest
import revisions_support as support
from revisions_support import INVENTORY, POLICY, git

from egressc.api import load
from egressc.parse_memory import Memory
from egressc.project_files import DISK
from egressc.project_paths import find_files
from egressc.revisions import RevisionError, versions


@pytest.fixture
def repo(tmp_path, monkeypatch):
    folder = support.repository(tmp_path / "repo")
    monkeypatch.chdir(folder)
    return folder


def rules(version, inventory=None):
    """The identities and places of the rules of a side."""
    loaded = load(version.paths, inventory, version.files)
    # The side that lacks the PATHs has no rule, and nobody wonders.
    assert {d.code for d in loaded.diagnostics} <= {"W0247"}, loaded.diagnostics
    return [(r.identity, r.span.source.shown, r.span.line) for r in loaded.policy.rules]


def both(*words, **more):
    with versions(*words, **more) as pair:
        return pair.title, rules(pair.old), rules(pair.new)


CHANGED = POLICY.replace("allow b", "# b\n    allow bb")
OLD = [("p/a", "policies/main.egress", 3), ("p/b", "policies/main.egress", 4)]
NEW = [("p/a", "policies/main.egress", 3), ("p/bb", "policies/main.egress", 5)]


def test_a_revision_against_the_working_tree(repo):
    (repo / "policies/main.egress").write_text(CHANGED)
    assert both("main", None, ("policies",)) == ("policies  main → working tree", OLD, NEW)
    assert both("main", "policies") == ("policies  main → working tree", OLD, NEW)
    assert both("policies", "main") == ("policies  working tree → main", NEW, OLD)
    assert both("HEAD", None, ("policies/main.egress",))[1:] == (OLD, NEW)


def test_two_revisions(repo):
    support.commit(repo, {"policies/main.egress": CHANGED}, tag="v2")
    git(repo, "tag", "v1", "main~1")
    (repo / "policies/main.egress").write_text("not a policy")
    assert both("v1..v2", None, ("policies/",)) == ("policies  v1..v2", OLD, NEW)
    assert both("v1", "v2", ("policies",)) == ("policies  v1..v2", OLD, NEW)
    assert both("v1..", None, ("policies",))[1:] == (OLD, NEW)
    assert both("..v1", None, ("policies",))[1:] == (NEW, OLD)
    assert both("main~1..main", None, ("./policies",))[1:] == (OLD, NEW)


def test_three_dots_begin_where_the_branches_went_apart(repo):
    support.commit(repo, {"policies/main.egress": CHANGED}, branch="topic")
    git(repo, "checkout", "-q", "main")
    support.commit(repo, {"policies/main.egress": POLICY.replace("allow a", "allow aa")})
    title, old, new = both("main...topic", None, ("policies",))
    assert (title, old, new) == ("policies  main...topic", OLD, NEW)
    assert [rule for rule, *_ in both("main..topic", None, ("policies",))[1]] == ["p/aa", "p/b"]


def test_places_are_those_of_the_repository_from_wherever_it_is_run(repo, monkeypatch):
    (repo / "policies/main.egress").write_text(CHANGED)
    monkeypatch.chdir(repo / "policies")
    assert both("main", None, ("main.egress",)) == ("policies/main.egress  main → working tree", OLD, NEW)
    assert both("main", None)[1:] == (OLD, NEW)
    assert both("main", None, (str(repo / "policies"),))[1:] == (OLD, NEW)


def test_a_link_to_the_repository_is_the_repository(repo, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(repo)
    monkeypatch.chdir(tmp_path / "link")
    assert both("main", None, (str(tmp_path / "link/policies"),))[1] == OLD


def test_imports_and_the_inventory_are_those_of_the_side(repo):
    support.commit(
        repo,
        {
            "policies/main.egress": 'import "sets/a.egress"\npolicy p "P" { from g allow a "A" { to s ports 443 } }\n',
            "policies/sets/a.egress": "endpoints s { a.example.net }\n",
            "policies/tags.json": '{"changeNumber": 1, "cloud": "Public", "values": [{"name": "T", "properties": {"addressPrefixes": ["203.0.113.0/24"]}}]}',
            "policies/inventory.yaml": INVENTORY + "service-tags: tags.json\n",
        },
        tag="v1",
    )
    support.commit(
        repo,
        {
            "policies/sets/a.egress": None,
            "policies/tags.json": None,
            "policies/main.egress": POLICY.replace("from g", "from h"),
            "policies/inventory.yaml": INVENTORY.replace("g:", "h:"),
        },
    )
    with versions("v1..HEAD", None, ("policies/main.egress",)) as pair:
        old = load(pair.old.paths, None, pair.old.files)
        new = load(pair.new.paths, None, pair.new.files)
    assert not old.diagnostics
    assert not new.diagnostics
    assert [group.name for group in old.inventory.groups] == ["g"]
    assert [group.name for group in new.inventory.groups] == ["h"]
    assert old.inventory.service_tags.change_number == 1
    assert [s.shown for s in old.sources] == [
        "policies/main.egress",
        "policies/sets/a.egress",
        "policies/inventory.yaml",
    ]
    assert str(repo) not in repr([s.name for s in (*old.sources, *new.sources)])


def test_links_in_a_commit_lead_where_they_lead_there(repo):
    (repo / "linked").symlink_to("policies/deep")
    (repo / "policies/one.egress").symlink_to("shared/one.egress")
    (repo / "loop.egress").symlink_to("loop.egress")
    (repo / "out.egress").symlink_to("../out.egress")
    (repo.parent / "out.egress").write_text("not in the repository")
    support.commit(
        repo,
        {
            "policies/shared/one.egress": "endpoints one { a.example.net }\n",
            "policies/deep/two.egress": 'import "../one.egress"\n',
        },
    )
    git(repo, "rm", "-q", "-r", "linked", "policies/one.egress", "policies/shared", "policies/deep")
    with versions("HEAD", None, ("linked", "policies")) as pair:
        files = pair.old.files
        assert files.real("linked/two.egress") == str(repo / "policies/deep/two.egress")
        assert files.real("policies/one.egress") == str(repo / "policies/shared/one.egress")
        assert files.read("linked/../one.egress") == b"endpoints one { a.example.net }\n"
        assert files.is_dir("linked")
        assert files.is_link("linked")
        assert not files.is_link("linked/two.egress")
        assert [files.is_file(name) for name in ("policies/one.egress", "linked", "loop.egress", "out.egress")] == [
            True, False, False, True,
        ]  # fmt: skip
        assert [files.lexists(name) for name in ("loop.egress", "out.egress", "missing")] == [True, True, False]
        assert files.real("out.egress") == str(repo.parent / "out.egress")
        assert files.read("out.egress") == b"not in the repository", "it is the same for every commit"
        for name in ("loop.egress", "policies", "missing"):
            with pytest.raises(OSError, match=name):
                files.read(name)
        loaded = load(("linked/two.egress",), None, files)
        assert [d.code for d in loaded.diagnostics] == ["W0247"]
        assert [s.shown for s in loaded.sources] == ["linked/two.egress", "policies/shared/one.egress"]


def test_a_commit_answers_as_its_working_tree_does(repo, monkeypatch):
    """Every question that the loader may ask, of files, folders, links of all kinds, and things that are not there."""
    support.write(repo, {"a/b/c.egress": "x", "a/b/inventory.yaml": "y", "a/d.egress": "z", ".hidden/e.egress": "h"})
    for name, target in {
        "to-file": "a/d.egress", "to-folder": "a/b", "a/up": "..", "a/b/two": "../../to-folder", "broken": "nowhere",
        "loop-1": "loop-2", "loop-2": "loop-1", "a/out": "../../elsewhere", "file-as-folder": "a/d.egress/x",
        "absolute": str(repo / "to-folder"), "there-and-back": "../repo/a", "away": str(repo.parent / "elsewhere"),
        "self": str(repo / "self"),
    }.items():  # fmt: skip
        (repo / name).symlink_to(target)
    support.commit(repo, {})
    support.write(repo.parent, {"elsewhere/x.egress": "w"})
    names = [".", "a", "a/b", "a/b/c.egress", "to-file", "to-folder", "to-folder/c.egress", "a/up", "a/up/a/d.egress", "a/b/two",
             "a/b/two/c.egress", "broken", "loop-1", "loop-1/x", "file-as-folder", "a/d.egress/x", "missing", "missing/x", "a/../a/b",
             "to-folder/..", "to-folder/../d.egress", "a//b/./c.egress", ".git", ".hidden", str(repo), str(repo / "a"), "a/b/",
             "policies/../a/up/to-file", "absolute", "absolute/c.egress", "absolute/../d.egress", "there-and-back/b/c.egress", "away",
             "away/x.egress", "a/out", "a/out/x.egress", "a/out/../repo/a/d.egress", "self", "self/x"]  # fmt: skip

    def asked(files, question, name):
        try:
            answer = getattr(files, question)(name)
        except OSError:
            return OSError
        return sorted(answer) if isinstance(answer, list) else answer

    for folder in (repo, repo / "a", repo / "a" / "b"):
        monkeypatch.chdir(folder)
        with versions("main..main", None, (str(repo / "policies"),)) as pair:
            tree = pair.new.files
            for name in names:
                for question in ("real", "is_dir", "is_file", "is_link", "exists", "lexists"):
                    if name != ".git" or "exists" in question:  # that it is there is all that a commit knows of it
                        assert asked(tree, question, name) == asked(DISK, question, name), (question, name)
                if not {".", ".git", str(repo)} & {name} and os.path.realpath(name) not in {
                    str(repo),
                    str(repo / ".git"),
                }:
                    assert asked(tree, "listdir", name) == asked(DISK, "listdir", name), name
                if asked(tree, "is_file", name) is True:
                    assert tree.read(name) == DISK.read(name)
            found = [find_files((str(repo),), each).files for each in (tree, DISK)]
            assert [f.path for f in found[0]] == [f.path for f in found[1]]
            assert len(found[0]) == 4


def test_names_that_are_hard_on_a_command_line(repo):
    name = 'pol "x"\n\té\\{}/-o.egress'
    support.commit(repo, {name: POLICY.replace("policy p", "policy q")}, branch="x;touch${IFS}y")
    support.commit(repo, {name: None})
    _, old, new = both("x;touch${IFS}y~1", None, (name,))
    assert [rule for rule, *_ in old] == ["q/a", "q/b"]
    assert new == []
    assert not (repo / "y").exists()


def test_what_only_one_side_has_came_or_went(repo):
    support.commit(repo, {"policies/new.egress": POLICY.replace("policy p", "policy q")})
    with versions("main~1..main", None, ("policies/new.egress",)) as pair:
        assert pair.old.absent == ("policies/new.egress",)
        old = load(pair.old.paths, None, pair.old.files)
        assert not old.policy.rules
        assert [group.name for group in old.inventory.groups] == ["g"], "the inventory beside it counts"
        assert len(rules(pair.new)) == 2
    support.commit(repo, {"more/x.egress": POLICY, "more/inventory.yaml": INVENTORY})
    _, old, new = both("main~1..main", None, ("more",))
    assert (old, len(new)) == ([], 2)
    with versions("main..main~1", None, ("more", "policies/new.egress")) as pair:
        assert (pair.old.paths, pair.old.absent) == (("more", "policies/new.egress"), ())
        assert (pair.new.paths, pair.new.absent) == (("policies/new.egress",), ("more",))


def test_two_files_and_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    support.write(
        tmp_path,
        {"a/x.egress": POLICY, "a/inventory.yaml": INVENTORY, "b/x.egress": CHANGED, "b/inventory.yaml": INVENTORY},
    )
    title, old, new = both("a/x.egress", "b/x.egress")
    assert title == "a/x.egress → b/x.egress"
    assert (old[1], new[1]) == (("p/b", "a/x.egress", 4), ("p/bb", "b/x.egress", 5))
    assert both("a", "b")[1:] == (old, new)


def test_without_paths_it_is_the_folder_that_holds_everything(repo):
    def paths(*words, **more):
        with versions(*words, **more) as pair:
            return pair.title, pair.new.paths, len(pair.remarks)

    assert paths("main", None) == ("policies  main → working tree", ("policies",), 1)
    assert paths("main", None, has_inventory=True) == ("main → working tree", (".",), 0)
    support.write(repo, {"other/x.egress": POLICY})
    assert paths("main", None) == ("main → working tree", (".",), 0), "a policy elsewhere is not passed over"
    assert paths("main..main", None) == ("policies  main..main", ("policies",), 1)
    support.write(repo, {"other/x.egress": None, "other/inventory.yaml": INVENTORY})
    assert paths("main", None) == ("main → working tree", (".",), 0)
    support.write(repo, {"inventory.yaml": INVENTORY})
    assert paths("main", None) == ("main → working tree", (".",), 0)


def test_names_of_commits_are_short(repo):
    commit = git(repo, "rev-parse", "main").strip()
    with versions(f"{commit}...main", None, ("policies",)) as pair:
        assert pair.title == f"policies  {commit[:12]}...main"
        assert (pair.old.name, pair.old.prefix) == (f"{commit[:12]}...main", f"{commit[:12]}:")
        assert (pair.new.name, pair.new.prefix) == ("main", "main:")


def test_a_name_that_is_a_file_and_a_revision(repo):
    git(repo, "branch", "policies")
    (repo / "policies/main.egress").write_text(CHANGED)
    assert both("policies", None, ("policies",))[1:] == (OLD, NEW)


def test_files_that_git_difftool_puts_elsewhere(repo, tmp_path):
    support.commit(
        repo,
        {
            "policies/main.egress": 'import "s.egress"\npolicy p "P" { from g allow a "A" { to s ports 443 } }\n',
            "policies/s.egress": "endpoints s { a.example.net }\n",
        },
    )
    elsewhere = tmp_path / "elsewhere.egress"
    elsewhere.write_text('import "s.egress"\npolicy p "P" { from g allow b "B" { to s ports 443 } }\n')
    title, old, new = both(str(elsewhere), "policies/main.egress", stands_for="policies/main.egress")
    assert title == "policies/main.egress  old → new"
    assert old == [("p/b", "policies/main.egress", 2)]
    assert new == [("p/a", "policies/main.egress", 2)]
    assert both(os.devnull, "policies/main.egress")[1:] == ([], new)
    assert both("policies/main.egress", os.devnull)[1:] == (new, [])
    other = tmp_path / "other.yaml"
    other.write_text(INVENTORY.replace("192.0.2.0/24", "192.0.2.1"))
    with versions(str(other), "policies/inventory.yaml", stands_for="policies/inventory.yaml") as pair:
        groups = [load(side.paths, None, side.files).inventory.groups[0] for side in (pair.old, pair.new)]
    assert [str(group.networks.v4) for group in groups] == [
        "((3221225985, 3221225985),)",
        "((3221225984, 3221226239),)",
    ]


def wrong(*words, **more):
    with pytest.raises(RevisionError) as caught, versions(*words, **more):
        pass
    return caught.value.message, caught.value.help


def test_an_unknown_revision_gets_a_near_name(repo):
    git(repo, "tag", "release-1")
    assert wrong("mian", None) == ("there is no revision `mian`", "did you mean `main`?")
    assert wrong("release-2..main", None) == ("there is no revision `release-2`", "did you mean `release-1`?")
    assert wrong("main..zzzzzz", None) == ("there is no revision `zzzzzz`", "name a branch, a tag or a commit")
    assert wrong("--upload-pack=x", None)[0] == "there is no revision `--upload-pack=x`"
    assert wrong("main:policies", None)[0] == "there is no revision `main:policies`"
    assert wrong("policies/mian.egress", "main") == (
        "`policies/mian.egress` is neither a file or folder nor a revision", "did you mean `policies/main.egress`?",
    )  # fmt: skip
    assert wrong("policies/main.egress", None) == (
        "`policies/main.egress` is a file or folder: compare it with what?",
        "name two, or a revision: `egressc diff main -- policies/main.egress`",
    )


def test_a_path_that_neither_side_has(repo):
    assert wrong("main", None, ("polices",)) == (
        "there is no `polices`, neither in `main` nor in `working tree`", "did you mean `policies`?",
    )  # fmt: skip
    support.commit(repo, {"docs/x.md": "x"})
    assert (
        wrong("main..main", None, ("docs",))[0]
        == "there is no policy file below `docs`, neither in `main` nor in `main`"
    )
    assert wrong("policies", "docs", ("x",))[0] == "PATHs go with revisions, not with two files or folders"


def test_no_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert wrong("main", None)[0] == "a revision was named, and this folder is in no git repository"


def test_no_working_tree(repo, tmp_path, monkeypatch):
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare")
    monkeypatch.chdir(tmp_path / "bare")
    assert wrong("main~0..main", None)[0] == "this repository has no working tree"


def test_no_git(repo, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert wrong("main", None) == (
        "git cannot be run: no such file or directory", "install git, or name two files or folders",
    )  # fmt: skip


def test_a_shallow_clone_says_so(repo, tmp_path, monkeypatch):
    old = git(repo, "rev-parse", "HEAD").strip()
    support.commit(repo, {"policies/main.egress": CHANGED})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    message, advice = wrong(f"{old}..HEAD", None)
    assert message == f"there is no revision `{old}`"
    assert advice.startswith("this clone is shallow: fetch the rest with `git fetch --unshallow`")


def test_branches_that_have_nothing_in_common(repo):
    git(repo, "checkout", "-q", "--orphan", "other")
    support.commit(repo, {"policies/main.egress": CHANGED})
    assert wrong("main...other", None) == (
        "`main` and `other` have no commit in common", "compare them as they are: `main..other`",
    )  # fmt: skip


def test_git_is_asked_for_files_once(repo, monkeypatch):
    support.commit(repo, {f"policies/f{n}.egress": f"endpoints s{n} {{ a.example.net }}\n" for n in range(20)})
    asked = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda words, *a, **k: asked.append(words[3]) or real(words, *a, **k))
    both("main~1..main", None, ("policies",))
    assert asked.count("ls-tree") == 2
    assert asked.count("cat-file") == 1


def test_what_both_sides_have_is_parsed_once(repo, monkeypatch):
    support.commit(repo, {"policies/same.egress": "endpoints s { a.example.net }\n"})
    support.commit(repo, {"policies/main.egress": CHANGED})
    memory = Memory()
    with versions("main~1..main", None, ("policies",)) as pair:
        old = load(pair.old.paths, None, pair.old.files, memory.first)
        new = load(pair.new.paths, None, pair.new.files, memory.second)
    assert old.project.files[1].tree is new.project.files[1].tree
    assert old.project.files[0].tree is not new.project.files[0].tree
    assert [(r.identity, r.span.line) for r in new.policy.rules] == [("p/a", 3), ("p/bb", 5)]
    assert all(r.span.source is new.project.files[0].source for r in new.policy.rules)
