"""`nas-ray train` on a text: a whole training, its files, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from torch.nn.functional import cross_entropy

from nas_ray.commands.args import PredictArgs
from nas_ray.commands.names import check_names
from nas_ray.commands.results import predicted
from nas_ray.errors import UsageError
from nas_ray.search.arguments import SearchArgs
from nas_ray.search.session import run as search
from nas_ray.spaces.named import open_space
from nas_ray.text.corpus import open_corpus
from nas_ray.text.spec import parse_text
from nas_ray.train import latency
from nas_ray.train.args import TrainArgs, parse
from nas_ray.train.base_job import with_threads
from nas_ray.train.curves import OF_TEXT, _panels
from nas_ray.train.folder import in_folder
from nas_ray.train.run import train
from nas_ray.train.texts import fit
from nas_ray.train.texts.export import Step, run_onnx, run_pt2
from nas_ray.train.texts.job import prepare
from nas_ray.train.texts.run import chosen_threads
from nas_ray.train.texts.tables import (
    of_unknown,
    perplexities,
    shown_rows,
    summary_table,
    with_perplexities,
)
from nas_ray.training.trained import load
from nas_ray.training.trained_text import TrainedText
from tests.training.small_lstm import SmallLstm, SmallLstms, generated_text

BIGRAMS = "tests.training.small_lstm:Bigrams"
SPACE = "tests.training.small_lstm:SmallLstms"
RECIPE = "lm-fast:batch_size=8,bptt=20,nonmonotone=1,epochs=3"
SHORT = RECIPE.replace("epochs=3", "epochs=1")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("text") / "said.txt"
    path.write_text(generated_text())
    return f"text:{path}"


def args_for(text: str, out: Path, **changes: object) -> TrainArgs:
    args = TrainArgs(
        task=text, space=SPACE, arch="16", recipe=RECIPE, seeds=2, out=out, num_gpus=0, num_threads=1,
        formats=("none",),
    )  # fmt: skip
    return dataclasses.replace(args, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of two seeds with an arch beside it."""
    out = tmp_path_factory.mktemp("train") / "run"
    assert train(args_for(text, out, beside=("8",), sample="the cat"), Console()) == 0
    return out


def test_tables_have_perplexities_with_intervals_over_seeds(trained: Path) -> None:
    results = pd.read_parquet(trained / "results.parquet")
    assert results["label"].tolist() == ["found", "found", "beside-0", "beside-0"]
    assert results["test_perplexity"].tolist() == [math.exp(nats) for nats in results["test_nats"]]
    summary = pd.read_parquet(trained / "comparison.parquet")
    found = results[results["label"] == "found"]
    first, second = summary.to_dict("records")
    nats = found["test_nats"]
    assert first["test_perplexity"] == pytest.approx(math.exp(nats.mean()))
    half = 12.706 * nats.std(ddof=1) / math.sqrt(2)  # of Student's t with one degree of freedom
    assert first["test_perplexity_high"] == pytest.approx(math.exp(nats.mean() + half), rel=1e-3)
    beside = results[results["label"] == "beside-0"]["test_perplexity"].mean()
    assert second["behind"] == pytest.approx(beside - found["test_perplexity"].mean())


def test_unknown_words_are_counted_where_a_perplexity_is_told(tmp_path: Path) -> None:
    for part, said in (
        ("train", "the cat sees the cat\n" * 9),
        ("valid", "the cat\n"),
        ("test", "a dog sees\n"),
    ):
        (tmp_path / f"{part}.txt").write_text(said)
    shown = of_unknown(open_corpus(parse_text(f"text:{tmp_path}")))
    assert shown == (
        "Unknown are 2 of 4 tokens of the test text (50.0%); a perplexity counts them as one word, <unk>."
    )


def test_a_named_net_is_called_by_its_name(text: str, tmp_path: Path) -> None:
    args = args_for(text, tmp_path, space="rnn-nets:width=8,embedding=8", arch="gru", beside=("lstm",))
    job = prepare(args)
    assert [one.label for one in job.candidates] == ["gru", "lstm"]
    nats = {"valid_nats": 2.0, "test_nats": 2.0, "test_perplexity": math.exp(2)}
    results = pd.DataFrame([{"label": label, **nats} for label in ("gru", "lstm")])
    assert shown_rows(summary_table(results, job.candidates))[0][-1] == "gru is lower by"


