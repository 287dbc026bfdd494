from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_ray.benchmarks import open_benchmark
from nas_ray.errors import UsageError
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.correlation import spearman
from nas_ray.report.expected import expected_best
from nas_ray.report.html_report import write_report
from nas_ray.report.read_runs import read_runs
from nas_ray.runs.folder import create_run, update_run, write_table
from tests.commands.next_line import next_commands
from tests.guards.commands import call
from tests.report.page import Page
from tests.report.runs import SOURCE, make_compared, make_scored, make_search, search_rows

SCRIPT = Path(__file__).parents[2] / "experiments" / "report.py"


def test_numbers_are_those_of_the_run(tmp_path: Path) -> None:
    rows = search_rows(40, failed=3)
    page = Page(write_report([make_search(tmp_path / "run", rows)]))
    best = rows.loc[rows["fitness"].idxmax()]
    facts = page.facts
    assert facts["best arch"].startswith(best["arch"])
    assert facts["accuracy"] == f"{best['test_acc']:.2f} % (test_acc), rank 12 of 15,625"
    assert facts["best accuracy evaluated"] == f"{rows['test_acc'].max():.2f} %"
    assert facts["evaluations"] == "40, 3 failed"
    assert facts["accuracy is"] == SOURCE
    table = pd.DataFrame(page.json["rows"]["rows"], columns=page.json["rows"]["columns"])
    for name in ("naswot", "synflow", "test_acc", "finished_at"):
        np.testing.assert_array_equal(table[name].astype(float), rows[name])
    assert table["fitness"].isna().sum() == 3
    np.testing.assert_array_equal(table["fitness"][3:].astype(float), rows["fitness"][3:])
    assert table["error"].dropna().tolist() == ["RuntimeError: <b>too deep</b>"] * 3
    assert facts["args.seed"] == "0"
    assert facts["wall_seconds"] == "12.5"


@pytest.mark.parametrize("best", [{"num_archs": "15,625"}, {"rank": "12"}, {"num_archs": None}])
def test_a_rank_that_is_no_number_is_left_out(best: dict[str, object], tmp_path: Path) -> None:
    rows = search_rows(40)
    folder = make_search(tmp_path / "run", rows)
    held = json.loads((folder / "best.json").read_text())
    (folder / "best.json").write_text(json.dumps({**held, **best}))
    best_row = rows.loc[rows["fitness"].idxmax()]
    assert Page(write_report([folder])).facts["accuracy"] == f"{best_row['test_acc']:.2f} % (test_acc)"


def test_figures_show_the_rows(tmp_path: Path) -> None:
    rows = search_rows(40, failed=3)
    page = Page(write_report([make_search(tmp_path / "run", rows)]))
    points = page.json["score-1"]["data"][0]
    np.testing.assert_array_equal(points["y"], rows["test_acc"])
    np.testing.assert_array_equal(points["x"][3:], rows["naswot"][3:])
    assert points["x"][:3] == [None] * 3
    truth = rows["test_acc"].to_numpy()
    rho = spearman(rows["naswot"].fillna(-np.inf).to_numpy(), truth)
    assert f"Spearman's rank correlation with accuracy: {rho:.3f}." in page.text
    last = page.json["curves-3"]["data"][-1]["y"][-1]
    assert last == rows.loc[rows["fitness"].idxmax(), "test_acc"]
    places = [attrs["data-figure"] for tag, attrs in page.tags if "data-figure" in attrs]
    assert set(places) == set(page.json) - {"rows"}
    assert len(places) == 4 + 2 + 2 + 1
    assert sum(tag == "svg" for tag, _ in page.tags) == 6


