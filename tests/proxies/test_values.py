from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest
import torch

from nas_ray.proxies.values import named_values


@pytest.mark.parametrize(
    "value",
    [
        *(0.5, np.float32(0.5), np.float64(0.5), np.array(0.5), np.array([[0.5]]), Decimal("0.5")),
        *(Fraction(1, 2), torch.tensor(0.5), torch.tensor([0.5]), torch.tensor([[0.5]], requires_grad=True)),
        *(torch.tensor(0.5, dtype=torch.bfloat16), np.array([0.5], dtype=object)),
    ],
)
def test_any_single_number_is_a_float(value: object) -> None:
    for found in (named_values("x", value)["x"], named_values("x", {"k": value})["x.k"]):
        assert type(found) is float
        assert found == 0.5


@pytest.mark.parametrize("value", [True, 1, np.int64(1), np.bool_(True), torch.tensor(True), torch.tensor(1)])
def test_whole_numbers_and_truth_values_are_floats(value: object) -> None:
    assert named_values("x", value) == {"x": 1.0}


def test_dicts_of_any_kind() -> None:
    assert named_values("x", MappingProxyType({"a b": 1})) == {"x.a b": 1.0}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("3", "got '3' of type str"),
        (b"3", "got b'3' of type bytes"),
        (bytearray(b"3"), "got bytearray(b'3') of type bytearray"),
        (np.str_("3"), "got '3' of type str"),
        (1j, "got 1j of type complex"),
        (torch.tensor(1j), "got 1j of type complex"),
        (None, "got None"),
        (torch.zeros(2), "got a Tensor of shape (2,)"),
        (np.zeros((0, 3)), "got a ndarray of shape (0, 3)"),
        ([1.0], "got [1.0] of type list"),
        (10**400, "got a int that is too large for a float"),
        (Decimal("sNaN"), "cannot convert signaling NaN to float"),
    ],
)
def test_what_is_no_number_is_told(value: object, said: str) -> None:
    with pytest.raises((TypeError, OverflowError)) as caught:
        named_values("x", value)
    assert str(caught.value) == f"a proxy must return a float or a dict of floats, but {said}"
    with pytest.raises((TypeError, OverflowError)) as caught:
        named_values("x", {"k": value})
    assert str(caught.value) == f"a proxy must return a float or a dict of floats, but {said} as 'k'"


@pytest.mark.parametrize("key", [1, "", "a,b", "x_seconds", "a ", "a\nb", None])
def test_keys_are_names_of_columns(key: object) -> None:
    with pytest.raises(TypeError, match="must name its scores by texts"):
        named_values("x", {key: 1.0})


def test_a_dict_inside_a_dict_is_told() -> None:
    with pytest.raises(TypeError, match=r"but got \{'b': 1\} of type dict as 'a'"):
        named_values("x", {"a": {"b": 1}})
