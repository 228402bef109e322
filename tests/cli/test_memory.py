"""What a process of the relay asks of the C library. Never measures how much memory it takes: bench/memory.py does."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# In a process of its own: what glibc is told holds for the whole of it. ``hblks`` counts blocks with a mapping of
# their own, which go back to the system when they are freed (mallinfo(3)).
COUNT = """\
import ctypes
from relay.cli import run

class Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
libc.mallinfo.restype = Mallinfo
run.give_memory_back()
libc.free(libc.malloc(8_000_000))
before = libc.mallinfo().hblks
libc.malloc(1_000_000)
print(libc.mallinfo().hblks - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have no such threshold")
def test_a_large_block_goes_back_when_it_is_freed_even_after_a_larger_one() -> None:
    found = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    assert found.stdout == "1\n"
