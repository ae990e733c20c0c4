"""The benchmark: CPU seconds, peak memory and cost per rule of each stage and target, from 100 to 100,000 rules.

    python tests/benchmarks/run.py [--sizes 100,1000,10000,100000] [--only compile|diff|lists]

Each size runs in a process of its own, so that peak memory is that of the size. Start-up (imports) is measured apart and
subtracted. Quote the ratios: machines are noisy.

`diff` compares a policy of that size with itself after 50 edits, first without firewalls, then with four. `lists` makes
every list for proxies from a policy of that size.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import edits
import generate
from lists import measure_lists, show_lists

AS_OF = date(2026, 11, 22)
STAGES = ("bind", "lower", "grade", "render", "prove")


def measure(rules: int) -> dict[str, float]:
    """CPU seconds of each stage for a policy of that size, in this process."""
    from egressc.announce import announcements
    from egressc.api import load
    from egressc.bind import bind, bind_everything, prepare
    from egressc.diagnostics import Level
    from egressc.fidelity import Grading, assess
    from egressc.fidelity_files import fidelity_json, fidelity_markdown
    from egressc.project import load_project
    from egressc.proof import prove
    from egressc.resolve import resolve
    from egressc.targets.registry import load_target, target_names

    gc.disable()  # as the command line does
    for name in target_names():
        load_target(name)
    found: dict[str, float] = {"imports_mb": _peak_mb()}
    with tempfile.TemporaryDirectory() as name:
        folder = str(generate.write(Path(name), rules))
        start = time.process_time()
        project = load_project((folder,))
        found["parse"] = time.process_time() - start
        start = time.process_time()
        resolve(project)
        found["resolve"] = time.process_time() - start
        del project
        begin = time.process_time()
        loaded = load((folder,))
        assert loaded.policy is not None and loaded.inventory is not None, loaded.diagnostics[:3]
        prepared, _ = prepare(loaded.policy, loaded.inventory, AS_OF)
        bind_everything(prepared)
        found["load"] = time.process_time() - begin
        size = 0
        for firewall in loaded.inventory.firewalls:
            target = load_target(firewall.target)
            settings, _ = target.load_settings(firewall.settings)
            marks = [time.process_time()]
            sites = bind(prepared, firewall, target, settings)
            found[f"{firewall.target} rules"] = sum(len(site.rules) for site in sites)
            marks.append(time.process_time())
            lowerings = [target.lower(site) for site in sites]
            marks.append(time.process_time())
            grading = Grading(firewall.accept, frozenset(), False, AS_OF, lambda *_: False)
            reports = [assess(site, low, grading) for site, low in zip(sites, lowerings, strict=True)]
            errors = [d for r in reports for d in announcements(r) if d.level is Level.ERROR]
            errors += [d for low in lowerings for d in low.diagnostics if d.level is Level.ERROR]
            assert not errors, [(d.code, d.message) for d in errors[:3]]
            marks.append(time.process_time())
            folders = []
            for low, report in zip(lowerings, reports, strict=True):
                files = target.render(low.model)
                folders.append(files)
                size += sum(len(artefact.content) for artefact in files)
                size += len(fidelity_json(report, target)) + len(fidelity_markdown(report, target))
            marks.append(time.process_time())
            for site, low, files in zip(sites, lowerings, folders, strict=True):
                if target.read is not None:
                    prove(site, target, low, [each for each in files if each.name not in target.derived])
            marks.append(time.process_time())
            for stage, since, until in zip(STAGES, marks, marks[1:], strict=False):
                found[f"{firewall.target} {stage}"] = until - since
        found["total"] = time.process_time() - begin
        found["output_mb"] = size / 1e6
    found["peak_mb"] = _peak_mb()
    return found


EDITS = 50
WITH_FIREWALLS = 10_000
"""Up to that size the comparison is measured with firewalls, too: each is compiled twice, which the other stages show."""


def measure_diff(rules: int) -> dict[str, float]:
    """CPU seconds of the stages of a review of two policies of that size, in this process."""
    from egressc.api import load
    from egressc.api_review import review_loaded
    from egressc.parse_memory import Memory
    from egressc.targets.registry import load_target, target_names

    gc.disable()  # as the command line does
    for name in target_names():
        load_target(name)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folders = [str(generate.write(Path(name) / side, rules)) for side in ("old", "new")]
        policy = Path(folders[1]) / "policy.egress"
        policy.write_text(edits.edited(policy.read_text(encoding="utf-8"), EDITS), encoding="utf-8")
        memory = Memory()
        marks = [time.process_time()]
        old = load((folders[0],), parse=memory.first)
        marks.append(time.process_time())
        new = load((folders[1],), parse=memory.second)
        marks.append(time.process_time())
    answer = review_loaded(old, new, as_of=AS_OF, firewalls=lambda _: False)
    marks.append(time.process_time())
    review = answer.review
    assert review is not None, (answer.old[:3], answer.new[:3])
    assert EDITS // 2 < len(review.newly_allowed) + len(review.no_longer_allowed) < EDITS * 8
    for stage, since, until in zip(("diff old side", "diff new side", "diff compare"), marks, marks[1:], strict=False):
        found[stage] = until - since
    found["diff"] = marks[-1] - marks[0]
    if rules <= WITH_FIREWALLS:
        start = time.process_time()
        answer = review_loaded(old, new, as_of=AS_OF)
        assert answer.review is not None
        assert len(answer.review.per_firewall) == 4
        found["diff, four firewalls"] = found["diff"] - found["diff compare"] + time.process_time() - start
    found["diff peak_mb"] = _peak_mb()
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run all sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000,10000,100000")
    parser.add_argument("--only", choices=("compile", "diff", "lists"))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        measured = {"diff": measure_diff, "lists": measure_lists}.get(options.only, measure)
        print(json.dumps(measured(options.one)))
        return 0
    sizes = [int(size) for size in options.sizes.split(",")]
    for what, show in (("compile", show_compile), ("diff", show_diff), ("lists", show_lists)):
        if options.only not in (None, what):
            continue
        columns = []
        for size in sizes:
            command = [sys.executable, __file__, "--one", str(size), "--only", what]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.stderr.write(done.stderr)
                return 1
            columns.append(json.loads(done.stdout.splitlines()[-1]))
        show(sizes, columns)
    return 0


def show_diff(sizes: list[int], columns: list[dict[str, float]]) -> None:
    """Print the table of the comparison."""
    print(f"{f'CPU seconds, {EDITS} edits':32}" + "".join(f"{size:>12,}" for size in sizes))
    for key in dict.fromkeys(key for column in columns for key in column):
        cells = (f"{column[key]:12.3f}" if key in column else f"{'':12}" for column in columns)
        print(f"{key:32}" + "".join(cells))
    costs = [column["diff"] / size * 1e6 for column, size in zip(columns, sizes, strict=True)]
    print(f"{'microseconds per rule':32}" + "".join(f"{cost:12.0f}" for cost in costs))
    by_size = dict(zip(sizes, costs, strict=True))
    if 10_000 in by_size and max(sizes) > 10_000:
        print(f"cost per rule at {max(sizes):,} against 10,000: {by_size[max(sizes)] / by_size[10_000]:.2f}")


def show_compile(sizes: list[int], columns: list[dict[str, float]]) -> None:
    """Print the table of the stages of a compilation."""
    print(f"{'CPU seconds':32}" + "".join(f"{size:>12,}" for size in sizes))
    for key in columns[0]:
        if not key.endswith(("_mb", " rules")):
            print(f"{key:32}" + "".join(f"{column[key]:12.3f}" for column in columns))
    print(
        f"{'microseconds per rule':32}"
        + "".join(f"{c['total'] / s * 1e6:12.0f}" for c, s in zip(columns, sizes, strict=True))
    )
    proofs = [sum(seconds for key, seconds in c.items() if key.endswith(" prove")) for c in columns]
    print(
        f"{'share of the proof':32}" + "".join(f"{p / c['total']:12.2f}" for p, c in zip(proofs, columns, strict=True))
    )
    times = [c["total"] / (c["total"] - p) for p, c in zip(proofs, columns, strict=True)]
    print(f"{'times the cost without it':32}" + "".join(f"{each:12.2f}" for each in times))
    for target in [key.removesuffix(" rules") for key in columns[0] if key.endswith(" rules")]:
        own = (sum(c[f"{target} {s}"] for s in STAGES) / max(c[f"{target} rules"], 1) * 1e6 for c in columns)
        print(f"{f'{target} (its own rules)':32}" + "".join(f"{cost:12.0f}" for cost in own))
    for key in ("output_mb", "imports_mb", "peak_mb"):
        print(f"{key:32}" + "".join(f"{column[key]:12.1f}" for column in columns))
    by_size = dict(zip(sizes, columns, strict=True))
    if 1_000 in by_size and max(sizes) > 1_000:
        most = max(sizes)
        ratio = (by_size[most]["total"] / most) / (by_size[1_000]["total"] / 1_000)
        print(f"cost per rule at {most:,} against 1,000: {ratio:.2f}")


if __name__ == "__main__":
    raise SystemExit(main())
