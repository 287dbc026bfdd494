"""From a thing to the tests of it."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest

Contract = TypeVar("Contract")


def contract_of(contract: type[Contract], **given: Any) -> type[Contract]:
    """Returns a class of tests for pytest, whose fixtures are what is given by name."""
    fixtures = {name: _fixture(name, value) for name, value in given.items()}
    return type(contract.__name__, (contract,), fixtures)


def _fixture(name: str, value: Any) -> Any:
    @pytest.fixture(name=name)
    def fixture(self: Any) -> Any:
        return value

    return fixture
