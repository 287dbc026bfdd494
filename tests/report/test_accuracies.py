"""What a report says of accuracy where no benchmark has it."""

from __future__ import annotations

import pandas as pd
import pytest

from nas_ray.report.accuracies import Accuracies

FOREIGN = pd.DataFrame({"arch": ["conv3:8-relu", "conv3:16-relu"]})


@pytest.mark.parametrize(("spec", "said"), [("auto", 0), ("nb201", 1)])
def test_a_space_that_no_benchmark_knows_is_nothing_to_warn_of(spec: str, said: int) -> None:
    rows, name, source, notes = Accuracies().join(FOREIGN, "cifar10", spec)
    assert (name, source, len(notes), list(rows)) == ("accuracy", None, said, ["arch"])
    assert all("has none of these archs" in note for note in notes)
    assert len(Accuracies("auto").join(FOREIGN, "cifar10", "nb201")[3]) == 0
