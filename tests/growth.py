"""How cost grows with size, for tests: ratios of CPU time within one run, never seconds."""

from __future__ import annotations

import gc
import time

ROUNDS = 3


def assert_near_linear(prepare, small, large, slack=3.0):
    """Fail if the cost of an item at ``large`` is more than ``slack`` times that at ``small``.

    ``prepare(size)`` returns the action to be timed. The least of several rounds counts, so that a busy machine does
    not matter; an action that is compared must take at least some milliseconds at ``small``.
    """
    few, many = prepare(small), prepare(large)
    few()
    each_few = min(_seconds(few) for _ in range(ROUNDS)) / small
    each_many = min(_seconds(many) for _ in range(ROUNDS)) / large
    assert each_many <= each_few * slack, f"{each_many / each_few:.1f} times the cost per item at {large:,}"


def _seconds(action):
    # As at compile time (api.py): a collection looks at everything that the tests before have left in memory.
    gc.disable()
    try:
        start = time.process_time()
        action()
        return time.process_time() - start
    finally:
        gc.enable()
