"""A folder to stand in, and a way to run the command line in this process."""

from __future__ import annotations

import pytest
from cli_support import INVENTORY, POLICY

from egressc.cli import main


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one policy and an inventory of three firewalls, in which the test stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(capfd):
    """A function that runs a command line in this process: status, standard output, standard error."""

    def call(*words):
        capfd.readouterr()
        status = main(list(words))
        return status, *capfd.readouterr()

    return call
