"""README.md and docs/*.md are followed as they stand, so that no block can stop working unseen."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.docs.blocks import LANGUAGES, PAGES, PROGRAMS, ROOT, Block, blocks, mentions, parsed
from tests.docs.checks import CHECKS
from tests.docs.needs import NEEDS
from tests.docs.running import BY_DAY, BY_NIGHT, follow, read

RAY = re.compile(
    r"tune\.|tune_search\(|nas-ray (search|correlate|score-space|best-arch|two-stage)|"
    r"experiments/(rea|search|random_search|skip_rea|correlate|score_space|best_arch|two_stage)"
)


def uses_ray(page: str) -> bool:
    """Returns whether a block of the page that runs by day starts Ray."""
    return any(
        RAY.search(block.text) and "--driver process" not in block.text
        for block in blocks(page)
        if not block.file and not block.needs and (block.seconds or 0) <= BY_DAY
    )


WITH_RAY = [page for page in PAGES if uses_ray(page)]
LONG = [page for page in PAGES if any(BY_DAY < (block.seconds or 0) <= BY_NIGHT for block in blocks(page))]


def data() -> Path | None:
    """Returns the folder of real data, if there is one."""
    there = Path(os.environ.get("NAS_RAY_TEST_DATA", ROOT.parent / "shared" / "data"))
    return there if there.is_dir() else None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, of whose modules commands and Python know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def whole(page: str, folder: Path, most: float) -> None:
    walk = follow(page, folder, data(), most=most)
    assert {*walk.ran, *walk.read} == {b for b in blocks(page) if b.language in ("python", "bash")}
    if page in CHECKS:
        CHECKS[page](walk)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in WITH_RAY])
def test_a_page_by_day(page: str, folder: Path) -> None:
    whole(page, folder, BY_DAY)


@pytest.mark.slow(faster="test_what_a_page_mentions_can_be_called")
@pytest.mark.parametrize("page", WITH_RAY)
def test_a_page_with_ray(page: str, folder: Path, ray_started: None) -> None:
    whole(page, folder, BY_DAY)


@pytest.mark.slow(faster="test_a_page_by_day")
@pytest.mark.parametrize("page", LONG)
def test_a_page_by_night(page: str, folder: Path, ray_started: None) -> None:
    whole(page, folder, BY_NIGHT)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_mentions_can_be_called(page: str, folder: Path) -> None:
    for block in blocks(page):
        if block.file:  # a name such as mine:Walk is looked up
            (folder / block.file).write_text(block.text, encoding="utf-8")
    for block in mentions(page):
        if not any(word == "NAME" for word in block.commands[0]):  # any command
            read(block, folder)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: write python, bash, toml or text after the fence"
        assert set(block.needs) <= set(NEEDS), f"{block}: {block.needs}"
        assert block.language != "toml" or block.page == "docs/new_proxy.md", f"{block}: nothing reads it"
        if block.language == "text":
            begun = [line.split()[0] for line in block.text.splitlines() if line.strip()]
            assert not set(begun) & set(PROGRAMS), f"{block} has commands; begin it with ```bash"
        if block.language == "bash":
            assert {words[0] for words in block.commands} <= set(PROGRAMS), f"{block}: {block.text}"
            assert "..." not in block.text, f"{block}: a command must run as it stands"


def test_every_script_is_named() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    scripts = sorted(path.name for path in (ROOT / "experiments").glob("*.py"))
    assert sorted(set(re.findall(r"`experiments/(\w+\.py)`", page))) == scripts


def test_blocks_are_found() -> None:
    text = (
        "# A\n\n*Needs a checkout, `x.csv` ([here](b.md), made). Takes 2 h.*\n\n"
        "    python a.py \\\n        --b 1  # c\n\ntext\n\n```python mine.py\nx = 1\n```\n\n"
        "*Takes about 40 s.*\n\n```bash\nA=1 ray start && nas-ray d\n```\n"
        "\n| a | command | |\n|---|---|---|\n| a | `nas-ray train RUN` | Needs a GPU. |\n"
        "\n| a |\n|---|\n| `nas-ray report` |\n"
    )
    found = parsed("a.md", text)
    assert [(block.language, block.file, block.line) for block in found] == [
        ("bash", "", 5), ("python", "mine.py", 10), ("bash", "", 16), ("bash", "", 22)
    ]  # fmt: skip
    assert found[0].commands == [["python", "a.py", "--b", "1"]]
    assert (found[0].needs, found[0].seconds) == (("a checkout", "`x.csv`"), 7200)
    assert (found[2].commands, found[2].seconds) == ([["ray", "start"], ["nas-ray", "d"]], 40)
    assert (found[3].commands, found[3].needs) == ([["nas-ray", "train", "RUN"]], ("a GPU",))
    with pytest.raises(AssertionError, match="write `\\*Needs"):
        parsed("a.md", "*Needs a GPU*\n\n    nas-ray a\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nas-ray search rea --no-such-option", "ends without reading"),
        ("nas-ray search rea --proxies naswott", "Did you mean"),
        ("python experiments/no.py", "there is no experiments/no.py"),
    ],
)
def test_what_cannot_run_is_seen_where_it_is_only_read(text: str, why: str, folder: Path) -> None:
    with pytest.raises(Exception, match=why):
        read(Block("a.md", 1, "bash", "", text + "\n", ("a GPU",)), folder)


LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub makes of the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        path, _, anchor = link.partition("#")
        if path.startswith(("http://", "https://")):
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{page}: {link}"


def test_the_readme_is_short() -> None:
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    assert len(words) < 1_300
