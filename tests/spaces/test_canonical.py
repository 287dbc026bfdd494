from __future__ import annotations

from nas_ray.spaces import NatsTss
from nas_ray.spaces.canonical import canonical_form, published_form, representatives

SPACE = NatsTss()


def test_the_published_count() -> None:
    assert len({published_form(arch) for arch in SPACE}) == 6466


def test_a_canonical_form_joins_published_forms_and_splits_none() -> None:
    forms = {}
    for arch in SPACE:
        assert forms.setdefault(published_form(arch), canonical_form(arch)) == canonical_form(arch)
    assert len(set(forms.values())) == 4930


def test_examples() -> None:
    one = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
    assert canonical_form(one) == "nor_conv_3x3(x)"
    assert (
        canonical_form("|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|nor_conv_1x1~2|") == "nor_conv_3x3(x)"
    )
    assert canonical_form("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|") == "0"
    twice = "|skip_connect~0|+|none~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
    assert canonical_form(twice) == "nor_conv_1x1(x)+x"


def test_a_sum_inside_a_sum_is_one_sum() -> None:
    nested = "|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|skip_connect~2|"
    flat = "|none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
    assert canonical_form(nested) == canonical_form(flat) == "nor_conv_1x1(x)+x"


def test_representatives_come_first() -> None:
    archs = list(SPACE)[:500]
    chosen = representatives(archs)
    assert all(canonical_form(arch) == canonical_form(chosen[arch]) for arch in archs)
    assert all(archs.index(chosen[arch]) <= archs.index(arch) for arch in archs)
    assert len(set(chosen.values())) == len({canonical_form(arch) for arch in archs})
