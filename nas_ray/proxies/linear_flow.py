"""The linear net of SynFlow: every activation passes what it gets, every gate is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nas_ray.proxies.functions import Function, Functions, tensors_of

NORMS = {
    "batch_norm",
    "layer_norm",
    "group_norm",
    "instance_norm",
    "rms_norm",
    "local_response_norm",
    "normalize",
}
LIKE_RELU = {"hardswish", "silu", "gelu", "mish", "elu", "celu", "selu", "softplus", "log_softmax"}
BOUNDED = {"relu6": 6.0, "tanh": 1.0, "softsign": 1.0}
"""Activations of which some nets make gates, such as `x * relu6(x + 3) / 6`, and their largest value."""
CLAMPS = {"hardtanh", "clamp", "clip", "clamp_max"}
GATES = {"sigmoid", "hardsigmoid", "special_expit"}
SOFTMAXES = {"softmax", "softmin"}
PRODUCTS = {"mul", "multiply", "matmul", "mm", "bmm", "baddbmm", "einsum"}
ELEMENTWISE = {"mul", "multiply", "div", "divide", "true_divide", "add", "sub", "__rsub__"}
"""Of a gate and a number they make a gate, as `1 - gate` is the gate of what goes past."""


@dataclass(frozen=True)
class Gate:
    """What is known of a tensor that may gate another.

    Attributes:
        tensor: kept, so that its memory is not given to another.
        value: the value of the open gate.
        strength: of two factors the stronger is the gate: sigmoids and softmax before bounded activations.
    """

    tensor: Tensor
    value: float
    strength: int


class LinearFlow(Functions):
    """Within it a net with non-negative weights and inputs is linear in each weight, gates left aside.

    - Normalisations are the identity.
    - Activations that saturate (ReLU6, hardtanh, tanh, sigmoid) or bend (SiLU, GELU, Hardswish) are ReLU.
    - A product with a sigmoid is a gate: open, and so of value 1 whatever it gets. Softmax in a product, and
      so attention, gives each of n positions `1 / n`.
    - What makes a gate carries as much flow as the gate lets through: with x what the gate gets, its
      derivative is that of `x / constant`, the constant being x.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gates: dict[int, Gate] = {}

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Returns what takes the place of the result of a function, told by its name."""
        full_name = getattr(function, "__name__", "")
        name = full_name if full_name.startswith("__") else full_name.rstrip("_")
        if name in NORMS:
            return first(args, kwargs)
        if name in LIKE_RELU:
            return F.relu(first(args, kwargs))
        if name in GATES:
            return self._marked(F.relu(first(args, kwargs)), 1.0, 2)
        if name in SOFTMAXES:
            x, dim = first(args, kwargs), kwargs.get("dim", args[1] if len(args) > 1 else None)
            return self._marked(F.relu(x), 1 / x.shape[-1 if dim is None else dim], 2)
        if name in BOUNDED:
            return self._marked(F.relu(first(args, kwargs)), BOUNDED[name], 1)
        if name in CLAMPS:
            return self._clamped(name, args, kwargs)
        if name == "glu":
            passed, gate = first(args, kwargs).chunk(2, kwargs.get("dim", args[1] if len(args) > 1 else -1))
            return passed * open_gate(gate, 1.0)
        if name == "scaled_dot_product_attention":
            return attention(*args, **kwargs)
        return self._other(name, function, args, kwargs, in_place=full_name != name)

    def _other(
        self, name: str, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any], in_place: bool
    ) -> Any:
        arithmetic = name in PRODUCTS | ELEMENTWISE
        operands = [x for x in tensors_of((args, kwargs)) if x.dim() > 0] if arithmetic else []
        gates = {id(x): found for x in operands if (found := self._gates.get(memory(x)))}
        if name in PRODUCTS and gates and sum(not isinstance(x, torch.nn.Parameter) for x in operands) > 1:
            gated = max(
                (x for x in operands if id(x) in gates), key=lambda x: (gates[id(x)].strength, -x.numel())
            )
            args, kwargs = replaced((args, kwargs), gated, open_gate(gated, gates[id(gated)].value))
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        if in_place and isinstance(result, Tensor):
            self._gates.pop(memory(result), None)
        if name in ELEMENTWISE and gates and len(operands) == 1:
            gate = gates[id(operands[0])]
            value = replaced((args, kwargs), operands[0], torch.tensor(gate.value))
            return self._marked(result, float(function(*value[0], **value[1])), gate.strength)
        return result

    def _clamped(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        x = first(args, kwargs)
        names = {"hardtanh": ("min_val", "max_val"), "clamp_max": ("max",)}.get(name, ("min", "max"))
        bounds = {**dict(zip(names, args[1:], strict=False)), **kwargs}
        least = bounds.get(names[0], -1.0) if name == "hardtanh" else bounds.get("min")
        largest = bounds.get(names[-1], 1.0 if name == "hardtanh" else None)
        x = F.relu(x) if name == "hardtanh" else x if least is None else x.clamp(min=least)
        return x if largest is None else self._marked(x.clone(), float(largest), 1)

    def _marked(self, x: Tensor, value: float, strength: int) -> Tensor:
        self._gates[memory(x)] = Gate(x, value, strength)
        return x


def first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Returns the input of a function."""
    x: Tensor = args[0] if args else kwargs["input"]
    return x


def memory(x: Tensor) -> int:
    """Returns what is equal for a tensor and its views."""
    return x.untyped_storage().data_ptr()


def replaced(values: Any, old: Tensor, new: Tensor) -> Any:
    """Returns nested tuples, lists and dicts with `new` in the place of `old`."""
    if isinstance(values, dict):
        return {key: replaced(value, old, new) for key, value in values.items()}
    if isinstance(values, (tuple, list)):
        return type(values)(replaced(value, old, new) for value in values)
    return new if values is old else values


def open_gate(x: Tensor, value: float) -> Tensor:
    """Returns `value` everywhere, with the derivative in x of `value * x / constant`, constant being |x|."""
    x = torch.nan_to_num(x)
    constant = x.detach()
    size = torch.where(constant == 0, 1.0, constant.abs())
    return value * (1 + (x - constant) / size)


def attention(
    query: Tensor, key: Tensor, value: Tensor, *args: Any, scale: float | None = None, **kwargs: Any
) -> Tensor:
    """Returns attention that looks at all positions alike, masked ones too."""
    scores = query @ key.mT
    return open_gate(scores, 1 / scores.shape[-1]) @ value