def test_nothing_is_loaded_and_no_text_runs(tmp_path: Path) -> None:
    bad = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
    rows = search_rows(30)
    folder = make_search(tmp_path / "<i>run&", rows, images=bad)
    rows = rows.rename(columns={"naswot": bad}).assign(error=bad, acc_source=bad, worker=bad)
    write_table(folder, rows.assign(arch=[f"{bad}{number}" for number in range(30)]))
    update_run(folder, scores=[bad, "synflow"], args={"space": bad, "dataset": bad, "benchmark": "none"})
    page = Page(write_report([folder], tmp_path / "page.html"))
    assert bad in page.text
    assert {tag for tag, _ in page.tags} & {"img", "i", "b", "iframe", "object", "link"} == set()
    assert sum(tag == "script" for tag, _ in page.tags) == len(page.json) + 2
    assert "alert(1)</script>" not in page.source
    assert all(link.startswith("#") for link in page.loaded)
    assert "default-src 'none'" in str([attrs for tag, attrs in page.tags if tag == "meta"])
    shown = page.json["score-1"]["layout"]["xaxis"]["title"]["text"]
    assert "<" not in shown


def test_links_of_a_page_with_drawings_stay_inside(tmp_path: Path) -> None:
    page = Page(write_report([make_search(tmp_path / "run", search_rows(10))]))
    assert len(page.loaded) > 20
    assert all(link.startswith("#") for link in page.loaded)
    assert not [attrs for _, attrs in page.tags if "url(http" in str(attrs) or "@import" in str(attrs)]


def test_several_runs_are_medians_of_kinds(tmp_path: Path) -> None:
    tables = {seed: search_rows(20, seed) for seed in range(3)}
    folders = [make_search(tmp_path / f"rea-{s}", rows, seed=s) for s, rows in tables.items()]
    other = make_search(tmp_path / "random", search_rows(20, 9), experiment="random_search")
    page = Page(write_report([*folders, other], tmp_path / "page.html"))
    median = page.json["curves-1"]["data"][2]
    assert median["name"] == "rea, median of 3"
    best = [rows.loc[rows["fitness"].idxmax(), "test_acc"] for rows in tables.values()]
    assert median["y"][-1] == np.median(best)
    low, mid, high = np.percentile(best, [25, 50, 75])
    assert f"rea {mid:.2f} {low:.2f} {high:.2f} 3 20" in page.text
    assert page.text.count("- - 1 20") == 1  # one run has no quartiles
    assert "best fitness" not in page.text
    assert (
        "All runs have dataset cifar10, fitness rank sum of naswot and synflow, evaluations 20." in page.text
    )
    columns = page.json["rows"]["columns"]
    assert columns[:3] == ["run", "test_acc", "arch"]
    assert "percentile" in columns
    assert "fitness" not in columns  # which is relative to its own run
    assert len(page.json["rows"]["rows"]) == 80
    assert "Comparison of 4 runs" in page.text


def test_curves_have_the_lines_of_one_random_arch_and_of_an_oracle(tmp_path: Path) -> None:
    rows = search_rows(12)
    benchmark = open_benchmark("nb201", "cifar10")
    assert benchmark is not None
    every = benchmark.all_test_acc()
    assert every is not None
    known = rows.drop(columns="test_acc").assign(
        valid_acc=[benchmark.test_acc(arch) for arch in rows["arch"]], acc_source=benchmark.acc_source
    )
    folder = make_search(tmp_path / "run", known, benchmark="nb201")
    page = Page(write_report([folder]))
    over_evaluations, over_seconds = ([*page.json[f"curves-{n}"]["data"]] for n in (3, 4))
    lines = {trace["name"]: trace["y"] for trace in over_evaluations}
    assert lines["one random arch"] == [pytest.approx(every.mean())] * 2
    assert lines["best of benchmark"] == [every.max()] * 2
    assert lines["oracle"][0] == pytest.approx(every.mean())
    assert lines["oracle"][-1] == pytest.approx(expected_best(every, 12, replace=False))
    low, high = page.json["curves-3"]["layout"]["yaxis"]["range"]
    assert low < every.mean() < every.max() < high
    assert "oracle" not in {trace["name"] for trace in over_seconds}
    assert page.text.count("Oracle random search draws as many different archs") == 1
    best = page.json["curves-1"]["data"][1]["y"]
    assert best == sorted(best)
    assert best[-1] == 100
    other = make_search(tmp_path / "other", rows, benchmark="nb201")  # whose accuracy is of another source
    assert "one random arch" not in Page(write_report([other])).source.partition("<script>")[0]


