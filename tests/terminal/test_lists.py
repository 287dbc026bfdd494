from __future__ import annotations

from nas_ray.terminal.lists import parted


def test_commas_and_blanks_part_names() -> None:
    assert parted(("naswot,synflow zico", " grasp ", "", ",")) == ["naswot", "synflow", "zico", "grasp"]
