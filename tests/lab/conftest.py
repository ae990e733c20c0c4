"""The lab: without root or a program its tests are skipped."""

from __future__ import annotations

from pathlib import Path

import lab_net
import pytest

FOLDER = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def lab():
    """Nothing, on a machine that can run the lab."""
    reason = lab_net.missing()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="module", params=["nft", "legacy"])
def backend(request, lab):
    """The kind of iptables."""
    return request.param
