"""The walls between the rooms: who may import whom, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPILER = ROOT / "compiler"
TARGETS = ROOT / "targets"

# From the bottom up. A module may import its own layer and those below; a name stands for itself and what it begins
# with `NAME_`. Every module must be in one of them.
LAYERS = (
    ("values", ("__init__ anything quick_init exits markdown naming problems ranges source labels host hosts addresses services "
     "suggest names public_suffixes words templates binding_values")),
    ("model", "diagnostics policy keywords syntax located_value inventory reach reasons flows flows_search meaning config_text lowering"),
    ("passes", ("read_source parse revisions located schema scope project resolve load_inventory service_tags format bind fill "
     "site flows_index rule_index tls approximate parts except_order licences exports")),
    ("analyses", "review diff question policy_tests lint exports_judge exports_announce exports_report exports_check explain_code proof drift fidelity announce summary report output"),
    ("target protocol", "targets.protocol targets.registry targets.list_protocol targets.list_registry targets"),
    ("targets", "targets.*"),
    ("api", "api"),
    ("command line", "cli __main__ completion console defect usage verb"),
)  # fmt: skip

PROTOCOL = {"targets.protocol", "targets.registry", "targets.list_protocol", "targets.list_registry"}

OUTSIDE_LIBRARIES = {
    "lark": {"parse"},
    "netaddr": {"addresses"},
    "yaml": {"located"},
    "jsonschema": {"schema_check"},
}


def modules():
    for path in sorted(COMPILER.glob("*.py")):
        yield path.stem, path
    for path in sorted((COMPILER / "lint").glob("*.py")):
        yield f"lint.{path.stem}".removesuffix(".__init__"), path
    for path in sorted(TARGETS.rglob("*.py")):
        parts = path.relative_to(TARGETS).with_suffix("").parts
        yield ".".join(("targets", *(part for part in parts if part != "__init__"))), path


MODULES = dict(modules())


def imports_of(path):
    """The modules of egressc that a file imports when it runs, and the outside packages."""
    own, outside = set(), set()

    def walk(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.ImportFrom) and child.module:
                if child.module == "egressc":
                    own.update(a.name if a.name in MODULES else "__init__" for a in child.names)
                elif child.module.startswith("egressc."):
                    module = child.module.removeprefix("egressc.")
                    inner = {f"{module}.{a.name}" for a in child.names}
                    own.update(inner & set(MODULES) or {module})
                else:
                    outside.add(child.module.split(".")[0])
            elif isinstance(child, ast.Import):
                for alias in child.names:
                    (own if alias.name.startswith("egressc") else outside).add(
                        alias.name.removeprefix("egressc.")
                        if alias.name.startswith("egressc.")
                        else alias.name.split(".")[0]
                    )
            walk(child)

    walk(ast.parse(path.read_text(encoding="utf-8")))
    return own, outside


def layer_of(module):
    if module.startswith("targets.") and module not in PROTOCOL:
        return 5
    found = [
        (len(name), number)
        for number, (_, names) in enumerate(LAYERS)
        for name in names.split()
        if module == name or module.startswith((f"{name}_", f"{name}."))
    ]
    return max(found)[1] if found else None


@pytest.mark.parametrize("module", sorted(MODULES))
def test_module_stands_in_a_layer_and_imports_downwards(module):
    layer = layer_of(module)
    assert layer is not None, f"{module} is in no layer: add it to the table"
    own, _ = imports_of(MODULES[module])
    for other in own:
        if other in {"grammar", "pages", "policies"}:
            continue
        below = layer_of(other)
        assert below is not None, f"{module} imports {other}, which is in no layer"
        assert below <= layer, f"{module} ({LAYERS[layer][0]}) imports {other} ({LAYERS[below][0]})"


def test_there_is_no_cycle():
    graph = {module: imports_of(path)[0] & set(MODULES) for module, path in MODULES.items()}
    done, path = set(), []

    def visit(module):
        if module in done:
            return
        assert module not in path, " → ".join([*path[path.index(module) :], module])
        path.append(module)
        for other in sorted(graph[module] - {module}):
            visit(other)
        path.pop()
        done.add(module)

    for module in sorted(graph):
        visit(module)


def test_a_target_knows_no_other_target_and_no_driver():
    for module, path in MODULES.items():
        package = module.split(".")[1] if module.count(".") else ""
        if not module.startswith("targets.") or module in PROTOCOL:
            continue
        own, _ = imports_of(path)
        for other in own:
            if other.startswith("targets."):
                assert other.split(".")[1] in {
                    package,
                    "protocol",
                    *(["list_protocol"] if package == "lists" else []),
                }, f"{module} imports {other}"
            else:
                assert layer_of(other) <= 2, f"{module} imports {other}"


@pytest.mark.parametrize("library", sorted(OUTSIDE_LIBRARIES))
def test_a_library_is_imported_in_one_place(library):
    users = {module for module, path in MODULES.items() if library in imports_of(path)[1]}
    assert users, f"nothing imports {library}"
    assert users <= OUTSIDE_LIBRARIES[library]


def test_no_module_is_too_long():
    long = {m: n for m, path in MODULES.items() if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long
