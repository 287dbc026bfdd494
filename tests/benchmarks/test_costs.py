"""Tables of costs beside a benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks.cost_names import absolute_costs, check_costs, named
from nas_ray.benchmarks.costs import CostTable, check_signs, open_costs
from nas_ray.errors import UsageError
from nas_ray.spaces import NatsSss, NatsTss

SPACE = NatsTss()
ARCHS = list(SPACE)
PIXEL = np.arange(len(ARCHS)) / 100 + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("costs")
    frame = pd.DataFrame({"arch": ARCHS, "index": range(len(ARCHS)), "pixel2": PIXEL, "pixel3": 2 * PIXEL})
    frame.iloc[::-1].to_csv(made / "t_latency.csv", index=False)
    frame.drop(columns="arch").iloc[::-1].to_parquet(made / "by_index.parquet")
    frame[["pixel2"]].to_csv(made / "by_order.csv", index=False)
    frame.iloc[:-2].to_csv(made / "short.csv", index=False)
    pd.concat([frame, frame[:1]]).to_csv(made / "twice.csv", index=False)
    frame.assign(pixel2=np.where(PIXEL < 2, np.nan, PIXEL)).to_csv(made / "holes.csv", index=False)
    frame.assign(arch="x").to_csv(made / "foreign.csv", index=False)
    frame.assign(index=frame["index"] + 1).drop(columns="arch").to_csv(made / "off.csv", index=False)
    return made


@pytest.mark.parametrize("file", ["t_latency.csv", "by_index.parquet", "by_order.csv"])
def test_rows_are_joined_by_arch_by_index_or_by_order(folder: Path, file: str) -> None:
    costs = open_costs([f"ms={folder / file}"], ["valid_acc", "ms:pixel2"], SPACE)
    np.testing.assert_allclose(costs.values[:, 0], PIXEL)
    assert costs(ARCHS[7]) == {"ms:pixel2": PIXEL[7]}
    assert costs(f"{ARCHS[7]}@lr=0.1") == {"ms:pixel2": PIXEL[7]}  # of a point that of its arch
    assert costs("elsewhere") == {}


def test_a_table_is_called_by_the_last_word_of_its_file(folder: Path) -> None:
    assert CostTable(str(folder / "t_latency.csv"), SPACE).columns == ["latency:pixel2", "latency:pixel3"]
    assert named("a/nats_tss_latency.csv.gz")[0] == "latency"
    assert named("a/Energy-mJ.parquet")[0] == "mJ"
    assert named("ms=a=b.csv") == ("ms", Path("a=b.csv"))
    check_costs([str(folder / "t_latency.csv")])
    with pytest.raises(
        UsageError, match="--costs must be tables, each as TABLE or NAME=TABLE, but there is no file"
    ):
        check_costs(["ms=nowhere.csv"])
    assert absolute_costs(["t_ms.csv"]) == (f"ms={Path.cwd() / 't_ms.csv'}",)


@pytest.mark.parametrize(
    ("texts", "name", "said"),
    [
        (["ms={}/t_latency.csv"], "ms:pixel_2", "Unknown cost 'ms:pixel_2'. Did you mean 'ms:pixel2'"),
        (["{}/t_latency.csv"], "ms:pixel2", "Did you mean"),
        ([], "latency:pixel2", "got no --costs; give one, such as --costs latency=TABLE"),
        (["ms={}/short.csv"], "ms:pixel2", "must hold all 15,625 archs of its space, and |"),
        (["ms={}/twice.csv"], "ms:pixel2", "must hold each arch once, got |"),
        (["ms={}/foreign.csv"], "ms:pixel2", "must hold archs of its space only, got x"),
        (["ms={}/off.csv"], "ms:pixel2", "must hold archs of its space only, got 15625"),
        (["ms={}/holes.csv"], "ms:pixel2", "must hold a finite cost of every arch, got nan for |"),
        (["ms={}/t_latency.csv"] * 2, "ms:pixel2", "must have a name of its own, got ms twice"),
        (["={}/t_latency.csv"], "ms:pixel2", "must read NAME=TABLE with a name of letters"),
        (["a-b={}/t_latency.csv"], "ms:pixel2", "must read NAME=TABLE with a name of letters"),
        (["ms={}/none.csv"], "ms:pixel2", "The table must be a readable .csv file"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_sentence(folder: Path, texts: list[str], name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        open_costs([text.format(folder) for text in texts], [name], SPACE)
    assert said in str(error.value)


def test_a_table_of_another_space_is_none(folder: Path) -> None:
    with pytest.raises(UsageError, match="must hold archs of its space only"):
        CostTable(str(folder / "t_latency.csv"), NatsSss())


def test_a_cost_is_to_be_small() -> None:
    check_signs(["valid_acc", "-ms:pixel2"], ["ms:pixel2"])
    with pytest.raises(UsageError) as error:
        check_signs(["valid_acc", "ms:pixel2"], ["ms:pixel2"])
    assert str(error.value) == (
        "The cost ms:pixel2 must be small, and as an objective without a minus it would be maximised; write "
        "-ms:pixel2."
    )


def test_the_measured_latencies_of_27_devices(data_dir: Path) -> None:
    table = CostTable(str(data_dir / "nats_tss_latency.csv.gz"), SPACE)
    assert len(table.columns) == 27
    assert table.numbers("latency:pixel2")[SPACE.index(ARCHS[0])] == 9.0
    assert table.numbers("latency:1080ti_1")[1] == 12.90035