def test_a_score_that_spans_magnitudes_is_drawn_on_a_logarithmic_axis_without_its_zeros(
    tmp_path: Path,
) -> None:
    rows = search_rows(30).assign(synflow=np.concatenate([[0.0], 10.0 ** np.arange(1, 30)]))
    page = Page(write_report([make_search(tmp_path / "run", rows)]))
    assert page.json["score-2"]["layout"]["xaxis"]["type"] == "log"
    assert "Not drawn: 1 of score 0." in page.text
    assert "e+" not in page.text


def test_a_note_beside_other_runs_names_the_run_that_it_is_about(tmp_path: Path) -> None:
    known = make_search(tmp_path / "known", search_rows(12))
    rows = search_rows(12, 1).drop(columns=["test_acc", "acc_source"])
    gone = make_search(tmp_path / "lost", rows, seed=1, benchmark="gone.csv")
    text = Page(write_report([known, gone], tmp_path / "page.html")).text
    assert "lost: No benchmark accuracy: that of the run cannot be used here" in text


def test_the_searcher_tells_runs_of_one_command_apart(tmp_path: Path) -> None:
    one, two = (
        make_search(tmp_path / name, search_rows(12), experiment="search", searcher=name)
        for name in ("rea", "nsga2")
    )
    page = Page(write_report([one, two], tmp_path / "page.html"))
    assert "search rea" in page.text
    assert "search nsga2" in page.text
    assert page.json["curves-1"]["data"][0]["name"] == "search rea, best so far"
    assert Page(write_report([one])).facts["what"].startswith("search rea on ")


def test_different_datasets_are_said(tmp_path: Path) -> None:
    one = make_search(tmp_path / "one", search_rows(12))
    two = make_search(tmp_path / "two", search_rows(12), dataset="cifar100")
    page = Page(write_report([one, two], tmp_path / "page.html"))
    said = "These runs are of different datasets, so their accuracies cannot be compared: cifar10; cifar100."
    assert said in page.text


