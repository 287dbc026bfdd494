"""From a thing to the tests of it."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from ray import cloudpickle

Contract = TypeVar("Contract")


def contract_of(contract: type[Contract], **given: Any) -> type[Contract]:
    """Returns a class of tests for pytest, whose fixtures are what is given by name."""
    fixtures = {name: _fixture(name, value) for name, value in given.items()}
    return type(contract.__name__, (contract,), fixtures)


def travelled(thing: Any) -> Any:
    """Returns what arrives of a thing in another process of Ray."""
    return cloudpickle.loads(cloudpickle.dumps(thing))


def _fixture(name: str, value: Any) -> Any:
    @pytest.fixture(name=name)
    def fixture(self: Any) -> Any:
        return value

    return fixture
