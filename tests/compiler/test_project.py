"""Finding, reading and importing files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from egressc.project import load_project
from egressc.project_paths import find_inventories, find_root

RULE = 'policy p "d" { from g allow r "d" { to a.example.com ports 443 } }\n'


def write(folder, **files):
    """Files by name: ``__`` is ``/``, and every name gets ``.egress``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.egress"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def names(project, *, compiled=None):
    return [f.source.name for f in project.files if compiled is None or f.is_compiled is compiled]


def codes(project):
    return [d.code for d in project.diagnostics]


def test_folder_stands_for_every_policy_file_below_it(tmp_path):
    write(tmp_path, b="", a="", sub__deep__c="", **{".git__x": "", ".hidden": "", "sub__.venv__y": ""})
    (tmp_path / "notes.txt").write_text("no policy")
    (tmp_path / "old.egress.bak").write_text("no policy")
    project = load_project([str(tmp_path)])
    assert names(project) == ["a.egress", "b.egress", "sub/deep/c.egress"]
    assert names(project, compiled=False) == []
    assert not project.diagnostics
    assert not project.could_not_run


def test_file_given_twice_counts_once(tmp_path):
    write(tmp_path, a="", sub__b="")
    (tmp_path / "link.egress").symlink_to(tmp_path / "a.egress")
    (tmp_path / "again").symlink_to(tmp_path / "sub")
    paths = [
        str(tmp_path / "a.egress"),
        str(tmp_path),
        str(tmp_path / "sub/../a.egress"),
        str(tmp_path / "link.egress"),
    ]
    assert names(load_project(paths)) == ["a.egress", "sub/b.egress"]


def test_folder_behind_a_link_is_looked_into_and_a_circle_of_links_ends(tmp_path):
    write(tmp_path, policies__a="", elsewhere__b="")
    (tmp_path / "inventory.yaml").touch()
    (tmp_path / "policies/shared").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "policies")
    assert names(load_project([str(tmp_path / "policies")])) == ["elsewhere/b.egress", "policies/a.egress"]


@pytest.mark.parametrize("mark", ["inventory.yaml", ".git"])
def test_root_is_the_nearest_folder_upwards_with_a_mark(tmp_path, mark):
    write(tmp_path, policies__team__a="")
    (tmp_path / ".git").mkdir()
    (tmp_path / "policies" / mark).touch()
    assert find_root(str(tmp_path / "policies/team/a.egress")) == str(tmp_path / "policies")
    assert find_root(str(tmp_path / "policies/team")) == str(tmp_path / "policies")
    assert names(load_project([str(tmp_path / "policies/team")])) == ["team/a.egress"]


def test_root_without_a_mark_is_the_folder_of_the_first_path(tmp_path):
    write(tmp_path, one__a="", two__b="")
    assert find_root(str(tmp_path / "one")) == str(tmp_path / "one")
    assert find_root(str(tmp_path / "one/a.egress")) == str(tmp_path / "one")
    assert names(load_project([str(tmp_path / "one"), str(tmp_path / "two")])) == ["../two/b.egress", "a.egress"]


def test_root_resolves_links_first(tmp_path):
    write(tmp_path, real__deep__a="")
    (tmp_path / "real/inventory.yaml").touch()
    (tmp_path / "link.egress").symlink_to(tmp_path / "real/deep/a.egress")
    assert names(load_project([str(tmp_path / "link.egress")])) == ["deep/a.egress"]


def test_names_do_not_depend_on_the_working_directory_but_what_is_shown_does(tmp_path, monkeypatch):
    write(tmp_path, policies__a='import "../lib/b.egress"', lib__b="")
    (tmp_path / "inventory.yaml").touch()
    monkeypatch.chdir(tmp_path)
    above = load_project(["policies/a.egress"])
    monkeypatch.chdir(tmp_path / "policies")
    inside = load_project(["./a.egress"])
    nothing = load_project([])
    assert names(above) == names(inside) == names(nothing) == ["lib/b.egress", "policies/a.egress"]
    assert [f.source.shown for f in above.files] == ["lib/b.egress", "policies/a.egress"]
    assert [f.source.shown for f in inside.files] == ["../lib/b.egress", "a.egress"]