def test_no_end_of_an_interval_of_perplexities_is_below_1() -> None:
    interval = perplexities([math.log(144.0), math.log(172.0)])
    assert 0 < interval.low < 144 < interval.mean < 172 < interval.high
    assert interval.low * interval.high == pytest.approx(interval.mean**2)
    assert perplexities([0.4, 1.1]).low == 1
    assert str(perplexities([math.log(144.0)])) == "144.00"
    assert perplexities([math.inf]).mean == math.inf


def test_the_best_epoch_of_the_best_seed_is_loaded_and_tells_the_test_text(trained: Path, text: str) -> None:
    net = load(trained, SmallLstms())
    assert isinstance(net, TrainedText)
    results = pd.read_parquet(trained / "results.parquet")
    best = results[results["label"] == "found"].sort_values("valid_nats").iloc[0]
    words = [word for line in generated_text().splitlines() for word in (*line.split(), "<eos>")]
    tokens = torch.from_numpy(net.vocabulary.numbers(words[9 * len(words) // 10 :]))
    with torch.no_grad():
        logits = net(tokens[None, :-1])[0]
    assert float(cross_entropy(logits, tokens[1:])) == pytest.approx(best["test_nats"], rel=1e-5)
    curve = pd.read_csv(trained / "nets" / f"found-seed-{best['seed']}" / "curve.csv")
    assert best["valid_nats"] == pytest.approx(curve["valid_nats"].min())
    assert (curve["tokens_per_s"] > 0).all()


def test_a_net_continues_a_prompt(trained: Path) -> None:
    net = load(trained, SmallLstms())
    assert isinstance(net, TrainedText)
    one, same, other = (net.continued("the cat", length=30, seed=seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other
    assert "<unk>" not in net.continued("", length=200, temperature=3.0)
    words = {"sees", "eats", "hears"}
    likely = [net.continued("the cat", length=1, temperature=0.3, seed=seed) for seed in range(10)]
    assert sum(word in words for word in likely) >= 8
    assert net.perplexity("the cat sees mice .\n") < net.perplexity("mice the . sees cat\n")


def test_steps_one_after_the_other_are_the_net() -> None:
    torch.manual_seed(0)
    net = SmallLstm(14, 8).eval()
    tokens = torch.randint(14, (3, 6), generator=torch.Generator().manual_seed(1))
    state, logits = net.begin(3), []
    for column in tokens.T:
        now, *state = Step(net)(column, *state)
        logits.append(now)
    torch.testing.assert_close(torch.stack(logits, 1), net(tokens))


@pytest.mark.slow(faster="test_steps_one_after_the_other_are_the_net")
@pytest.mark.parametrize(("space", "arch"), [(SPACE, "16"), ("rnn-nets:embedding=8,width=8", "darts-v2")])
def test_the_step_in_each_format_gives_the_logits_of_the_net(
    space: str, arch: str, text: str, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    run = tmp_path / "run"
    args = args_for(text, run, seeds=1, formats=None, space=space, arch=arch)
    assert train(args, Console()) == 0
    net = load(run, open_space(space))
    assert isinstance(net, TrainedText)
    tokens = torch.randint(14, (4, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = net(tokens).numpy()
    for form, compute in (("onnx", run_onnx), ("pt2", run_pt2)):
        np.testing.assert_allclose(compute(run / f"model.{form}", tokens.numpy()), expected, atol=1e-5)
        assert f"`model.{form}` is one step" in (run / "model_card.md").read_text(encoding="utf-8")
    about = onnxruntime.InferenceSession(str(run / "model.onnx")).get_modelmeta().custom_metadata_map
    assert tuple(json.loads(about["words"])) == net.facts.words
    extra = {"facts.json": ""}
    torch.export.load(run / "model.pt2", extra_files=extra)
    assert json.loads(extra["facts.json"])["words"] == list(net.facts.words)


def test_a_net_without_a_state_has_no_step_to_be_written(text: str, tmp_path: Path) -> None:
    args = args_for(text, tmp_path, space=BIGRAMS, arch="bigram", recipe="fast", formats=None)
    job = prepare(args)
    assert job.formats == ()
    why = "a net of a text is written as one step with its state, and this one has none"
    assert job.left_out["pt2"] == f"pt2: {why}"
    with pytest.raises(UsageError) as raised:
        prepare(dataclasses.replace(args, formats=("pt2",)))
    assert str(raised.value) == f"--formats pt2 cannot be written: {why}; give --formats none."


def test_the_learning_curves_are_drawn_with_a_perplexity_of_all_nats(trained: Path) -> None:
    assert (trained / "curves.png").read_bytes().startswith(b"\x89PNG")
    curve = with_perplexities(pd.read_csv(trained / "nets" / "found-seed-0" / "curve.csv"))
    for part in ("train", "valid"):
        np.testing.assert_allclose(curve[f"{part}_perplexity"], np.exp(curve[f"{part}_nats"]))
    lost = curve.assign(valid_nats=[math.nan, math.inf, 1e9])
    assert with_perplexities(lost)["valid_perplexity"].tolist()[1:] == [math.inf, math.inf]
    figure = _panels({"lstm": [curve], "gru": [with_perplexities(lost)]}, "recipe", OF_TEXT)
    assert [axes.get_ylabel() for axes in figure.axes] == ["nats of a token", "perplexity"]
    drawn = figure.axes[1].lines[1].get_ydata()
    np.testing.assert_allclose(np.asarray(drawn, dtype=float), curve["valid_perplexity"])


def test_the_card_says_what_the_net_is(trained: Path) -> None:
    card = (trained / "model_card.md").read_text(encoding="utf-8")
    for part in (
        "95 % t interval of the nats over 2 seeds",
        "Unknown are 0 of ",
        "nonmonotone 1",
        "bptt 20",
        "14 tokens",
        "net.continued(",
        "![Learning curves](curves.png)",
    ):
        assert part in card


def test_a_training_that_was_cut_off_ends_with_equal_numbers(
    trained: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is interrupted when its second epoch is kept."""
    said: list[str] = []

    def interrupt(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            raise KeyboardInterrupt

    args = args_for(text, tmp_path / "cut", seeds=1, sample="the cat")
    monkeypatch.setattr(fit, "tell", interrupt)
    assert train(args, Console()) != 0
    console = Console(record=True, width=300)
    assert train(parse("", ["--resume", str(args.out)]), console) == 0
    shown = console.export_text()
    assert "\nthe cat " in shown
    assert ": 1 epoch of " in shown
    assert shown.splitlines()[-1].endswith(f"train --resume {args.out} --beside random")
    assert [line.partition(":")[0] for line in said] == [
        f"found seed 0  epoch {number} of 3" for number in (1, 2, 3)
    ]
    kept = [
        json.loads((run / "nets" / "found-seed-0" / "result.json").read_text()) for run in (args.out, trained)
    ]
    for row in kept:
        row.pop("seconds"), row.pop("tokens_per_s")
    assert kept[0] == kept[1]


def test_a_training_that_diverged_at_once_is_not_gone_on_with(text: str, tmp_path: Path) -> None:
    args = args_for(text, tmp_path / "run", seeds=1, recipe="lm-fast:batch_size=8,lr=1e30,clip_grad_norm=0")
    own = tmp_path / "run" / "nets" / "found-seed-0"
    for given in (args, dataclasses.replace(args, resume=args.out, out=None)):
        with pytest.raises(UsageError) as raised:
            train(given, Console(quiet=True))
        assert str(raised.value) == (
            "A training must end with finite weights, but this one diverged; begin another with a lower lr "
            f"than 1e+30, as in --recipe lm-fast:lr=1e+29. What was measured is in {own}."
        )
        assert pd.read_csv(own / "curve.csv")["epoch"].tolist() == [1]


def test_a_training_that_diverged_later_counts_until_then(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = prepare(args_for(text, tmp_path / "run", recipe=RECIPE.replace("epochs=3", "epochs=2")))
    fit.fit(job, job.found, 0, tmp_path)
    kept = torch.load(tmp_path / "last.ckpt", weights_only=True)
    kept["rows"][-1] |= {"train_loss": math.nan, "valid_nats": math.nan}
    torch.save(kept, tmp_path / "last.ckpt")
    said: list[str] = []
    monkeypatch.setattr(fit, "tell", said.append)
    longer = dataclasses.replace(job, recipe=dataclasses.replace(job.recipe, epochs=4))
    assert len(fit.fit(longer, job.found, 0, tmp_path)) == 2
    assert said == ["found seed 0  diverged in epoch 2 and is not trained on: its best epoch before counts."]
    assert all(value.isfinite().all() for value in fit.best_net(job, job.found, 0, tmp_path).parameters())
    (tmp_path / "best.ckpt").unlink()
    with pytest.raises(UsageError, match="must end with finite weights"):
        fit.best_net(job, job.found, 0, tmp_path)
    (tmp_path / "last.ckpt").unlink()
    with pytest.raises(
        UsageError, match=r"^The best checkpoint .* must be there, and is not; remove the folder"
    ):
        fit.best_net(job, job.found, 0, tmp_path)


@pytest.mark.parametrize(("fastest", "said"), [(1, "CPU, 1 thread"), (2, "CPU, 2 threads")])
def test_a_net_is_trained_with_the_threads_that_are_faster_for_it(
    fastest: int, said: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(step: Callable[[], object], *, threads: int) -> float:
        torch.set_num_threads(1)  # two of them may wait for each other where others compute
        step()
        return 1.0 if threads == fastest else 2.0

    monkeypatch.setattr(latency, "local_cores", lambda: 2)
    monkeypatch.setattr(latency, "seconds_of", seconds)
    torch.set_num_threads(3 - fastest)
    args = args_for(text, tmp_path / "run", seeds=1, recipe=SHORT, num_threads=None)
    job = with_threads(prepare(args), chosen_threads)
    assert str(job.devices) == said
    assert torch.get_num_threads() == fastest
    assert in_folder(job, lambda folder: 0, Console()) == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["args"]["num_threads"] == fastest


def test_a_training_goes_on_with_the_same_text_alone(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(generated_text())
    args = args_for(f"text:{other}", tmp_path / "run", seeds=1, recipe=SHORT)
    assert train(args, Console()) == 0
    other.write_text(generated_text(seed=1))
    with pytest.raises(UsageError) as raised:
        train(dataclasses.replace(args, resume=args.out, out=None), Console())
    assert str(raised.value) == (
        "The training must go on with the text that it began with, but it has changed; bring the same back, "
        "or start a new one."
    )


def test_a_search_hands_its_text_and_its_best_arch_on(text: str, tmp_path: Path) -> None:
    found = tmp_path / "search"
    args = SearchArgs(
        task=text, space=SPACE, fidelity="lm-fast:epochs=1,batch_size=8", batch_size=16,
        num_samples=1, driver="process", out=found,
    )  # fmt: skip
    assert search("random_search", args, "random_search", Console()) == 0
    taken = parse("", [str(found)])
    assert (taken.task, taken.dataset, taken.recipe) == (text, "text", "lm-fast")
    assert taken.arch == json.loads((found / "best.json").read_text())["arch"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"num_processes": 2},
            "A net of a text is trained by one process, as its state goes on",
        ),
        ({"space": "nats-tss", "arch": None}, "A training needs the run folder of a search, or an arch"),
        ({"recipe": "lm-fast:batch_size=3000"}, "2 tokens for each of 3,000 streams"),
        ({"beside": ("x",)}, "The arch 'x' cannot be built"),
        (
            {"task": "text:tokens=bytes", "sample": "\ud800"},
            "--sample must be a string of whole characters, which have bytes in UTF-8, got",
        ),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_trained(
    text: str, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        train(args_for(text, tmp_path / "run", **changes), Console())
    assert message in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_what_is_no_net_of_a_text_is_told_in_a_sentence(trained: Path, tmp_path: Path) -> None:
    net = load(trained, SmallLstms())
    for refused in (
        lambda: check_names(PredictArgs(trained, (Path("the cat"),))),
        lambda: predicted(PredictArgs(trained / "model.pt", (tmp_path,), space=SPACE)),
        lambda: net.predict("the cat"),
    ):
        with pytest.raises(UsageError, match="this is a net of a text, which has no classes") as raised:
            refused()
        assert "nas_ray.load(...).continued(" in str(raised.value)
        assert "train --resume FOLDER --sample" in str(raised.value)
    content = torch.load(trained / "model.pt", weights_only=True)
    for changes in ({"words": ["a"]}, {"tokens": "letters"}, {"arch": None}):
        torch.save({**content, **changes}, tmp_path / "model.pt")
        with pytest.raises(UsageError, match="must hold a net that nas-ray train wrote, but what it says"):
            load(tmp_path, SmallLstms())


def test_samples_are_of_texts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--sample continues a text"):
        train(TrainArgs(arch="resnet-20", images="digits", sample="the"), Console())
