"""The quicker constructor behaves as the one that `dataclass` writes."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from egressc.quick_init import quick_init


@dataclass(frozen=True, slots=True)
class Plain:
    one: int
    two: str = "two"
    three: tuple[int, ...] = field(default=(), kw_only=True)
    text: str = field(init=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "text", f"{self.one} {self.two}")


@quick_init
@dataclass(frozen=True, slots=True)
class Quick:
    one: int
    two: str = "two"
    three: tuple[int, ...] = field(default=(), kw_only=True)
    text: str = field(init=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "text", f"{self.one} {self.two}")


def shape(cls):
    parameters = inspect.signature(cls).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


def test_it_takes_what_the_other_takes():
    assert shape(Quick) == shape(Plain)


def test_values_are_equal_hash_alike_and_stay_frozen():
    value = Quick(1, three=(3,))
    assert (value.one, value.two, value.three, value.text) == (1, "two", (3,), "1 two")
    assert value == Quick(1, "two", three=(3,))
    assert hash(value) == hash(Quick(1, three=(3,)))
    assert replace(value, one=2) == Quick(2, three=(3,))
    assert repr(value) == repr(Plain(1, three=(3,))).replace("Plain", "Quick")
    with pytest.raises(FrozenInstanceError):
        value.one = 2


@pytest.mark.parametrize("arguments", [(), (1, "two", (3,)), (1, "two", "three", "four")])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(TypeError):
        Plain(*arguments)
    with pytest.raises(TypeError):
        Quick(*arguments)


def test_a_default_factory_is_refused():
    with pytest.raises(AssertionError, match="factory"):

        @quick_init
        @dataclass(frozen=True, slots=True)
        class Other:
            some: list[int] = field(default_factory=list)
