"""The benchmark of lists: a policy of so many rules, each with an endpoint of its own kind, in every format and form."""

from __future__ import annotations

import gc
import tempfile
import time
from datetime import date
from pathlib import Path

AS_OF = date(2026, 11, 22)

_TO = (
    "h{n}.example{m}.test",
    "*.d{n}.example.test",
    "*.w{n}.test w{n}.test",
    "10.{b}.{c}.0/24",
    "s{n}.test",
    "t{n}.example.test",
    "u{n}.test",
    "*.v{k}.test",
    "z{n}.v{k}.test",
)
"""Hosts, domains, networks; names that another rule's wildcard holds."""


def policy_text(rules: int) -> str:
    """A policy of so many rules for one group."""
    lines = ['policy p "P" { from g']
    for n in range(rules):
        to = _TO[n % len(_TO)].format(n=n, m=n % 97, b=n // 250 % 250, c=n % 250, k=n % 500)
        ports = "80/http 443/https" if n % 10 == 0 else "443/https"
        rest = "" if n % 10 == 0 else " no-tls-inspection"
        lines.append(f'  allow r{n} "Rule {n}" {{ to {to} ports {ports}{rest} }}')
    return "\n".join([*lines, "}", ""])


def measure_lists(rules: int) -> dict[str, float]:
    """CPU seconds to read such a policy, and to make each list from it, in this process."""
    from egressc.api import load
    from egressc.api_export import ListRequest, build_list
    from egressc.bind import prepare
    from egressc.reasons import Reason
    from egressc.targets.list_protocol import ListOptions, Proxy
    from egressc.targets.list_registry import format_names, load_format

    formats = [load_format(name) for name in format_names()]
    gc.disable()  # as the command line does
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "policy.egress").write_text(policy_text(rules), encoding="utf-8")
        (Path(name) / "inventory.yaml").write_text("groups: {g: {networks: [10.20.0.0/24]}}\n", encoding="utf-8")
        start = time.process_time()
        loaded = load((name,))
        assert loaded.policy is not None and loaded.inventory is not None, loaded.diagnostics[:3]
        prepared, _ = prepare(loaded.policy, loaded.inventory, AS_OF)
        found["read"] = time.process_time() - start
    every = tuple(reason.value for reason in Reason)
    for each in formats:
        for kind in sorted(each.lists):
            for form in each.forms:
                options = ListOptions(kind=kind, form=form, proxy=Proxy("proxy.example.net", 8080))
                start = time.process_time()
                build, report = build_list(prepared, ListRequest(format=each, options=options, accept=every))
                found[f"{each.name} {form} {kind.value}"] = time.process_time() - start
                # A limit of the format is an answer, too; it comes at the end of the work.
                assert build is not None or all(d.code == "E0626" for d in report if d.level.value == "error")
    return found


def show_lists(sizes: list[int], columns: list[dict[str, float]]) -> None:
    """Print the table."""
    print(f"{'CPU seconds, lists':32}" + "".join(f"{size:>12,}" for size in sizes))
    for key in columns[0]:
        print(f"{key:32}" + "".join(f"{column[key]:12.3f}" for column in columns))
    worst = [column["read"] + max(value for key, value in column.items() if key != "read") for column in columns]
    print(f"{'reading, and the slowest list':32}" + "".join(f"{each:12.3f}" for each in worst))
