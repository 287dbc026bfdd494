"""What every benchmark must do."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from nas_ray.benchmarks.base import Benchmark
from nas_ray.errors import UsageError
from nas_ray.testing.given import contract_of


def benchmark_contract(benchmark: Benchmark, epochs: int = 200) -> type[BenchmarkContract]:
    """Returns the tests of a benchmark that knows a schedule of `epochs` epochs."""
    return contract_of(BenchmarkContract, benchmark=benchmark, epochs=epochs)


class BenchmarkContract:
    """The tests of the fixture `benchmark` with a schedule of `epochs`."""

    def test_it_is_a_benchmark_that_says_what_its_numbers_are(
        self, benchmark: Benchmark, epochs: int
    ) -> None:
        """Dataset, split, schedule and seeds are named."""
        assert isinstance(benchmark, Benchmark)
        assert benchmark.acc_column in ("test_acc", "valid_acc")
        for part in (benchmark.dataset, "split", "epochs", "seeds"):
            assert part in benchmark.acc_source
        split = benchmark.query(benchmark.archs[0], epochs).split
        for part in (benchmark.dataset, "split", f"{epochs} epochs", "seed"):
            assert part in split

    def test_archs_are_different_strings(self, benchmark: Benchmark) -> None:
        """Each can be looked up under one name."""
        assert len(benchmark.archs) == len(set(benchmark.archs)) > 0
        assert all(isinstance(arch, str) for arch in benchmark.archs)

    def test_a_query_is_a_percentage_with_a_price_and_repeats(
        self, benchmark: Benchmark, epochs: int
    ) -> None:
        """Nothing is drawn in a look-up."""
        for arch in benchmark.archs[:3]:
            evaluation = benchmark.query(arch, epochs)
            assert 0 <= evaluation.valid_acc <= 100
            assert 0 <= benchmark.test_acc(arch) <= 100
            assert evaluation.seconds > 0
            assert evaluation.epochs == epochs
            assert benchmark.query(arch, epochs) == evaluation

    def test_all_test_acc_agrees_with_test_acc(self, benchmark: Benchmark) -> None:
        """Both are one number."""
        every = benchmark.all_test_acc()
        if every is not None:
            assert every.shape == (len(benchmark.archs),)
            for index in (0, len(every) // 2, len(every) - 1):
                assert every[index] == benchmark.test_acc(benchmark.archs[index])

    @pytest.mark.parametrize("arch", ["", "nonsense", "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|"])
    def test_an_unknown_arch_is_an_error_that_repeats_it(
        self, benchmark: Benchmark, epochs: int, arch: str
    ) -> None:
        """What was given is in the sentence."""
        with pytest.raises(UsageError, match="got ") as error:
            benchmark.test_acc(arch)
        assert repr(arch) in str(error.value)
        with pytest.raises(UsageError, match="got "):
            benchmark.query(arch, epochs)

    @pytest.mark.parametrize(
        "arch", [0, 1.5, None, True, b"a", ["a"], {"a": 1}, np.array([1, 2]), np.int64(3)], ids=repr
    )
    def test_an_arch_that_is_no_text_is_an_error(self, benchmark: Benchmark, epochs: int, arch: Any) -> None:
        """`nas_ray.benchmarks.base.check_arch` says so."""
        for look_up in (lambda: benchmark.query(arch, epochs), lambda: benchmark.test_acc(arch)):
            with pytest.raises(UsageError, match="got "):
                look_up()

    @pytest.mark.parametrize("epochs_", [None, -200, 0, 77_777, "200", [200], float("nan")], ids=repr)
    def test_epochs_that_are_no_schedule_are_an_error(self, benchmark: Benchmark, epochs_: Any) -> None:
        """No number is made up."""
        with pytest.raises(UsageError, match="got "):
            benchmark.query(benchmark.archs[0], epochs_)

    @pytest.mark.parametrize("seed", ["777", 0.5, [777], -5, 10**6, float("nan")], ids=repr)
    def test_a_seed_that_is_none_is_an_error(self, benchmark: Benchmark, epochs: int, seed: Any) -> None:
        """No number is made up."""
        with pytest.raises(UsageError):
            benchmark.query(benchmark.archs[0], epochs, seed=seed)

    def test_it_travels_to_another_process(self, benchmark: Benchmark, epochs: int) -> None:
        """Workers look up for themselves."""
        again = pickle.loads(pickle.dumps(benchmark))
        arch = benchmark.archs[0]
        assert again.query(arch, epochs) == benchmark.query(arch, epochs)
