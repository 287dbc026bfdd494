"""A trained net of a text with all that is needed to use it, and the file that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT, real, whole
from nas_ray.runs.folder import write_atomically
from nas_ray.text.spec import BYTES, NO_CLASSES, WORDS
from nas_ray.text.vocabulary import END, UNKNOWN, UTF_8, Tokens, Vocabulary, words_of
from nas_ray.training.language_training import nats_of
from nas_ray.training.prediction import evaluating
from nas_ray.training.recurrent import RecurrentNet
from nas_ray.training.text_task import Pieces

FORMAT: Final = 1
KIND: Final = "text"
_PIECE = 35
_SEED: Final = whole(0, 2**64 - 1)
"""What torch's generators take."""


@dataclass(frozen=True)
class TextFacts:
    """What a trained net of a text is.

    Attributes:
        arch: canonical string.
        space: name of the space that builds it.
        tokens: `words` or `bytes`.
        words: of its outputs by number; the characters of the 256 bytes, where tokens are bytes.
    """

    arch: str
    space: str
    tokens: str
    words: tuple[str, ...]


class TrainedText(nn.Module):
    """A net that tells each next token; tokens `[B, T]` int64 `-> [B, T, V]` logits.

    Args:
        net: as its space builds it.
        facts: what it is.
    """

    def __init__(self, net: nn.Module, facts: TextFacts) -> None:
        super().__init__()
        self.net = net
        self.facts = facts
        self.vocabulary = Vocabulary(facts.words)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns logits `[B, T, V]` of tokens `[B, T]` int64, each text from its beginning."""
        logits: Tensor = self.net(tokens)
        return logits

    def tokens(self, text: str) -> Tokens:
        """Returns the numbers `[N]` of the words of a text, with one for the end of each line, or its bytes.

        Words that it does not know have the number of `<unk>`.

        Raises:
            UsageError: no string, or, where tokens are bytes, one with half of a character alone.
        """
        TEXT.check("text", text)
        if self.facts.tokens == BYTES:
            UTF_8.check("text", text)
            return self.vocabulary.numbers(map(chr, text.encode()))
        return self.vocabulary.numbers(words_of(text))

    def predict(self, *images: object, **options: object) -> NoReturn:
        """Refuses, as a net of a text has no classes.

        Raises:
            UsageError: always.
        """
        raise UsageError(NO_CLASSES)

    def unknown(self, text: str) -> int:
        """Returns how many tokens of a text are words that the net does not know, and so reads as `<unk>`."""
        return self.vocabulary.unknown(self.tokens(text))

    def perplexity(self, text: str) -> float:
        """Returns how unsure the net is of each token of a text but the first: among so many equal ones.

        All words that it does not know are one word to it, `<unk>`, which is often likely. So a text of many
        of them has a low perplexity, and `unknown(text)` says how many there are.

        Raises:
            UsageError: the text has no second token, or is none (`tokens`).
        """
        tokens = self.tokens(text)
        if len(tokens) < 2:
            raise UsageError(f"A perplexity needs a text of at least 2 tokens, got {len(tokens)}.")
        row = torch.from_numpy(tokens)[None].to(next(self.parameters()).device)
        lengths = [min(_PIECE, len(tokens) - 1 - start) for start in range(0, len(tokens) - 1, _PIECE)]
        with evaluating(self.net):
            return float(torch.tensor(nats_of(self.net, Pieces(row, lengths))).exp())

    @torch.no_grad()
    def continued(self, prompt: str, *, length: int = 50, temperature: float = 1.0, seed: int = 0) -> str:
        """Returns how a text goes on by this net, without the prompt: drawn token by token.

        `<unk>` is never drawn. The net stays as it is, in training or not, and where it is.

        Args:
            prompt: the beginning; an empty one begins a line.
            length: tokens to draw.
            temperature: below 1 likely tokens are drawn more often, the likeliest alone near 0; above 1 less
                often.
            seed: of the draws, below 2**64.

        Raises:
            UsageError: an argument out of range.
        """
        whole(1).check("length", length)
        real(0, above=True).check("temperature", temperature)
        _SEED.check("seed", seed)
        tokens = self.tokens(prompt)
        if self.facts.tokens == WORDS and not prompt.endswith("\n"):
            tokens = tokens[:-1]  # a prompt is no whole line
        device = next(self.parameters()).device
        unknown = [UNKNOWN] if UNKNOWN in self.vocabulary else []
        generator = torch.Generator().manual_seed(int(seed))
        read = torch.from_numpy(tokens)[None].to(device)
        if not read.shape[1]:
            first = END if self.facts.tokens == WORDS else "\n"
            read = torch.from_numpy(self.vocabulary.numbers([first]))[None].to(device)
        drawn: list[int] = []
        with evaluating(self.net):
            state = self.net.begin(1) if isinstance(self.net, RecurrentNet) else None
            while len(drawn) < length:
                if isinstance(self.net, RecurrentNet):
                    assert state is not None
                    logits, _, _, state = self.net.run(read, state)
                else:
                    logits = self.net(read)
                scores = logits[0, -1].double().cpu()
                scores[self.vocabulary.numbers(unknown)] = -torch.inf
                scores = (scores - scores.max()) / float(temperature)  # the largest stays 0, however cold
                drawn.append(int(torch.multinomial(scores.softmax(0), 1, generator=generator)))
                read = torch.tensor([drawn[-1:]], device=device)
        return self.said(drawn)

    def said(self, numbers: list[int]) -> str:
        """Returns tokens as a text; a byte that is no character stands as the sign for that."""
        if self.facts.tokens == BYTES:
            return bytes(numbers).decode(errors="replace")
        words = [self.facts.words[number] for number in numbers]
        return " ".join("\n" if word == END else word for word in words).replace(" \n ", "\n")

    def save(self, path: Path) -> None:
        """Writes weights and facts, as tensors and plain values."""
        state = {name: value.contiguous().cpu() for name, value in self.net.state_dict().items()}
        content = {"format": FORMAT, "kind": KIND, **asdict(self.facts), "state": state}
        write_atomically(path, lambda temporary: torch.save(content, temporary))


def text_facts(content: Mapping[str, Any]) -> TextFacts:
    """Returns what a file says of its net.

    Raises:
        ValueError: it says no words, or other tokens than there are.
    """
    facts = TextFacts(content["arch"], content["space"], content["tokens"], tuple(content["words"]))
    if facts.tokens not in (WORDS, BYTES) or not all(isinstance(word, str) for word in facts.words):
        raise ValueError(f"tokens are {facts.tokens!r}")
    return facts
