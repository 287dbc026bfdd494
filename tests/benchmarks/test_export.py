from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.benchmarks.export import export_rows
from nas_ray.benchmarks.nats import FOLDER, NatsBenchmark
from nas_ray.commands.args import ExportArgs
from nas_ray.commands.results import export
from nas_ray.images.datasets import DATASETS
from nas_ray.safe_files.pickles import safe_load
from tests.benchmarks.test_nats import ARCHS, SAMPLE, message, sample, write


@pytest.mark.data
@pytest.mark.parametrize("workers", [1, 2])
def test_export_yields_what_the_benchmark_answers(workers, data_dir):
    rows = list(export_rows(sample(data_dir), allow_missing=True, workers=workers))
    assert [row["index"] for row in rows] == list(SAMPLE)
    published = pd.read_csv(data_dir / "nats_tss.csv.gz")
    assert list(rows[0]) == list(published.columns)
    for dataset in DATASETS:
        benchmark = NatsBenchmark(sample(data_dir), dataset, allow_missing=True)
        for row in rows:
            assert row[f"{dataset}_test_acc_200"] == benchmark.test_acc(row["arch"])
            assert row[f"{dataset}_valid_acc_12"] == benchmark.query(row["arch"], 12).valid_acc
            train, valid = row[f"{dataset}_train_seconds_per_epoch"], row[f"{dataset}_valid_seconds"]
            assert benchmark.query(row["arch"], 12).seconds == pytest.approx(12 * train + valid)


@pytest.mark.data
def test_export_script_writes_the_table(data_dir, tmp_path):
    folder = shutil.copytree(sample(data_dir), tmp_path / "copy")
    out = tmp_path / "out.parquet"
    export(ExportArgs(folder, out=out, allow_missing=True))
    assert list(pd.read_parquet(out)["arch"]) == [ARCHS[index] for index in SAMPLE]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "out.parquet"]
    refused = message(export, ExportArgs(folder, out=out))
    assert refused.startswith("The directory must hold the archives")
    assert refused.endswith(f"unpack {FOLDER} completely, or add --allow-missing.")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x.txt", "A table file must end in .csv, .csv.gz or .parquet, got {out}; "),
        ("none/x.csv", "The table must have a writable place, got {out} (there is no folder {out.parent}); "),
        ("", "The table must have a writable place, got {out} (Is a directory); name another."),
    ],
)
def test_export_script_refuses_the_output_first(name, reason, tmp_path):
    out = tmp_path / name
    refused = message(export, ExportArgs(tmp_path / "no directory", out=out))
    assert refused.startswith(reason.format(out=out))


def test_export_script_needs_a_file_name(tmp_path):
    assert message(export, ExportArgs(tmp_path, out=Path(""))) == (
        "The table must have a file name that ends in .csv, .csv.gz or .parquet, got '.'; name one."
    )


@pytest.mark.data
@pytest.mark.parametrize("value", [float("nan"), 500.0, -1.0])
def test_an_archive_with_an_impossible_accuracy_is_refused_by_name(value, tmp_path, data_dir):
    directory = tmp_path / FOLDER
    directory.mkdir()
    write(directory / "meta.pickle.pbz2", {"meta_archs": list(ARCHS)})
    content = safe_load(sample(data_dir) / "000000.pickle.pbz2", what="archive", compressed=True)
    for result in content["200"]["all_results"].values():
        result["eval_acc1es"] = dict.fromkeys(result["eval_acc1es"], value)
    path = write(directory / "000000.pickle.pbz2", content)
    text = message(list, export_rows(directory, allow_missing=True))
    assert text == (
        f"The NATS-Bench archive must hold the results of one arch for every schedule, and {path} does not "
        f"(ValueError('an accuracy of {value}')); unpack {FOLDER} again."
    )