@pytest.mark.parametrize(
    ("path", "help_"),
    [
        ("policies/mian.egress", "did you mean `policies/main.egress`?"),
        ("polices/main.egress", "did you mean `policies/main.egress`?"),
        ("polices/other.egress", "did you mean `policies`?"),
        ("policies/main", "did you mean `policies/main.egress`?"),
        ("nothing/like/it", ""),
        ("", "`.` stands for the working directory"),
    ],
)
def test_path_that_does_not_exist(tmp_path, monkeypatch, path, help_):
    write(tmp_path, policies__main="")
    monkeypatch.chdir(tmp_path)
    project = load_project([path])
    (found,) = project.diagnostics
    assert (found.code, found.file, found.help) == ("E0200", path, help_)
    assert project.could_not_run


def test_all_paths_that_do_not_exist_are_reported(tmp_path, monkeypatch):
    write(tmp_path, policies__main="")
    monkeypatch.chdir(tmp_path)
    project = load_project(["one", "policies", "two"])
    assert codes(project) == ["E0200", "E0200"]
    assert names(project) == ["policies/main.egress"]


def test_folder_without_policies_and_file_of_another_kind(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "inventory.yaml").touch()
    project = load_project([str(tmp_path / "empty"), str(tmp_path / "inventory.yaml")])
    assert codes(project) == ["E0201", "E0202"]
    assert project.could_not_run
    assert project.files == ()


def test_dangling_link_cannot_be_read(tmp_path):
    (tmp_path / "a.egress").symlink_to(tmp_path / "gone.egress")
    project = load_project([str(tmp_path)])
    assert codes(project) == ["E0237"]
    assert project.could_not_run


def test_file_without_permission(tmp_path, as_nobody):
    write(tmp_path, a="")
    assert not load_project([str(tmp_path)]).diagnostics
    (tmp_path / "a.egress").chmod(0)
    as_nobody(tmp_path)
    project = load_project([str(tmp_path)])
    assert codes(project) == ["E0237"]
    assert project.could_not_run


def test_link_to_itself(tmp_path):
    (tmp_path / "loop.egress").symlink_to(tmp_path / "loop.egress")
    project = load_project([str(tmp_path / "loop.egress")])
    assert codes(project) == ["E0237"]
    assert project.could_not_run


def test_text_that_is_no_utf8_is_an_error_but_the_run_could_run(tmp_path):
    (tmp_path / "a.egress").write_bytes(b"# \xff")
    project = load_project([str(tmp_path)])
    assert codes(project) == ["E0100"]
    assert not project.could_not_run


def test_diamond_is_read_once_and_a_circle_of_imports_does_no_harm(tmp_path):
    write(
        tmp_path,
        a='import "b.egress" import "c.egress"',
        b='import "d.egress" import "a.egress"',
        c='import "d.egress"',
        d='import "lib/e.egress"',
        lib__e='import "../a.egress"',
    )
    project = load_project([str(tmp_path / "a.egress")])
    assert names(project) == ["a.egress", "b.egress", "c.egress", "d.egress", "lib/e.egress"]
    assert names(project, compiled=True) == ["a.egress"]
    assert not project.diagnostics
    imports = {f.source.name: [i.name for i in f.imports] for f in project.files}
    assert imports["a.egress"] == ["b.egress", "c.egress"]
    assert imports["b.egress"] == ["d.egress", "a.egress"]
    assert imports["lib/e.egress"] == ["a.egress"]


def test_import_through_a_link_is_the_file_behind_it(tmp_path):
    write(tmp_path, a='import "link.egress" import "lib/b.egress"', lib__b="")
    (tmp_path / "link.egress").symlink_to(tmp_path / "lib/b.egress")
    project = load_project([str(tmp_path / "a.egress")])
    assert names(project) == ["a.egress", "lib/b.egress"]
    assert codes(project) == ["W0242"]
    assert project.diagnostics[0].span.text == '"lib/b.egress"'


def test_import_through_a_link_out_of_the_root(tmp_path):
    write(tmp_path, root__a='import "link.egress"', outside__b="")
    (tmp_path / "root/inventory.yaml").touch()
    (tmp_path / "root/link.egress").symlink_to(tmp_path / "outside/b.egress")
    project = load_project([str(tmp_path / "root")])
    assert "E0204" in codes(project)


