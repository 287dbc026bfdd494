"""What every benchmark must do."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from nas_ray.benchmarks.base import Benchmark
from nas_ray.errors import UsageError, describe
from nas_ray.errors.checks import having
from nas_ray.rows import shown
from nas_ray.testing.given import contract_of, must, must_be, must_equal


def benchmark_contract(benchmark: Benchmark, epochs: int = 200) -> type[BenchmarkContract]:
    """Returns the tests of a benchmark that knows a schedule of `epochs` epochs."""
    return contract_of(BenchmarkContract, benchmark=benchmark, epochs=epochs)


class BenchmarkContract:
    """The tests of the fixture `benchmark` with a schedule of `epochs`."""

    def test_it_is_a_benchmark_that_says_what_its_numbers_are(
        self, benchmark: Benchmark, epochs: int
    ) -> None:
        """Dataset, split, schedule and seeds are named."""
        must_be(having(Benchmark, "a benchmark"), "What is tested", benchmark)
        column, source = benchmark.acc_column, benchmark.acc_source
        must(column in ("test_acc", "valid_acc"), "acc_column must be test_acc or valid_acc", column)
        for part in (benchmark.dataset, "split", "epochs", "seeds"):
            must(part in source, f"acc_source must name {part!r}", source)
        split = benchmark.query(benchmark.archs[0], epochs).split
        for part in (benchmark.dataset, "split", f"{epochs} epochs", "seed"):
            must(part in split, f"The split of a query must name {part!r}", split)

    def test_archs_are_different_strings(self, benchmark: Benchmark) -> None:
        """Each can be looked up under one name."""
        archs = benchmark.archs
        must(len(archs), "archs must hold at least one arch", archs)
        wrong = next((arch for arch in archs if not isinstance(arch, str)), None)
        must(wrong is None, "Every arch must be a string", wrong)
        twice = len(archs) - len(set(archs))
        must(not twice, f"archs must name each arch once, got {twice} of {len(archs)} again")

    def test_a_query_is_a_percentage_with_a_price_and_repeats(
        self, benchmark: Benchmark, epochs: int
    ) -> None:
        """Nothing is drawn in a look-up."""
        for arch in benchmark.archs[:3]:
            found = benchmark.query(arch, epochs)
            must(0 <= found.valid_acc <= 100, "valid_acc must be a percentage", found.valid_acc)
            test_acc = benchmark.test_acc(arch)
            must(0 <= test_acc <= 100, "test_acc must be a percentage", test_acc)
            must(found.seconds > 0, "The seconds of a query must be above 0", found.seconds)
            must(found.epochs == epochs, f"A query of {epochs} epochs must say so", found.epochs)
            must_equal(benchmark.query(arch, epochs), found, "Two queries of one arch must be equal")

    def test_all_test_acc_agrees_with_test_acc(self, benchmark: Benchmark) -> None:
        """Both are one number."""
        every = benchmark.all_test_acc()
        if every is not None:
            must_equal(every.shape, (len(benchmark.archs),), "all_test_acc() must have a number per arch")
            for index in (0, len(every) // 2, len(every) - 1):
                one = benchmark.test_acc(benchmark.archs[index])
                must_equal(
                    every[index], one, f"all_test_acc()[{index}] and test_acc(archs[{index}]) must agree"
                )

    @pytest.mark.parametrize("arch", ["", "nonsense", "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|"])
    def test_an_unknown_arch_is_an_error_that_repeats_it(
        self, benchmark: Benchmark, epochs: int, arch: str
    ) -> None:
        """What was given is in the sentence."""
        said = refusal(lambda: benchmark.test_acc(arch), f"test_acc of the unknown arch {arch!r}")
        must(repr(arch) in said, f"The sentence must repeat the arch {arch!r}", said)
        refusal(lambda: benchmark.query(arch, epochs), f"query of the unknown arch {arch!r}")

    @pytest.mark.parametrize(
        "arch", [0, 1.5, None, True, b"a", ["a"], {"a": 1}, np.array([1, 2]), np.int64(3)], ids=repr
    )
    def test_an_arch_that_is_no_text_is_an_error(self, benchmark: Benchmark, epochs: int, arch: Any) -> None:
        """`nas_ray.benchmarks.base.check_arch` says so."""
        refusal(lambda: benchmark.query(arch, epochs), f"query of {arch!r}, which is no string,")
        refusal(lambda: benchmark.test_acc(arch), f"test_acc of {arch!r}, which is no string,")

    @pytest.mark.parametrize("epochs_", [None, -200, 0, 77_777, "200", [200], float("nan")], ids=repr)
    def test_epochs_that_are_no_schedule_are_an_error(self, benchmark: Benchmark, epochs_: Any) -> None:
        """No number is made up."""
        refusal(lambda: benchmark.query(benchmark.archs[0], epochs_), f"query with {epochs_!r} epochs")

    @pytest.mark.parametrize("seed", ["777", 0.5, [777], -5, 10**6, float("nan")], ids=repr)
    def test_a_seed_that_is_none_is_an_error(self, benchmark: Benchmark, epochs: int, seed: Any) -> None:
        """No number is made up."""
        look_up = partial(benchmark.query, benchmark.archs[0], epochs, seed=seed)
        refusal(look_up, f"query with the seed {seed!r}", says="")

    def test_it_travels_to_another_process(self, benchmark: Benchmark, epochs: int) -> None:
        """Workers look up for themselves."""
        again = pickle.loads(pickle.dumps(benchmark))
        arch = benchmark.archs[0]
        here, there = benchmark.query(arch, epochs), again.query(arch, epochs)
        must_equal(there, here, "A copy in another process must answer as the benchmark does")


def refusal(look_up: Callable[[], object], what: str, says: str = "got ") -> str:
    """Returns the sentence of the `UsageError` that `look_up` must raise."""
    __tracebackhide__ = True
    try:
        found = look_up()
    except UsageError as error:
        must(says in str(error), f"The sentence of {what} must say what was {says.strip()}", str(error))
        return str(error)
    except Exception as error:
        raise AssertionError(f"{what} must be refused with a UsageError, got {describe(error)}.") from error
    raise AssertionError(f"{what} must be refused with a UsageError, got {shown(found)}.")
