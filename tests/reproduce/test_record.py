"""Rules that are fixed before they are judged: what they compute, how they are chosen, and how judged."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.proxies import PROXIES
from nas_ray.report.correlation import correlate
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.reproduce.by_search import halves
from nas_ray.reproduce.choose import choose
from nas_ray.reproduce.record.args import RecordArgs
from nas_ray.reproduce.record.choosing import candidates, choose_topologies, ranked
from nas_ray.reproduce.record.judging import BUDGETS, lines_of, regret
from nas_ray.reproduce.record.rules import SizeRule, TopologyRule, read_rule, to_text
from nas_ray.reproduce.record.run import RECORD, contestants, run
from nas_ray.reproduce.record.shares import MARKS, marks_of, shares
from nas_ray.reproduce.record.sizes import Sizes, choose_sizes, read_sizes
from nas_ray.reproduce.record.stored import COUNTED, Scored, counted_scores, of_dataset
from nas_ray.searchers.combined import LogRankSum
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from nas_ray.spaces.nats_sss import to_widths
from tests.commands.next_line import next_commands
from tests.reproduce.synthetic import CONVOLUTIONS, NOISE, SIZES, benchmark_table, size_table

SPACE = NatsTss()
NETS = {"channels": 16, "cells": 5}


def made(dataset: str, seed: int, scores: dict[str, np.ndarray]) -> Scored:
    return Scored(dataset, DATASETS[dataset].image_size, seed, NETS, scores)


def test_shares_by_hand() -> None:
    marks = [1.0, 2.0, 2.0, 4.0]
    given = np.array([-3.0, 1.0, 2.0, 3.0, 4.0, 9.0, -np.inf, np.nan])
    expected = [0.125, 0.125, 0.5, 0.6875, 0.875, 0.875]
    assert shares(given, marks).tolist()[:6] == expected
    assert np.isnan(shares(given, marks)[6:]).all()


def test_marks_are_values_that_were_there_and_leave_out_what_is_undefined() -> None:
    scores = np.array([*range(1000), -np.inf, np.nan], dtype=float)
    marks = marks_of(scores)
    assert len(marks) == MARKS
    assert marks[0] == 0
    assert marks[-1] == 999
    assert set(marks) <= set(scores.tolist())


def test_a_rule_against_a_count_of_marks() -> None:
    """The share of a value that is a mark is that of the marks below, and of half of those that equal it."""
    rng = np.random.default_rng(0)
    marks = {"a": sorted(rng.normal(size=40)), "b": sorted(rng.integers(0, 5, size=40).astype(float))}
    rule = TopologyRule("log_rank_sum:a,b", {"32": marks, "16": marks}, NETS, {})
    scores = {name: rng.choice(own, size=25) for name, own in marks.items()}
    scores["a"][3] = -np.inf
    found = rule.values(scores, 32)
    assert found[3] == -np.inf
    for place in set(range(25)) - {3}:
        total = 0.0
        for name, own in marks.items():
            score = scores[name][place]
            total += math.log((sum(m < score for m in own) + sum(m == score for m in own) / 2) / 40)
        assert found[place] == pytest.approx(total)
    assert (rule.values({name: one[:5] for name, one in scores.items()}, 16) == found[:5]).all()
    with pytest.raises(UsageError, match="marks for images of 32 and 16 pixels, got scores of nets for 64"):
        rule.values(scores, 64)


def test_a_file_holds_the_whole_rule(tmp_path: Path) -> None:
    rules = [
        TopologyRule("rank_sum:a,b", {"32": {"a": [1.0, 2.5], "b": [0.0]}}, NETS, {"on": "half"}),
        SizeRule((1.0, 0.5, 1.0, 0.5, 0.25), 1.5, 1, {"on": "half"}),
    ]
    for rule in rules:
        (tmp_path / "rule.json").write_text(to_text(rule))
        assert read_rule(rule.space, tmp_path / "rule.json") == rule
    with pytest.raises(UsageError, match="is for nats-sss, got --space nats-tss"):
        read_rule("nats-tss", tmp_path / "rule.json")
    (tmp_path / "rule.json").write_text("[]")
    with pytest.raises(UsageError, match="A rule must be a file that choose-score wrote"):
        read_rule("nats-sss", tmp_path / "rule.json")
    with pytest.raises(UsageError, match="rules for nats-tss and nats-sss, got --space darts"):
        read_rule("darts")


@pytest.mark.parametrize(
    ("space", "change", "said"),
    [
        ("nats-sss", {"weights": [1, 1]}, "weights must be 5 numbers"),
        ("nats-sss", {"weights": [[1]] * 5}, "weights must be 5 numbers"),
        ("nats-sss", {"weights": ["1"] * 5}, "weights must be 5 numbers"),
        ("nats-sss", {"weights": [math.nan] * 5}, "weights must be 5 numbers"),
        ("nats-sss", {"weights": [1e308] * 5}, "from -1,000,000 to 1,000,000"),
        ("nats-sss", {"classes": 10**400}, ""),
        ("nats-sss", {"classes": None}, "and classes one"),
        ("nats-sss", {"fewer": 100}, "fewer must be 0 or 1"),
        ("nats-sss", {"chosen": None}, "chosen must hold"),
        ("nats-tss", {"fitness": "product:a,b"}, "fitness must be a score"),
        ("nats-tss", {"fitness": None}, "fitness must be a score"),
        ("nats-tss", {"nets": {}}, "nets must have channels and cells"),
        ("nats-tss", {"marks": {"32": {}}}, "marks of live_ops for images of 32 pixels must be finite"),
        ("nats-tss", {"marks": {"32": {"live_ops": []}}}, "marks of live_ops"),
        ("nats-tss", {"marks": [1]}, "marks must be lists"),
    ],
)
def test_a_damaged_rule_is_refused_in_a_sentence(
    space: str, change: dict[str, object], said: str, tmp_path: Path
) -> None:
    held = json.loads(to_text(read_rule(space)))
    (tmp_path / "rule.json").write_text(json.dumps({**held, **change}))
    with pytest.raises(UsageError, match=f"A rule must be a file that choose-score wrote.*{said}"):
        read_rule(space, tmp_path / "rule.json")


def test_a_rule_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rule.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match="A rule must be a file that choose-score wrote"):
        read_rule("nats-sss", tmp_path / "rule.json")


def test_counted_scores_are_those_of_the_proxies() -> None:
    counted = counted_scores(SPACE)
    assert set(counted) == set(COUNTED)
    places = np.random.default_rng(1).choice(len(SPACE), 12, replace=False)
    batch = ChunkScorer(SPACE, 10, np.zeros((2, 3, 8, 8), np.float32), np.zeros(2, int), list(COUNTED))
    of_nets = batch([SPACE[int(place)] for place in places])
    for name in ("skip", "live_ops", "clear_paths"):
        assert of_nets[name].tolist() == counted[name][places].tolist()
    for name in ("params", "num_conv"):  # of a whole net, in the same order
        assert (stats.rankdata(of_nets[name]) == stats.rankdata(counted[name][places])).all()


def test_candidates_are_ranked_as_searches_add_them_up() -> None:
    rng = np.random.default_rng(0)
    names = ["a", "b", "c"]
    scores = {name: rng.normal(size=60) for name in names}
    scores["b"][:4] = -np.inf
    valid = {"cifar10": scores["a"] + rng.normal(size=60), "ImageNet16-120": rng.normal(size=60)}
    found = [made("cifar10", 0, scores), made("ImageNet16-120", 0, {n: -s for n, s in scores.items()})]
    table = ranked(found, valid, names).set_index("fitness")
    assert len(table) == len(list(candidates(names))) == 3 + 2 * (3 + 1)
    rows = [{name: scores[name][place] for name in names} for place in range(60)]
    values = LogRankSum(("a", "b"))(rows)
    rho = stats.spearmanr(values, valid["cifar10"]).statistic
    assert table.loc["log_rank_sum:a,b", "cifar10"] == pytest.approx(rho)
    means = table[["cifar10", "ImageNet16-120"]].mean(axis=1)
    assert table["spearman"].to_numpy() == pytest.approx(means.to_numpy())
    assert table["spearman"].is_monotonic_decreasing


def test_the_half_that_was_chosen_on_decides_alone() -> None:
    mine = np.isin(np.array(SPACE.archs), halves(SPACE.archs)[0])
    scores = {"good": CONVOLUTIONS + NOISE, "bad": -CONVOLUTIONS}
    found = [made("cifar10", seed, scores) for seed in (0, 1)]
    rule, tried = choose_topologies(SPACE.archs, found, {"cifar10": CONVOLUTIONS + NOISE}, ["good", "bad"])
    assert rule.fitness == "good"
    turned = {"cifar10": np.where(mine, CONVOLUTIONS + NOISE, -CONVOLUTIONS)}
    spoilt = [made("cifar10", seed, {n: np.where(mine, s, 0) for n, s in scores.items()}) for seed in (0, 1)]
    again, tried_again = choose_topologies(SPACE.archs, spoilt, turned, ["good", "bad"])
    assert again == rule
    pd.testing.assert_frame_equal(tried, tried_again)


def test_datasets_of_one_image_size_share_scores() -> None:
    cifar, small = made("cifar10", 0, {}), made("ImageNet16-120", 0, {})
    assert of_dataset([cifar, small], "cifar100") == [cifar]
    own = made("cifar100", 0, {})
    assert of_dataset([cifar, own, small], "cifar100") == [own]
    with pytest.raises(UsageError, match="images of 16 pixels are needed for ImageNet16-120"):
        of_dataset([cifar], "ImageNet16-120")


def test_correlations_and_intervals_against_scipy() -> None:
    rng = np.random.default_rng(0)
    truth = {"cifar10": rng.normal(size=50)}
    sets = {"cifar10": [truth["cifar10"] + rng.normal(size=50).round(1) for _ in range(4)]}
    (line,) = lines_of("it", sets, truth)
    rho = [stats.spearmanr(one, truth["cifar10"]).statistic for one in sets["cifar10"]]
    tau = [stats.kendalltau(one, truth["cifar10"]).statistic for one in sets["cifar10"]]
    for name, found in (("spearman", rho), ("kendall", tau)):
        half = stats.t.ppf(0.975, 3) * np.std(found, ddof=1) / 2
        expected = [np.mean(found), np.mean(found) - half, np.mean(found) + half]
        assert [line[name], line[f"{name}_low"], line[f"{name}_high"]] == pytest.approx(expected)


def test_regret_against_a_search_through_all() -> None:
    rng = np.random.default_rng(0)
    params = rng.integers(1, 30, size=80)
    accuracy = rng.normal(90, 3, size=80)
    values = {"score": rng.normal(size=80), "params": params.astype(float)}
    lines = regret(values, accuracy, params)
    assert [line["budget"] for line in lines[::2]] == list(BUDGETS)
    for line in lines:
        most = sorted(params)[math.ceil(line["budget"] * 80) - 1]
        within = [place for place in range(80) if params[place] <= most]
        chosen = max(within, key=lambda place: (values[line["score"]][place], -place))  # type: ignore[index]
        assert (line["params"], line["archs_within"], line["place"]) == (most, len(within), chosen)
        assert line["regret"] == pytest.approx(max(accuracy[within]) - accuracy[chosen])


def write_scores(folder: Path) -> list[Path]:
    """Writes two initialisations for CIFAR-10 and one for ImageNet16-120, as score-space leaves them."""
    paths = []
    for dataset, seed in (("cifar10", 0), ("cifar10", 1), ("ImageNet16-120", 0)):
        place = folder / f"{dataset}-{seed}"
        place.mkdir()
        about = {"format": 1, "experiment": "score_space", "dataset": dataset, "init_seed": seed, **NETS}
        (place / "run.json").write_text(json.dumps(about))
        noise = np.random.default_rng(seed).normal(size=len(SPACE))
        scores = np.where(CONVOLUTIONS == 0, -np.inf, CONVOLUTIONS + 0.3 * noise)
        pd.DataFrame({"arch": list(SPACE), "mine": scores}).to_parquet(place / "scores.parquet")
        paths.append(place / "scores.parquet")
    return paths


def test_what_is_chosen_is_what_is_judged(tmp_path: Path) -> None:
    """The two commands in turn, and the numbers again by the report of correlations."""
    paths = tuple(write_scores(tmp_path))
    benchmark = tmp_path / "nats.parquet"
    benchmark_table().to_parquet(benchmark)
    said = io.StringIO()
    console = Console(file=said, width=250)
    given = ChooseArgs(
        scores_file=paths, benchmark=str(benchmark), scores=("mine",), for_ranks=True, out=tmp_path / "rule"
    )
    assert choose(given, console) == 0
    rule = read_rule("nats-tss", tmp_path / "rule" / "rule.json")
    assert isinstance(rule, TopologyRule)
    tried = pd.read_parquet(tmp_path / "rule" / "tried.parquet")
    assert tried["fitness"].iloc[0] == rule.fitness
    assert str(rule.chosen["among"]).startswith(f"{len(tried)} sums")
    command = next_commands(said.getvalue())[0]
    assert f"--scores-file {paths[0]}" in command
    assert f"--rule-file {tmp_path / 'rule' / 'rule.json'}" in command

    judged = RecordArgs(
        scores_file=paths,
        benchmark=str(benchmark),
        rule_file=tmp_path / "rule" / "rule.json",
        out=tmp_path / "out",
    )
    assert run(judged, console) == 0
    next_commands(said.getvalue().rpartition("Folder:")[2])
    table = pd.read_parquet(tmp_path / "out" / "record.parquet")
    apart = set(halves(SPACE.archs)[1])
    mine = np.array([arch in apart for arch in SPACE.archs])
    accuracy = dict(zip(SPACE.archs, benchmark_table()["cifar100_test_acc_200"], strict=True))
    found = []
    for path in paths[:2]:  # CIFAR-100 shares the nets of CIFAR-10
        scores = {**counted_scores(SPACE), "mine": pd.read_parquet(path)["mine"].to_numpy()}
        frame = pd.DataFrame({"arch": SPACE.archs, "rule": rule.values(scores, 32)})[mine]
        ours = correlate(frame, accuracy, ["rule"], resamples=2, seed=0)
        found.append(ours.set_index("score").loc["rule"])
    line = table.set_index(["archs", "score", "dataset"]).loc["apart", RECORD, "cifar100"]
    assert line["number"] == mine.sum()
    assert line["initialisations"] == 2
    for measure in ("spearman", "kendall"):
        assert line[measure] == pytest.approx(np.mean([one[measure] for one in found]))
    assert "published" in (tmp_path / "out" / "record.md").read_text()


def test_contestants_stand_beside_each_other() -> None:
    scores = {**counted_scores(SPACE), "mine": NOISE}
    scores = {name: values[:50] for name, values in scores.items()}
    marks = {size: {n: marks_of(scores[n]) for n in ("live_ops", "mine")} for size in ("32", "16")}
    rule = TopologyRule("log_rank_sum:live_ops,mine", marks, NETS, {})
    judged = contestants(rule, [made("cifar10", seed, scores) for seed in (0, 1)], ["cifar10"])
    rows = [{name: values[place] for name, values in scores.items()} for place in range(50)]
    within = judged["log_rank_sum within these archs"]["cifar10"]
    assert within[1] == pytest.approx(LogRankSum(("live_ops", "mine"))(rows))
    assert {"mine", "live_ops", "clear_paths", "params"} < set(judged)
    both = judged["the rule, mean of initialisations"]["cifar10"]
    assert both[0] == pytest.approx(judged[RECORD]["cifar10"][0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores_file": ()}, "got no --scores-file"),
        ({"scores": ("live_ops",)}, "live_ops comes from the archs and takes part anyway"),
        ({"space": "darts"}, "must be nats-tss or nats-sss, got --space darts"),
        ({"space": "nats-sss"}, "leave --scores-file out"),
        ({"for_searches": True}, "Either --for-ranks or --for-searches"),
        ({"for_ranks": False, "space": "nats-sss"}, "add --for-ranks for another space"),
    ],
)
def test_choices_that_cannot_be_made(change: dict[str, object], said: str, tmp_path: Path) -> None:
    given = {"scores_file": (tmp_path / "s.csv",), "scores": ("mine",), "for_ranks": True, **change}
    with pytest.raises(UsageError, match=said):
        choose(ChooseArgs(**given), Console(file=io.StringIO()))  # type: ignore[arg-type]


def test_scores_of_other_nets_are_refused(tmp_path: Path) -> None:
    paths = write_scores(tmp_path)
    twice = ChooseArgs(scores_file=(paths[0], paths[0].with_suffix(".csv")), scores=("mine",), for_ranks=True)
    pd.read_parquet(paths[0]).to_csv(paths[0].with_suffix(".csv"), index=False)
    with pytest.raises(UsageError, match="got two of cifar10 with --init-seed 0"):
        choose(twice, Console(file=io.StringIO()))
    about = json.loads((tmp_path / "cifar10-1" / "run.json").read_text())
    (tmp_path / "cifar10-1" / "run.json").write_text(json.dumps({**about, "cells": 1}))
    with pytest.raises(UsageError, match="must be of nets of one size"):
        choose(
            ChooseArgs(scores_file=tuple(paths), scores=("mine",), for_ranks=True),
            Console(file=io.StringIO()),
        )


def test_a_rule_of_sizes_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    rule = SizeRule((1.0, 0.75, 1.0, 0.5, 0.25), 1.5, 1, {})
    archs = [SIZES[int(i)] for i in rng.choice(32_768, 50)]
    for classes in (10, 100):
        found = rule.values(np.array([to_widths(arch) for arch in archs], dtype=float), classes)
        for arch, value in zip(archs, found, strict=True):
            a, b, c, d, e = map(math.log, to_widths(arch))
            last = math.log(min(to_widths(arch)[-1], classes - 1))
            assert value == pytest.approx(a + 0.75 * b + c + 0.5 * d + 0.25 * e + 1.5 * last)


def test_sizes_are_chosen_on_one_half_and_judged_on_what_was_not_used(tmp_path: Path) -> None:
    table = size_table()
    table.iloc[:300].to_csv(tmp_path / "part.csv", index=False)
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "more.csv", index=False)
    part = read_sizes(tmp_path / "part.csv")
    assert part.archs == sorted(part.archs, key=SIZES.index)
    half = part.chosen_on()
    assert half.sum() == 150
    rule, tried = choose_sizes(part)
    spoilt = {name: np.where(half, values, 0) for name, values in part.accuracy.items()}
    assert choose_sizes(Sizes(part.archs, spoilt, part.widths))[0] == rule
    assert len(tried) == 250
    assert rule.weights[1] < rule.weights[0]

    said = io.StringIO()
    console = Console(file=said, width=250)
    chosen = ChooseArgs(
        benchmark=str(tmp_path / "part.csv"), for_ranks=True, space="nats-sss", out=tmp_path / "r"
    )
    assert choose(chosen, console) == 0
    given = {
        "space": "nats-sss",
        "benchmark": str(tmp_path / "more.csv"),
        "rule_file": tmp_path / "r" / "rule.json",
    }
    with pytest.raises(UsageError, match=r"more.csv; name that one with --chosen-on"):
        run(RecordArgs(**given), console)  # type: ignore[arg-type]
    args = RecordArgs(**given, chosen_on=tmp_path / "part.csv", out=tmp_path / "out")  # type: ignore[arg-type]
    assert run(args, console) == 0
    next_commands(said.getvalue().rpartition("Folder:")[2])
    ranks = pd.read_parquet(tmp_path / "out" / "record.parquet")
    numbers = ranks.groupby("archs", sort=False)["number"].first().to_dict()
    assert numbers == {"chosen on": 150, "apart": 150, "not in that table": 100, "all": 400}
    regrets = pd.read_parquet(tmp_path / "out" / "regret.parquet")
    assert set(regrets["archs"]) == set(numbers)
    used = {arch for arch, mine in zip(part.archs, half, strict=True) if mine}
    assert not used & set(regrets.loc[regrets["archs"].isin(["apart", "not in that table"]), "arch"])


def test_a_table_of_other_archs_is_no_size_space(tmp_path: Path) -> None:
    size_table(20).assign(arch="8:8:8:8:8").to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(UsageError, match="each once, got 20 rows of 1 archs"):
        read_sizes(tmp_path / "twice.csv")
    size_table(20).drop(columns="cifar100_test_acc_90").to_csv(tmp_path / "less.csv", index=False)
    with pytest.raises(UsageError, match="must have the column 'cifar100_test_acc_90'"):
        read_sizes(tmp_path / "less.csv")


def test_the_package_has_rules_that_can_be_computed() -> None:
    sized, cells = read_rule("nats-sss"), read_rule("nats-tss")
    assert isinstance(sized, SizeRule)
    assert isinstance(cells, TopologyRule)
    assert set(cells.names) <= set(PROXIES)
    assert set(cells.marks) == {"32", "16"}
    assert all({*own} == {*cells.names} for own in cells.marks.values())
    assert {len(marks) for own in cells.marks.values() for marks in own.values()} == {MARKS}
    for rule in (sized, cells):
        assert str(rule.chosen["command"]).startswith("nas-ray choose-score --for-ranks")


def test_scores_of_the_rule_do_not_see_the_images() -> None:
    """So a table of one dataset can serve another one of the same image size, and any images."""
    rule = read_rule("nats-tss")
    assert isinstance(rule, TopologyRule)
    archs = [SPACE[int(place)] for place in np.random.default_rng(2).choice(len(SPACE), 3, replace=False)]
    small = NatsTss(channels=2, cells=1)
    shape = (2, 3, 8, 8)
    first, second = (np.random.default_rng(s).normal(size=shape).astype(np.float32) for s in (0, 1))
    given = [name for name in rule.names if name not in COUNTED]
    one = ChunkScorer(small, 10, first, np.zeros(2, int), given)(archs)
    other = ChunkScorer(small, 10, second, np.ones(2, int), given)(archs)
    pd.testing.assert_frame_equal(one[given], other[given])


@pytest.mark.data
def test_the_rule_of_sizes_is_what_its_command_chooses(data_dir: Path) -> None:
    table = read_sizes(data_dir / "nats_sss_half.csv.gz")
    rule, _ = choose_sizes(table)
    packaged = read_rule("nats-sss")
    assert isinstance(packaged, SizeRule)
    assert packaged.chosen["spearman"] == rule.chosen["spearman"]
    assert (packaged.weights, packaged.classes, packaged.fewer) == (rule.weights, rule.classes, rule.fewer)
    apart = ~table.chosen_on()
    for dataset, least in (("cifar10", 0.946), ("cifar100", 0.940), ("ImageNet16-120", 0.967)):
        values = rule.values(table.widths[apart], DATASETS[dataset].num_classes)
        assert stats.spearmanr(values, table.accuracy[dataset][apart]).statistic > least
