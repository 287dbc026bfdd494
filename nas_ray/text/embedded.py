"""A text that is always there: Python's own reference, which its module `pydoc_data` brings."""

from __future__ import annotations

import hashlib
import re

from nas_ray.errors import UsageError


def embedded_text() -> str:
    """Returns the pages of Python's help in lower case, a paragraph per line, marks apart from words.

    A paragraph that stands on several pages is kept once, so that no part of the text repeats another, and
    their order is that of their hashes, so that all parts speak of the same. It is English of some 100,000
    tokens and the same for one version of Python.

    Raises:
        UsageError: this Python came without.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise UsageError(
            "The embedded text is in Python's module pydoc_data, which is not installed here; give a text of "
            "your own as text:PATH."
        ) from error
    pages = topics.values()
    paragraphs = (paragraph for page in pages for paragraph in re.split(r"\n\s*\n", page.lower()))
    lines = (" ".join(re.findall(r"\w+|[^\w\s]", paragraph)) for paragraph in paragraphs)
    mixed = sorted({line for line in lines if line}, key=lambda line: hashlib.sha256(line.encode()).digest())
    return "".join(f"{line}\n" for line in mixed)
