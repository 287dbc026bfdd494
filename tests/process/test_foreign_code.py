from __future__ import annotations

import contextlib
import decimal
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nas_ray.errors import EndsProcess, describe
from nas_ray.process.foreign_code import Contained, ForeignCode, Listening, around
from nas_ray.process.global_state import KeptState
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.searchers import FilteredSpace, SkipCount
from nas_ray.spaces import NatsTss, SearchSpace
from tests.spaces.toy import Widths

LEAKED: list[object] = []


def leak(manager: contextlib.AbstractContextManager[object]) -> None:
    manager.__enter__()
    LEAKED.append(manager)


class Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


def numbers() -> list[object]:
    """What scores are made of: equal before and behind, whatever the state in between."""
    with torch.enable_grad():
        weight = torch.full((3, 3), 1 / 3, requires_grad=True)
        product = weight @ torch.ones(3, 3)
        product.sum().backward()
    net = torch.nn.Conv2d(1, 1, 1, bias=False)
    return [
        *(product.dtype, product.device, product.tolist(), weight.grad.tolist()),  # type: ignore[union-attr]
        *(torch.rand(2).tolist(), np.random.rand(), random.random()),  # noqa: NPY002
        *(torch.empty(1).dtype, net(torch.ones(1, 1, 2, 2)).requires_grad, torch.get_num_threads()),
        *(decimal.Decimal(1) / 3, os.getcwd(), dict(os.environ), np.geterr(), np.get_printoptions()),
        *(repr(torch.tensor(1 / 3)), list(warnings.filters), sys.stdout, sys.float_info.min / 2),
        *(
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.benchmark,
            torch.is_grad_enabled(),
        ),
        *(
            torch.get_float32_matmul_precision(),
            torch.is_anomaly_enabled(),
            torch.is_inference_mode_enabled(),
        ),
        *(torch.is_autocast_enabled("cpu"), torch.is_deterministic_algorithms_warn_only_enabled()),
        *(torch.backends.cudnn.deterministic, torch.backends.cuda.matmul.allow_tf32, sys.getrecursionlimit()),
        *(torch.backends.mkldnn.enabled, torch.utils.deterministic.fill_uninitialized_memory),
        *(torch._C._len_torch_dispatch_stack(), torch._C._len_torch_function_stack()),
    ]


CHANGES: dict[str, Callable[[], object]] = {
    "dtype": lambda: torch.set_default_dtype(torch.float64),
    "device": lambda: torch.set_default_device("meta"),
    "entered device": lambda: leak(torch.device("meta")),
    "threads": lambda: torch.set_num_threads(3),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "entered no_grad": lambda: leak(torch.no_grad()),
    "inference mode": lambda: leak(torch.inference_mode()),
    "autocast": lambda: leak(torch.autocast("cpu", dtype=torch.bfloat16)),
    "deterministic": lambda: torch.use_deterministic_algorithms(True),
    "warn only": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "uninitialised": lambda: setattr(torch.utils.deterministic, "fill_uninitialized_memory", False),
    "benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "cudnn deterministic": lambda: setattr(torch.backends.cudnn, "deterministic", True),
    "precision": lambda: torch.set_float32_matmul_precision("medium"),
    "tf32": lambda: setattr(torch.backends.cuda.matmul, "allow_tf32", True),
    "oneDNN": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "subnormal": lambda: torch.set_flush_denormal(True),
    "global hook": lambda: torch.nn.modules.module.register_module_forward_hook(lambda m, a, out: out * 0),
    "saved tensors": lambda: leak(torch.autograd.graph.saved_tensors_hooks(lambda x: x * 2, lambda x: x)),
    "dispatch mode": lambda: leak(Mode()),
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "print options": lambda: torch.set_printoptions(precision=9),
    "torch random": lambda: torch.manual_seed(7),
    "numpy random": lambda: np.random.seed(7),  # noqa: NPY002
    "bit generator": lambda: np.random.set_bit_generator(np.random.PCG64(3)),
    "Python random": lambda: random.seed(7),
    "numpy errors": lambda: np.seterr(all="ignore"),
    "numpy printing": lambda: np.set_printoptions(precision=3),
    "decimals": lambda: setattr(decimal.getcontext(), "prec", 3),
    "decimal context": lambda: decimal.setcontext(decimal.Context(prec=4)),
    "environment": lambda: os.environ.update(NAS_RAY_SEEN="1"),
    "removed": lambda: os.environ.pop("PATH"),
    "directory": lambda: os.chdir("/"),
    "warnings": lambda: warnings.simplefilter("error"),
    "recursion": lambda: sys.setrecursionlimit(5_000),
    "output": lambda: setattr(sys, "stdout", sys.stderr),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_code_changes_is_put_back(change: str) -> None:
    with KeptState():
        before = numbers()
    with ForeignCode() as call:
        CHANGES[change]()
    with KeptState():
        assert numbers() == before
    assert call.kept.changed


def test_what_it_changes_is_put_back_when_it_raises_too() -> None:
    def change() -> None:
        torch.set_default_dtype(torch.float64)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), ForeignCode():
        change()
    assert torch.get_default_dtype() == torch.float32