def test_import_may_go_up_as_long_as_it_stays_below_the_root(tmp_path):
    write(tmp_path, root__sub__a='import "../b.egress"', root__b="", rooted__c="")
    (tmp_path / "root/.git").mkdir()
    assert codes(load_project([str(tmp_path / "root/sub")])) == []
    # A folder whose name begins like the root's is not below it.
    write(tmp_path, root__sub__a='import "../../rooted/c.egress"')
    assert codes(load_project([str(tmp_path / "root/sub")])) == ["E0204"]


def test_import_without_a_mark_stays_below_the_folder_of_the_first_path(tmp_path):
    write(tmp_path, sub__a='import "../b.egress"', b="")
    assert codes(load_project([str(tmp_path / "sub/a.egress")])) == ["E0204"]
    assert codes(load_project([str(tmp_path), str(tmp_path / "sub/a.egress")])) == []


@pytest.mark.parametrize("value", ["x" * 5000 + ".egress", "a/" * 3000 + "b.egress", "\x01.egress"])
def test_import_that_no_file_can_be_called(tmp_path, value):
    write(tmp_path, a=f'import "{value}"')
    found = codes(load_project([str(tmp_path)]))
    assert found in (["E0203"], ["E0101"])


@pytest.mark.parametrize(
    ("written", "suggested"),
    [
        ("lib/certificate.egress", "lib/certificates.egress"),
        ("lb/certificates.egress", "lib/certificates.egress"),
        ("lib/certificates", "lib/certificates.egress"),
        ("lib\\certificates.egress", "lib/certificates.egress"),
    ],
)
def test_near_file_is_suggested(tmp_path, written, suggested):
    write(tmp_path, a=f'import "{written}"', lib__certificates="")
    (found,) = load_project([str(tmp_path / "a.egress")]).diagnostics
    assert found.code == "E0203"
    assert f"`{suggested}`" in found.help


def test_the_importing_file_is_not_suggested(tmp_path):
    write(tmp_path, main='import "mian.egress"\nimport "b.egress/"\n', b="")
    first, second = load_project([str(tmp_path)]).diagnostics
    assert (first.code, first.help) == ("E0203", "the path is relative to this file")
    assert (second.code, second.help) == ("E0203", "write `b.egress`")


def test_import_of_a_file_that_has_syntax_errors_reports_them_there(tmp_path):
    write(tmp_path, a='import "b.egress"', b="endpoints {")
    project = load_project([str(tmp_path / "a.egress")])
    assert {d.span.source.name for d in project.diagnostics} == {"b.egress"}


def test_inventory_stands_in_the_folder_or_beside_the_file(tmp_path, monkeypatch):
    write(tmp_path, one__sub__a="", two__b="")
    (tmp_path / "one/inventory.yaml").touch()
    (tmp_path / "two/inventory.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_inventories(["one"]) == ("one/inventory.yaml",)
    assert find_inventories(["two/b.egress"]) == ("two/inventory.yaml",)
    assert find_inventories(["one/sub"]) == ()
    assert find_inventories(["one/sub", "two"]) == ("two/inventory.yaml",)
    assert find_inventories([]) == ()
    assert find_inventories(["two", "one", "two/b.egress"]) == ("two/inventory.yaml", "one/inventory.yaml")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/inventory.yaml").symlink_to("nowhere")
    assert find_inventories(["broken"]) == ("broken/inventory.yaml",), "what cannot be read is not passed over"
    (tmp_path / "three").symlink_to("one")
    assert find_inventories(["one", "three"]) == ("one/inventory.yaml",), "the same file by two ways"
    monkeypatch.chdir(tmp_path / "one")
    assert find_inventories([]) == ("inventory.yaml",)
    assert find_inventories(["."]) == ("inventory.yaml",)


def test_file_name_that_is_no_text_can_be_written(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.egress"
    Path(os.fsdecode(name)).write_text(RULE, "utf-8")
    (file,) = load_project([str(tmp_path)]).files
    assert file.source.name == "caf\\xe9.egress"
    file.source.shown.encode("utf-8")


def test_a_pipe_among_the_policies_is_told_and_not_waited_for(tmp_path):
    (tmp_path / "a.egress").write_text("", encoding="utf-8")
    os.mkfifo(tmp_path / "b.egress")
    found = load_project((str(tmp_path),))
    assert found.could_not_run
    assert [each.message.endswith("not a regular file") for each in found.diagnostics] == [True]
