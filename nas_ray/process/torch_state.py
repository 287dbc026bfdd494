"""The global state of torch in pieces; `nas_ray.process.global_state` puts them back."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.modules import module as of_modules
from torch.utils import _device as of_devices
from torch.utils import _python_dispatch as of_dispatch

from nas_ray.process.pieces import BACK, CONVERT, GENERATOR, Piece

DEVICES = ("cpu", "cuda")
HOOKS = [name for name, found in vars(of_modules).items() if name.startswith("_global") and "hooks" in name]
MATMUL = ("allow_tf32", "allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction")
CUDNN = ("enabled", "benchmark", "deterministic", "allow_tf32")
stacks: Any = torch.overrides
"""The stack of modes that see functions, without types."""
MOST_HOOKS = 1_000
"""Pairs of hooks on the stack of saved tensors that are taken off at most."""


def pieces() -> list[Piece]:
    """Returns the pieces in the order in which they are put back."""
    flags = torch.utils.deterministic
    return [
        Piece("torch's global random state", _random, _set_random, GENERATOR, random=True),
        Piece("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype, CONVERT),
        Piece("torch's default device", _functions, _set_functions, CONVERT),
        Piece("torch's number of threads", torch.get_num_threads, torch.set_num_threads, BACK),
        Piece("torch's inference mode", torch.is_inference_mode_enabled, _nothing, BACK),
        Piece("torch's grad mode", torch.is_grad_enabled, torch._C._set_grad_enabled, BACK),
        Piece("torch's autocast", _autocast, _set_autocast, BACK),
        Piece("torch's deterministic flags", _deterministic, _set_deterministic, BACK),
        _attributes("torch's deterministic flags", flags, ("fill_uninitialized_memory",)),
        Piece(
            "torch's float32 matmul precision",
            torch.get_float32_matmul_precision,
            torch.set_float32_matmul_precision,
            BACK,
        ),
        _attributes("torch's flags of CUDA", torch.backends.cuda.matmul, MATMUL),
        _attributes("torch's flags of cuDNN", torch.backends.cudnn, CUDNN),
        _attributes("torch's flags of oneDNN", torch.backends.mkldnn, ("enabled",)),
        Piece("torch's handling of subnormal numbers", _flushes, torch.set_flush_denormal, BACK),
        Piece("torch's hooks for all modules", _hooks, _set_hooks, BACK),
        Piece("torch's hooks for saved tensors", _saving, _set_saving, BACK),
        Piece("torch's dispatch modes", _dispatches, _set_dispatches, BACK),
        _attributes(
            "torch's way of converting parameters",
            torch.__future__,
            ("_overwrite_module_params_on_conversion", "_swap_module_params_on_conversion"),
        ),
        Piece("torch's anomaly mode", _anomaly, lambda value: torch.set_anomaly_enabled(*value)),
        Piece("torch's print options", _print_options, vars(torch._tensor_str.PRINT_OPTS).update),
    ]


def inference_guard() -> Any:
    """Returns a context manager that changes nothing, and at its end puts the thread's autograd state back.

    That is inference mode, grad mode, forward AD and multithreading, however they were left.
    """
    return _Guard()


class _Guard:
    def __enter__(self) -> None:
        grad = torch.is_grad_enabled()
        self._mode = torch.inference_mode(torch.is_inference_mode_enabled())
        self._mode.__enter__()
        torch._C._set_grad_enabled(grad)

    def __exit__(self, *error: object) -> None:
        self._mode.__exit__(None, None, None)


def _nothing(value: Any) -> None:
    """Puts nothing back, since a guard does."""


def _attributes(name: str, holder: Any, attributes: Iterable[str]) -> Piece:
    """Returns the piece of those `attributes` of `holder` that this version of torch has."""

    def read() -> dict[str, Any]:
        return {attribute: getattr(holder, attribute) for attribute in attributes}

    def write(value: dict[str, Any]) -> None:
        for attribute, item in value.items():
            if getattr(holder, attribute) != item:
                setattr(holder, attribute, item)

    attributes = [attribute for attribute in attributes if hasattr(holder, attribute)]
    return Piece(name, read, write, BACK)


def _random() -> list[bytes]:
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # untyped in torch
    states = [torch.random.get_rng_state(), *(torch.cuda.get_rng_state_all() if used else ())]
    return [state.numpy().tobytes() for state in states]


def _set_random(value: list[bytes]) -> None:
    first, *others = (torch.frombuffer(bytearray(state), dtype=torch.uint8) for state in value)
    torch.random.set_rng_state(first)
    for number, state in enumerate(others):
        torch.cuda.set_rng_state(state, number)


def _functions() -> tuple[Any, ...]:
    """Returns the modes that see functions, of which the default device is one, and what names it."""
    of_thread = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return stacks._get_current_function_mode_stack(), of_devices.CURRENT_DEVICE, of_thread


def _set_functions(value: tuple[Any, ...]) -> None:
    modes, device, of_thread = value
    for _ in stacks._get_current_function_mode_stack():
        stacks._pop_mode()
    for mode in modes:
        stacks._push_mode(mode)
    of_devices.CURRENT_DEVICE = device
    torch._GLOBAL_DEVICE_CONTEXT.device_context = of_thread


def _autocast() -> tuple[Any, ...]:
    nesting = torch.autocast_increment_nesting() - 1
    torch.autocast_decrement_nesting()
    devices = [(torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)) for device in DEVICES]
    return devices, torch.is_autocast_cache_enabled(), nesting


def _set_autocast(value: tuple[Any, ...]) -> None:
    devices, cached, nesting = value
    for device, (enabled, dtype) in zip(DEVICES, devices, strict=True):
        torch.set_autocast_enabled(device, enabled)
        torch.set_autocast_dtype(device, dtype)
    torch.set_autocast_cache_enabled(cached)
    while _autocast()[2] > nesting:
        torch.autocast_decrement_nesting()
    while _autocast()[2] < nesting:
        torch.autocast_increment_nesting()
    torch.clear_autocast_cache()


def _deterministic() -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _flushes() -> bool:
    """Returns whether this thread takes numbers below the smallest normal one for 0."""
    return sys.float_info.min / 2 == 0


def _hooks() -> dict[str, dict[Any, Any]]:
    found = {name: dict(vars(of_modules)[name]) for name in HOOKS}
    return {**found, "full": {"": of_modules._global_is_full_backward_hook}}


def _set_hooks(value: dict[str, dict[Any, Any]]) -> None:
    for name in HOOKS:
        vars(of_modules)[name].clear()
        vars(of_modules)[name].update(value[name])
    of_modules._global_is_full_backward_hook = value["full"][""]


def _saving() -> Any:
    return torch._C._autograd._top_saved_tensors_default_hooks(False)


def _set_saving(value: Any) -> None:
    for _ in range(MOST_HOOKS):
        if _saving() in (value, None):
            return
        torch._C._autograd._pop_saved_tensors_default_hooks()


def _dispatches() -> int:
    return torch._C._len_torch_dispatch_stack()


def _set_dispatches(value: int) -> None:
    while _dispatches() > value:
        of_dispatch._pop_mode()


def _anomaly() -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _print_options() -> dict[str, Any]:
    return dict(vars(torch._tensor_str.PRINT_OPTS))
