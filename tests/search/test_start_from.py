"""`--start-from` and `--name`: searches that begin with what an earlier one found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from nas_ray.runs.folder import read_run
from nas_ray.runs.journal import read_journal
from tests.guards.commands import call

SMALL = (
    "--batch-size",
    4,
    "--proxies",
    "naswot",
    "--benchmark",
    "none",
    "--driver",
    "process",
    "--own-weights",
)
SAME = ["trial", "arch", "naswot", "fitness", "reused", "given"]


def rea(folder: Path, *options: object) -> str:
    ended = call("rea", *SMALL, "--population", 4, "--sample", 2, "--out", folder, *options)
    assert ended.code == 0, ended.err
    return ended.out


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results.parquet")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("earlier") / "run"
    rea(folder, "--num-samples", 6)
    return folder


def test_a_run_is_gone_on_from_and_resumed_without_it(earlier: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(earlier, source)
    out = rea(tmp_path / "a", "--num-samples", 8, "--start-from", source, "--seed", 1)
    assert f" of {source}" in out
    rows = rows_of(tmp_path / "a")
    before = rows_of(earlier)
    given = rows[rows["given"]]
    assert set(given["arch"]) == set(before.loc[~before["reused"], "arch"])
    assert (~rows["given"]).sum() == 8
    assert given["fitness"].is_monotonic_increasing
    assert "started_from" in read_run(tmp_path / "a")
    assert f"after {len(given)} rows that were given" in out
    best = json.loads((tmp_path / "a" / "best.json").read_text())
    assert (best["evaluations"], best["given"]) == (8, len(given))
    rea(tmp_path / "b", "--num-samples", 5, "--start-from", source, "--seed", 1)
    shutil.rmtree(source)  # the journal has its rows
    resumed = call("rea", "--resume", tmp_path / "b", "--num-samples", 8)
    assert resumed.code == 0, resumed.err
    pd.testing.assert_frame_equal(rows_of(tmp_path / "b")[SAME], rows[SAME])


def test_a_table_is_taken_and_what_does_not_fit_is_said(earlier: Path, tmp_path: Path) -> None:
    table = rows_of(earlier)[["arch", "naswot"]].drop_duplicates("arch")
    arch = "|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x3~2|"
    more = pd.DataFrame({"arch": [arch, "mine", table["arch"].iloc[0]], "naswot": [None, 1.0, 2.0]})
    pd.concat([table, more]).to_csv(tmp_path / "scores.csv", index=False)
    out = rea(tmp_path / "run", "--num-samples", 1, "--start-from", tmp_path / "scores.csv")
    where = tmp_path / "scores.csv"
    said = f"{len(table)} rows of {where}; left out: 1 without naswot, 1 not of this space, 1 repeated; "
    assert said in " ".join(out.split())
    events = read_journal(tmp_path / "run" / "journal.jsonl")
    assert [event["event"] for event in events] == ["given"] * len(table) + ["ask", "tell"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--init-seed", 1), "made with --init-seed 0 instead of 1"),
        (("--batch-seed", 1), "made with another minibatch"),
    ],
)
def test_scores_of_other_settings_do_not_fit(
    options: tuple[object, ...], said: str, earlier: Path, tmp_path: Path
) -> None:
    ended = call("rea", *SMALL, "--start-from", earlier, "--out", tmp_path / "run", *options)
    assert ended.code == 2
    assert said in " ".join(ended.err.split())
    assert not (tmp_path / "run").exists()


def test_rows_of_other_weights_do_not_fit_whoever_wrote_them(earlier: Path, tmp_path: Path) -> None:
    options = [option for option in SMALL if option != "--own-weights"]
    before = tmp_path / "before"  # as a version without --own-weights left it
    shutil.copytree(earlier, before)
    info = json.loads((before / "run.json").read_text())
    del info["weights"], info["args"]["own_weights"]
    (before / "run.json").write_text(json.dumps(info))
    for source in (earlier, before):
        ended = call("rea", *options, "--start-from", source, "--out", tmp_path / "run")
        assert ended.code == 2
        assert "made with the weights of nets of their own" in " ".join(ended.err.split())


def test_archs_per_trial_leave_a_score_what_it_is(tmp_path: Path) -> None:
    options = [option for option in SMALL if option != "--own-weights"]
    for name, more in (("many", ("--archs-per-trial", 3)), ("one", ("--start-from", tmp_path / "many"))):
        ended = call("random_search", *options, *more, "--num-samples", 3, "--out", tmp_path / name)
        assert ended.code == 0, ended.err
    assert rows_of(tmp_path / "one")["given"].sum() == 3


def test_a_search_that_ends_before_its_first_trial_keeps_what_it_was_given(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("nas_ray.search.session.drive", interrupted)
        ended = call("rea", *SMALL, "--num-samples", 2, "--start-from", earlier, "--out", tmp_path / "run")
    assert ended.code == 130
    resumed = call("rea", "--resume", tmp_path / "run")
    assert resumed.code == 0, resumed.err
    rows = rows_of(tmp_path / "run")
    assert rows["given"].sum() == (~rows_of(earlier)["reused"]).sum()
    assert (~rows["given"]).sum() == 2


def test_a_place_without_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "n.csv").write_text("arch,naswot\nmine,2\n")
    for name, said in (
        ("no", "needs the folder of a run"),
        ("t.csv", "must have a column arch"),
        ("n.csv", "fits this search: 1 not of this space"),
    ):
        ended = call("rea", *SMALL, "--start-from", tmp_path / name, "--out", tmp_path / "run")
        assert ended.code == 2
        assert said in " ".join(ended.err.split())


def test_a_name_is_what_reports_call_a_run(earlier: Path, tmp_path: Path) -> None:
    rea(tmp_path / "a", "--num-samples", 3, "--name", "baseline")
    assert read_run(tmp_path / "a")["args"]["name"] == "baseline"
    words = (tmp_path / "a", earlier, tmp_path / "a", "--out", tmp_path / "both.html")
    ended = call("report", *words)
    assert ended.code == 0, ended.err
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "Comparison of 2 runs" in page  # the one that was named twice counts once
    assert json.dumps("baseline, best so far") in page
