"""Searches on a text: what commands take, what is refused, and a whole run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from nas_ray.commands.names import check_names
from nas_ray.drivers.scheduling import make_scheduler, teach
from nas_ray.errors import UsageError
from nas_ray.report.html_report import write_report
from nas_ray.search.arguments import AnySearchArgs, SearchArgs
from nas_ray.search.experiment import prepare
from nas_ray.search.one_shot.args import OneShotArgs
from nas_ray.search.session import run
from nas_ray.search.tune_recipe.args import TuneRecipeArgs
from nas_ray.search.two_stage import Halving
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.searchers.columns import Negated
from nas_ray.searchers.messages import epoch_result
from nas_ray.train.args import TrainArgs
from nas_ray.training.task_args import TaskArgs, check_alone
from tests.report.page import Page
from tests.training.small_lstm import generated_text

SPACE = "tests.training.small_lstm:SmallLstms"
IMAGES = "nas_ray.spaces:NatsTss"


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "said.txt"
    path.write_text(generated_text())
    return f"text:{path}"


def test_a_search_on_a_text_is_a_run_like_any_other(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = SearchArgs(
        task=text, space=SPACE, fidelity="lm-fast:epochs=1,batch_size=8", batch_size=16,
        num_samples=2, driver="process", out=tmp_path / "run",
    )  # fmt: skip
    assert run("random_search", args, "random_search", Console()) == 0
    said = capsys.readouterr().out
    assert "2,084 words to learn from, 261 held out, 261 to test, 14 different" in said
    assert "rank 1 of 2 by this score" in said
    rows = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert rows["fitness"].tolist() == (-rows["valid_nats"]).tolist()
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["args"]["dataset"] == "text"
    assert info["images"]["source"] == text
    best = rows.loc[rows["fitness"].idxmax()]
    perplexity = f"{best['valid_perplexity']:,.1f}"
    assert f"perplexity {perplexity} of the held-out text" in " ".join(said.split())
    page = Page(write_report([tmp_path / "run"]))
    assert "cannot be used here" not in page.text
    assert "2,084 words to learn from" in page.facts["text"]
    assert "images" not in page.facts
    assert page.facts["fitness"] == "-valid_nats"
    assert page.facts["its perplexity"] == f"{perplexity} of the held-out text"
    assert page.json["curves-1"]["layout"]["yaxis"]["title"]["text"] == "-valid_nats"
    Path(text.partition(":")[2]).write_text(generated_text(seed=1))
    again = SearchArgs(**{**vars(args), "resume": tmp_path / "run"})
    with pytest.raises(UsageError, match="scored another minibatch than text:"):
        run("random_search", again, "random_search", Console())


def test_settings_of_trainings_on_a_text_have_their_importance(text: str, tmp_path: Path) -> None:
    args = SearchArgs(
        task=text, space=f"{SPACE}@lr=log:0.01..1", fidelity="lm-fast:epochs=1,batch_size=8", batch_size=16,
        num_samples=4, driver="process", out=tmp_path / "run",
    )  # fmt: skip
    assert run("random_search", args, "random_search", Console(quiet=True)) == 0
    assert pd.read_csv(tmp_path / "run" / "importance.csv")["setting"].tolist() == ["lr", "several together"]


def test_a_search_that_names_no_score_trains(text: str) -> None:
    prepared = prepare("search", AnySearchArgs(task=text, space=SPACE, batch_size=16), "random_search")
    assert prepared.args.fidelity == "lm-fast"
    assert prepared.fitness == Negated("valid_nats")
    assert prepared.benchmark is None
    assert prepared.args.dataset == "text"


def test_scores_that_need_no_images_judge_nets_of_a_text(text: str) -> None:
    args = AnySearchArgs(task=text, space=SPACE, batch_size=16, proxies=("grad_norm,params",), max_params=3e4)
    prepared = prepare("search", args, "random_search")
    rows: list[dict[str, object]] = []
    prepared.evaluator("16", rows.append)
    assert rows[0]["error"] is None
    with pytest.raises(UsageError, match="zen"):
        prepare("search", AnySearchArgs(task=text, space=SPACE, batch_size=16, proxies=("zen",)), "rea")


def test_what_cannot_be_on_a_text_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        prepare("search", AnySearchArgs(task="text:gone", space="nats-tss:cells=1"), "random_search")
    assert str(raised.value) == (
        "A text needs a space of nets that read one, darts-rnn, rnn-tree or rnn-nets, and those of nats-tss "
        "read images; give another --space, or leave --task out."
    )
    with pytest.raises(UsageError) as raised:
        prepare("search", AnySearchArgs(task=text, space=IMAGES, batch_size=16), "random_search")
    assert str(raised.value).startswith(
        "A text needs nets that tell each next word, such as those of the space darts-rnn, but a net of "
        f"{IMAGES} does not ("
    )
    with pytest.raises(UsageError) as raised:
        prepare("search", AnySearchArgs(task=text, space=SPACE, images="digits"), "random_search")
    assert str(raised.value) == (
        f"--task {text} has no images, but --images digits was given; leave one of them out."
    )
    with pytest.raises(UsageError, match="A two-stage search trains on images and no text"):
        Halving(TwoStageArgs(task=text, space=SPACE))
    with pytest.raises(UsageError, match="tokens for each of 2,000 streams"):
        prepare("search", AnySearchArgs(task=text, space=SPACE, batch_size=2000), "random_search")


def test_schedulers_compare_what_is_to_be_small_by_its_negative() -> None:
    row = {"valid_nats": 4.5, "epochs": 1, "curve": "4.5", "error": None}
    assert epoch_result(row, 2, "-valid_nats")["score"] == -4.5
    good, bad = (dict(row, curve=f"{nats} {nats}") for nats in (3.0, 6.0))
    taught = make_scheduler("asha", epochs=9, grace_epochs=1, reduction_factor=2)
    teach(taught, [good, bad] * 4, "-valid_nats")
    fresh = type("Trial", (), {"trial_id": "fresh"})()
    taught.on_trial_add(None, fresh)
    assert taught.on_trial_result(None, fresh, {"epochs": 1, "score": -5.0}) == "STOP"
    better = type("Trial", (), {"trial_id": "better"})()
    taught.on_trial_add(None, better)
    assert taught.on_trial_result(None, better, {"epochs": 1, "score": -2.0}) == "CONTINUE"


def test_names_of_tasks_are_checked_early(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        check_names(SearchArgs(task="texts"))
    assert str(raised.value) == "--task must be images, text or text:PATH, got 'texts'."
    with pytest.raises(UsageError, match=r"there is no .*nothing: check the path"):
        check_names(SearchArgs(task=f"text:{tmp_path / 'nothing'}"))
    check_names(SearchArgs(task="text", fitness="-valid_nats"))


@pytest.mark.parametrize(
    ("kind", "change", "given"),
    [
        (SearchArgs, {"dataset": "cifar100"}, "--dataset cifar100"),
        (AnySearchArgs, {"image_size": 32}, "--image-size 32"),
        (TuneRecipeArgs, {"split_seed": 3}, "--split-seed 3"),
        (TrainArgs, {"download": True}, "--download"),
        (OneShotArgs, {"search_set": 0.4}, "--search-set 0.4"),
        (OneShotArgs, {"flip": False}, "--no-flip"),
    ],
)
def test_what_is_said_of_images_is_refused_beside_a_text(
    kind: type[TaskArgs], change: dict[str, object], given: str
) -> None:
    args = kind(task="text", **change)  # type: ignore[arg-type]
    with pytest.raises(UsageError) as raised:
        check_names(args)
    assert str(raised.value) == (f"--task text has no images, but {given} was given; leave one of them out.")
    check_alone(kind(task="text", **change, resume=Path("run")))  # type: ignore[arg-type]  # made before
    check_alone(kind(task="text", space="rnn-nets"))  # type: ignore[call-arg]
    check_alone(kind(**change))  # type: ignore[arg-type]


def test_no_benchmark_is_taken_beside_a_text() -> None:
    with pytest.raises(UsageError) as raised:
        check_names(SearchArgs(task="text", benchmark="nb201"))
    assert str(raised.value) == (
        "No benchmark knows nets of a text, but --benchmark nb201 was given beside --task text; leave one of "
        "them out."
    )
    check_names(SearchArgs(task="text", space="rnn-nets", benchmark="none"))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            SearchArgs(task="text", fidelity="lm-fast:epochs=1,cutout=8"),
            "The recipe option cutout is about images and would change nothing of a training on a text; "
            "leave it out.",
        ),
        (
            TrainArgs(task="text", arch="lstm", recipe="epochs:2:valid_fraction=0.1"),
            "option valid_fraction is",
        ),
        (
            SearchArgs(task="text", space="rnn-nets@flip=true/false", fidelity="lm-fast"),
            "option flip is about",
        ),
        (
            SearchArgs(fidelity="fast:bptt=20"),
            "The recipe option bptt is about texts and would change nothing of a training on images; "
            "leave it out.",
        ),
        (
            SearchArgs(space="nats-tss@nonmonotone=0..3", fidelity="fast:momentum=0,nesterov=no"),
            "nonmonotone",
        ),
    ],
)
def test_options_of_a_recipe_that_change_nothing_are_refused(args: TaskArgs, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_names(args)
    assert said in str(raised.value)
    check_names(dataclasses.replace(args, resume=Path("run")))  # what was made before goes on
