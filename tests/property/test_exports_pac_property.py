"""PAC files of random policies: a real JavaScript engine answers as the tables are read."""

from __future__ import annotations

import random

import dukpy
import pytest
from diff_policies import prepared_of, random_world
from pac_questions import script_of
from test_exports_property import EVERY_REASON, SCALE, SEED, has, requests

from egressc.api import inspection_conflicts
from egressc.api_export import ListRequest, build_list
from egressc.exports import ListKind
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import load_format

pytestmark = pytest.mark.property


def asked_as(request):
    """A request as a client hands it over: a URL and a host. Of no scheme's own port, so that every path is seen."""
    host, address, path, port = request
    where = host or (f"[{address}]" if ":" in address else address)
    return f"http://{where}:{port}{path or '/'}", host or address


def test_an_engine_answers_as_the_tables_are_read():
    form = load_format("pac")
    options = ListOptions(kind=ListKind.BYPASS, form="pac", proxy=Proxy("proxy.test", 8080))
    questions = list(requests())
    tried = 0
    for number in range(60 * SCALE):
        world = random_world(random.Random(f"{SEED} engine {number}"))
        prepared = prepared_of(world)
        if prepared is None or inspection_conflicts(prepared):
            continue
        build, _ = build_list(prepared, ListRequest(format=form, options=options, accept=EVERY_REASON))
        if build is None:
            continue
        tried += 1
        entries = form.read(build.text, options, "").entries
        answers = dukpy.evaljs(script_of(build.text, map(asked_as, questions)))
        for request, answer in zip(questions, answers, strict=True):
            expected = "DIRECT" if has(entries, request) else "PROXY proxy.test:8080"
            assert answer == expected, f"{asked_as(request)}, seed {SEED} engine {number}\n{world.text}"
    assert tried > 20 * SCALE
