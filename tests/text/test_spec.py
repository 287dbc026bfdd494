"""How texts are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_ray.errors import UsageError
from nas_ray.text.spec import TextSpec, parse_text


def test_a_name_says_path_and_options() -> None:
    assert parse_text("text") == TextSpec()
    assert parse_text("text:wiki") == TextSpec("wiki")
    assert parse_text("text:tokens=bytes") == TextSpec("", "bytes")
    assert parse_text("text:a/b.txt,min_count=3,tokens=words") == TextSpec("a/b.txt", "words", 3)


def test_a_path_may_have_commas_and_equal_signs(tmp_path: Path) -> None:
    odd = tmp_path / "a=b,c=d.txt"
    odd.write_text("x")
    assert parse_text(f"text:{odd}") == TextSpec(str(odd))
    assert parse_text(f"text:{odd},tokens=bytes") == TextSpec(str(odd), "bytes")


@pytest.mark.parametrize("name", ["text", "text:wiki", "text:wiki,tokens=bytes", "text:min_count=5"])
def test_a_spec_is_written_as_it_is_read(name: str) -> None:
    assert str(parse_text(name)) == name
    assert parse_text(str(parse_text(name).absolute())) == parse_text(name).absolute()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("texts", "A text is text for the embedded one or text:PATH for your own, but 'texts' was given."),
        ("text:", "A text is text for the embedded one or text:PATH for your own, but 'text:' was given."),
        ("text:a,tokens=chars", "tokens of text must be words or bytes, but 'chars' was given."),
        ("text:a,min_count=0", "min_count of text must be from 1 to 1,000,000, got 0."),
        ("text:a,min_count=x", "min_count of text must be a whole number from 1 to 1,000,000, got 'x'."),
        ("text:a,tokens=bytes,tokens=words", "must give tokens once, as tokens=VALUE."),
        ("text:a,token=bytes", "Unknown option of text 'token'. Did you mean 'tokens'?"),
    ],
)
def test_what_names_no_text_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_text(name)
    assert message in str(raised.value)
