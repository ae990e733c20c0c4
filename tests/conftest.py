"""Shared fixtures: golden files, and what a missing tool or folder means."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_NO_REFERENCE = "the reference data is not on this machine"
_NOBODY = 65534
REFERENCE = Path(os.environ.get("EGRESSC_REFERENCE", ROOT.parent / "shared" / "reference"))


PACKAGES = {
    "egressc": "compiler",
    "egressc.grammar": "grammar",
    "egressc.pages": "docs/diagnostics",
    "egressc.policies": "policies",
    "egressc.targets": "targets",
}


def pytest_sessionstart(session):
    """The editable install is a tree of links: a file made after it is invisible until the next install."""
    missing = []
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                place = files(package)
                for part in path.relative_to(ROOT / folder).parts:
                    place = place / part
                if not place.is_file():
                    missing.append(path.relative_to(ROOT).as_posix())
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        pytest.exit(f"not in the installed package: {shown}\nrun: pip install -e '.[test]'", returncode=4)


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where everything must be there (``EGRESSC_LAB=required``), a skip is a failure, but for the reference data."""
    report = yield
    if report.skipped and os.environ.get("EGRESSC_LAB") == "required" and str(call.excinfo.value) != _NO_REFERENCE:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be here: {call.excinfo.value}"
    return report


@pytest.fixture
def golden(request):
    """A function that compares bytes with a golden file, or writes it with ``--update-golden``."""
    update = request.config.getoption("--update-golden")

    def compare(path, content):
        path = Path(path)
        if isinstance(content, str):
            content = content.encode()
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        assert path.exists(), f"{path} is missing: run pytest with --update-golden and review the file"
        assert content == path.read_bytes()

    return compare


@pytest.fixture
def as_nobody():
    """A function that gives a folder away and runs on as a user to whom rights matter; root until it is called.

    What the test needs to import must have been imported by then.
    """
    was = os.geteuid()

    def give_away(folder):
        if was:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, -1)
        for above in folder.parents[:2]:  # pytest keeps its folders to the user who runs it
            above.chmod(above.stat().st_mode | 0o011)
        os.seteuid(_NOBODY)

    yield give_away
    os.seteuid(was)


@pytest.fixture(scope="session")
def reference():
    """The folder of reference data outside the repository; the test is skipped when it is absent."""
    if not REFERENCE.is_dir():
        pytest.skip(_NO_REFERENCE)
    return REFERENCE