def test_nothing_has_changed_where_nothing_did() -> None:
    with KeptState() as kept:
        torch.rand(3, generator=torch.Generator())
        torch.zeros(2)
    assert kept.changed == []


def test_state_that_was_set_stays_set() -> None:
    with torch.no_grad(), torch.device("meta"), torch.autocast("cpu", dtype=torch.bfloat16):
        with ForeignCode():
            torch.set_grad_enabled(True)
            torch.set_default_device("cpu")
            assert torch.empty(1).device.type == "cpu"
        assert torch.empty(1).device.type == "meta"
        assert not torch.is_grad_enabled()
        assert torch.is_autocast_enabled("cpu")
    with torch.inference_mode(), ForeignCode():
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()
    assert torch.empty(1).device.type == "cpu"


def test_random_states_may_run_on() -> None:
    with KeptState(random=False):
        first = random.random()
    with KeptState(random=False):
        assert random.random() != first


class Own(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt, which ends a process; raise an Exception instead"),
        (Own("x"), "Own: x, which ends a process; raise an Exception instead"),
        (GeneratorExit(), "GeneratorExit, which ends a process; raise an Exception instead"),
    ],
)
def test_what_ends_a_process_is_an_error(raised: BaseException, said: str) -> None:
    with pytest.raises(EndsProcess) as caught, ForeignCode():
        raise raised
    assert describe(caught.value) == said


def test_a_signal_of_the_user_and_a_time_limit_come_through() -> None:
    with pytest.raises(KeyboardInterrupt), ForeignCode():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(TimedOut), time_limit(0.05), ForeignCode():
        threading.Event().wait(5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_many_bodies_are_listened_to_at_once() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Listening() as listening:
            contained = Contained(listening)
            for _ in range(2):
                with contained:
                    signal.raise_signal(signal.SIGTERM)  # whose handler lets the body go on
                with pytest.raises(EndsProcess, match="SystemExit"), contained:
                    raise SystemExit
            with pytest.raises(KeyboardInterrupt), contained:
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM] * 2


def test_other_threads_have_no_signals() -> None:
    found: list[BaseException] = []

    def work() -> None:
        try:
            with Contained():
                raise KeyboardInterrupt
        except EndsProcess as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 1


def test_what_lies_in_several_filters_counts() -> None:
    def nested(space: SearchSpace) -> FilteredSpace:
        return FilteredSpace(FilteredSpace(space, SkipCount(0, 9)), SkipCount(0, 9))

    assert isinstance(around(nested(NatsTss()))(), contextlib.nullcontext)
    assert isinstance(around(nested(Widths()))(), ForeignCode)