def test_a_study_says_where_its_table_and_its_searches_are(tmp_path: Path) -> None:
    study = tmp_path / "unseen"
    create_run(study, {"experiment": "unseen", "settings": {}})
    (study / "contest.md").write_text("| contestant |", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        write_report([study])
    assert str(caught.value) == (
        f"{study} is a study, whose table is {study / 'contest.md'}; give folders of searches."
    )
    search = study / "entries" / "shapes" / "rea-seed-0" / "search"
    make_search(search, search_rows(12))
    with pytest.raises(UsageError) as caught:
        write_report([study])
    assert str(caught.value).endswith(
        f"give folders of searches, such as {search}; all of its own are below {study / 'entries'}."
    )
    assert not (study / "report.html").exists()
    assert write_report([search]).is_file()


def test_scored_and_compared_folders(tmp_path: Path) -> None:
    rows = search_rows(20)
    scored = make_scored(tmp_path / "scored", rows, channels=4)
    (scored / "correlations.md").write_text("| score |", encoding="utf-8")  # as the command leaves one
    page = Page(write_report([scored]))
    assert "accuracy is that of nets with 16 channels and 5 cells, not of those scored" in page.text
    assert "valid_acc" in page.json["rows"]["columns"]
    assert not [name for name in page.json if name.startswith("curves")]
    searched = make_search(tmp_path / "searched", rows, space="nats-tss:channels=4,cells=1")
    said = "searched: accuracy is that of nets with 16 channels and 5 cells, not of those scored"
    assert said in Page(write_report([searched])).text
    same = make_search(tmp_path / "same", rows, space="nats-tss:channels=16")
    assert "not of those scored" not in Page(write_report([same])).text
    compared = make_compared(tmp_path / "compared", {"cifar10": rows, "cifar100": rows})
    both = Page(write_report([compared]))
    assert "Comparison of 2 runs" in both.text
    assert "naswot_seconds" not in both.facts.get("scores", "")


def test_an_unfinished_search_is_read_from_its_journal(tmp_path: Path) -> None:
    rows = search_rows(15, failed=2)
    folder = make_search(tmp_path / "run", rows, status="running")
    page = Page(write_report([folder]))
    assert "The search run is not finished (status: running); shown is what it has so far." in page.text
    assert "No benchmark accuracy is known for these archs" in page.text
    columns = page.json["rows"]["columns"]
    fitness = [row[columns.index("fitness")] for row in page.json["rows"]["rows"]]
    assert fitness == [None if np.isinf(value) else value for value in rows["fitness"]]


def test_a_search_that_was_killed_after_a_resume_shows_its_journal(tmp_path: Path) -> None:
    rows = search_rows(15)
    folder = make_search(tmp_path / "run", rows, status="running")
    write_table(folder, rows.head(5))
    assert len(Page(write_report([folder])).json["rows"]["rows"]) == 15


def test_a_run_in_which_all_failed(tmp_path: Path) -> None:
    folder = make_search(tmp_path / "run", search_rows(6, failed=6))
    page = Page(write_report([folder]))
    said = "none: no evaluation has a finite fitness; the first error was RuntimeError: <b>too deep</b>"
    assert page.facts["best arch"] == said


def test_a_sample_is_drawn_of_many_points(tmp_path: Path) -> None:
    page = Page(write_report([make_search(tmp_path / "run", search_rows(4000))]))
    assert len(page.json["score-1"]["data"][0]["x"]) == 3000
    assert "Drawn are 3,000 of 4,000 archs, evenly spaced." in page.text
    assert len(page.json["rows"]["rows"]) == 4000


def test_a_benchmark_may_be_given(tmp_path: Path) -> None:
    folder = make_search(tmp_path / "run", search_rows(12))
    page = Page(write_report([folder], benchmark="nb201"))
    assert page.facts["accuracy is"].startswith("NATS-Bench table nb201")
    unknown = Page(write_report([folder], benchmark="none"))
    assert unknown.facts["accuracy is"] == "not known"
    with pytest.raises(UsageError, match="^Unknown benchmark 'nb202'"):
        write_report([folder], benchmark="nb202")


def test_a_benchmark_that_is_gone_is_a_note(tmp_path: Path) -> None:
    rows = search_rows(12).drop(columns=["test_acc", "acc_source"])
    folder = make_search(tmp_path / "run", rows, benchmark="gone.csv")
    assert "No benchmark accuracy: that of the run cannot be used here" in Page(write_report([folder])).text


def test_a_run_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(5))
    assert write_report([run, tmp_path / "." / "run"]) == run / "report.html"
    assert "Comparison of" not in Page(run / "report.html").text


def test_names_tell_runs_apart(tmp_path: Path) -> None:
    runs = [
        make_search(tmp_path / f"run{seed}", search_rows(12, seed), seed=seed, name=name)
        for seed, name in enumerate(("baseline", "baseline", "mine", None))
    ]
    page = Page(write_report(runs, tmp_path / "page.html"))
    for said in ("baseline (run0)", "baseline (run1)", "mine", "run3"):
        assert said in page.texts
    names = [trace.get("name") for trace in page.json["curves-1"]["data"]]
    assert {"baseline, median of 2", "mine, best so far", "rea, best so far"} <= set(names)


def test_rows_that_were_given_are_no_evaluations(tmp_path: Path) -> None:
    rows = search_rows(12)
    page = Page(write_report([make_search(tmp_path / "run", rows.assign(given=rows["trial"] < 5))]))
    assert page.facts["evaluations"] == "7, 5 given before"


