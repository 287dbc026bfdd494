"""Settings of the memory allocator that large, short-lived tensors need."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of mallopt
LARGEST = 2**25
"""The largest mmap threshold that glibc takes, in bytes."""


def keep_freed_memory() -> bool:
    """Makes the process reuse freed memory instead of giving it back; returns whether the allocator obeyed.

    By default glibc maps every tensor of more than some 100 kB anew, and the kernel clears its pages on first
    use. For small images that takes as long as the computation. Other allocators are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6")
        return bool(libc.mallopt(MMAP_THRESHOLD, LARGEST)) and bool(libc.mallopt(TRIM_THRESHOLD, 2**31 - 1))
    except (OSError, AttributeError):
        return False