def test_what_cannot_be_reported(tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(5))
    with pytest.raises(UsageError, match="^A report needs at least one run folder; name one.$"):
        write_report([])
    with pytest.raises(UsageError, match=f"{tmp_path} is none; give a folder that a search"):
        write_report([tmp_path])
    with pytest.raises(UsageError, match="^A report on 2 runs needs a file to write; add --out FILE.html.$"):
        write_report([run, tmp_path])
    with pytest.raises(UsageError, match="^--out must be a file to write, and .* is a folder;"):
        write_report([run], tmp_path)
    with pytest.raises(UsageError, match="^The report /proc/page.html must be writable, but: "):
        write_report([run], Path("/proc/page.html"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be the file that a run wrote, but cannot be read (JSONDecodeError"),
        ("[1]", "must be the file that a run wrote, with the number of its format, and has none; give"),
        (
            '{"format": 99}',
            "has format 99, of a newer nas_ray; this version reads formats up to 1",
        ),
        ('{"format": 1}', "must be of a search, score-space or correlate, and names none of them;"),
        ('{"format": 1, "args": 3}', "must have args as a dict, got '3'; the file was changed."),
        ('{"format": 1, "args": {}}', "must have scores as a list, got 'None'; the file was changed."),
        ('{"format": 1, "args": {"fitness": "x"}, "scores": ["y"]}', "cannot be used: Unknown fitness 'x'."),
        ('{"format": 1, "args": {}, "scores": []}', "A report needs at least one score, and"),
    ],
)
def test_a_damaged_run_json(content: str, message: str, tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(5))
    (run / "run.json").write_text(content)
    with pytest.raises(UsageError) as caught:
        write_report([run])
    assert message in str(caught.value)


def test_damaged_and_empty_tables(tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(5))
    search_rows(5).drop(columns="arch").to_parquet(run / "results.parquet")
    with pytest.raises(
        UsageError, match="^The table of .* must have a column arch, and its columns are: trial"
    ):
        write_report([run])
    (run / "results.parquet").write_bytes(b"no table")
    with pytest.raises(
        UsageError, match="results.parquet must be the table that a run wrote, but cannot be read:"
    ):
        write_report([run])
    (run / "results.parquet").unlink()
    with pytest.raises(
        UsageError, match="^A report needs results.parquet or journal.jsonl, and .* has neither.$"
    ):
        write_report([run])
    empty = make_search(tmp_path / "empty", search_rows(0), status="running")
    with pytest.raises(UsageError, match="^A report needs evaluations, and the run .*empty has none yet;"):
        write_report([empty])


def test_the_command(tmp_path: Path) -> None:
    run = make_search(tmp_path / "run", search_rows(8))
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run([*command, str(run)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Report: {run / 'report.html'} (")
    train = f"python {SCRIPT.with_name('train.py')} {run}"
    assert next_commands(done.stdout) == [f"python -m webbrowser {(run / 'report.html').as_uri()}", train]
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    refused = call("report", tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: A report needs run folders with a run.json, and ")
    helped = call("report", "--help")
    for word in ("--benchmark", "median with its quartiles", "compared.html"):
        assert word in " ".join(helped.out.replace("│", " ").split())


def test_the_dataset_of_a_scored_folder_is_what_it_says_or_else_what_its_classes_say(tmp_path: Path) -> None:
    rows = search_rows(12)
    said = make_scored(tmp_path / "said", rows, dataset="cifar100")
    guessed = make_scored(tmp_path / "guessed", rows)
    damaged = make_scored(tmp_path / "damaged", rows, dataset=["cifar100"])
    found = [read_runs(folder, Accuracies("none"))[0].dataset for folder in (said, guessed, damaged)]
    assert found == ["cifar100", "cifar10", "cifar10"]
