from __future__ import annotations

import builtins
import bz2
import copy
import io
import os
import pickle
import pickletools
import re
import struct
import warnings
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.safe_files.pickles import safe_load


class Call:
    """Pickles as a call of `function`, which an ordinary unpickler carries out."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def load(data: bytes, **options):
    return safe_load(io.BytesIO(data), what="test file", **options)


def refusal(data: bytes, **options) -> str:
    with pytest.raises(UsageError) as error:
        load(data, **options)
    kind = "bz2-compressed pickle" if options.get("compressed") else "pickle"
    match = re.fullmatch(
        rf"The test file must be a {kind} of plain data, got a stream: (.*); "
        r"get it again from its publisher\.",
        str(error.value),
    )
    assert match, error.value
    return match[1]


PLAIN = [
    {"a": [1, 2.5, "x", None, True], "b": (b"raw", -(2**70))},
    OrderedDict([("12", {"acc": np.float64(61.5)}), ("200", {"acc": np.float32(7.25)})]),
    {"n": np.int64(-3), "flag": np.bool_(True)},
]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", PLAIN, ids=["containers", "scalars", "integers"])
def test_plain_data_survives(value, protocol):
    assert load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize(
    "array",
    [np.arange(12, dtype=np.uint8).reshape(3, 4), np.asfortranarray(np.ones((2, 3))), np.array(2.5)],
    ids=["uint8", "fortran", "0d"],
)
def test_arrays_survive_and_are_copied_as_plain_arrays(array, protocol):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy.core must not be imported on NumPy 2
        loaded = load(pickle.dumps({"data": array}, protocol))["data"]
    np.testing.assert_array_equal(loaded, array)
    assert loaded.dtype == array.dtype
    assert type(pickle.loads(pickle.dumps(loaded))) is np.ndarray
    np.testing.assert_array_equal(copy.deepcopy(loaded), array)


def test_big_endian_numbers_keep_their_value():
    array = np.arange(5, dtype=">i4")
    np.testing.assert_array_equal(load(pickle.dumps(array, 2)), array)
    assert load(pickle.dumps(array[3], 2)) == 3


def test_python_2_batch_loads_as_latin1():
    # Written by hand as Python 2 does: str opcodes for the raw bytes and the byte order, numpy.core names.
    data = (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02K\x02\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x04\x00\x7f\x80\xfftbs."
    )
    np.testing.assert_array_equal(load(data)["data"], np.array([[0, 127], [128, 255]], np.uint8))


EVIL = {
    "posix.system": Call(os.system, "touch {marker}"),
    "builtins.eval": Call(builtins.eval, "open({marker!r}, 'w')"),
    "builtins.getattr": Call(builtins.getattr, "x", "upper"),
    "fractions.Fraction": Fraction(1, 3),
    "numpy.load": Call(np.load, "{marker}"),
    "pathlib.PosixPath": Path("x"),
}


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("name", EVIL)
def test_foreign_globals_are_refused_by_name_and_not_run(name, protocol, tmp_path):
    marker = tmp_path / "ran"
    evil = EVIL[name]
    if isinstance(evil, Call):
        evil = Call(evil.function, *(arg.format(marker=str(marker)) for arg in evil.args))
    data = pickle.dumps({"acc": np.float64(1), "deep": [[evil]]}, protocol)
    operations = {op.name for op, _, _ in pickletools.genops(data)}
    assert ("STACK_GLOBAL" if protocol == 4 else "GLOBAL") in operations
    reason = refusal(data)
    module, _, attribute = name.rpartition(".")
    if protocol < 3:  # the names that Python 2 knew them by
        module = {"builtins": "__builtin__"}.get(module, module)
    if module == "pathlib":
        assert re.fullmatch(r"it names the global pathlib\S*PosixPath, which is not plain data", reason)
    elif protocol < 2 and isinstance(evil, Fraction | Path):
        assert re.fullmatch(r"it names the global \S+, which is not plain data", reason)
    else:
        assert reason == f"it names the global {module}.{attribute}, which is not plain data"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"(S'touch x'\nios\nsystem\n.", "it names the global os.system, which is not plain data"),
        (
            b"\x80\x04\x8c\x05numpy\x8c\x0ddtype.newbyte\x93.",
            "it names the global numpy.dtype.newbyte, which is not plain data",
        ),
        (b"\x80\x02\x82\x01.", "it is damaged (ValueError: unregistered extension code 1)"),
        (
            b"Pname\n.",
            "it is damaged (UnpicklingError: A load persistent id instruction was encountered, "
            "but no persistent_load function was specified.)",
        ),
        (b"", "it is empty"),
        (b"<html>", "it is damaged (UnpicklingError: invalid load key, '<'.)"),
    ],
    ids=["INST", "dotted", "EXT1", "PERSID", "empty", "html"],
)
def test_other_opcodes_and_files_are_refused(data, reason):
    assert refusal(data) == reason


@pytest.mark.parametrize(
    "value",
    [np.array([Call(os.system, "true")], dtype=object), np.dtype(object), np.dtype("V8"), np.array(["text"])],
    ids=["object array", "object dtype", "void dtype", "text array"],
)
def test_numpy_data_other_than_numbers_is_refused(value):
    code = (value.dtype if isinstance(value, np.ndarray) else value).str.lstrip("<>|").replace("O", "O8")
    assert refusal(pickle.dumps(value, 4)) == f"it holds a NumPy dtype {code!r}, which is not made of numbers"


def test_fields_cannot_be_smuggled_into_a_number():
    state = b"(K\x03X\x01\x00\x00\x00|NX\x01\x00\x00\x00fNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    reason = refusal(b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00f8K\x00K\x01\x87R" + state + b".")
    assert reason == "it holds a NumPy dtype with fields, not a number's"


@pytest.mark.parametrize(
    "name", ["collections OrderedDict", "numpy dtype", "numpy ndarray", "numpy.core.multiarray scalar"]
)
def test_no_attribute_can_be_set_on_what_a_name_stands_for(name):
    slot_state = b"(N}X\x0c\x00\x00\x00__defaults__Nstb."  # BUILD with (None, {"__defaults__": None})
    reason = refusal(b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n" + slot_state)
    assert re.fullmatch(r"it is damaged \((Type|Attribute)Error: .*\)", reason)


def test_array_shape_must_fit_its_bytes():
    array = pickle.dumps(np.zeros(3, np.uint8), 2)
    wrong = array.replace(b"K\x03\x85", b"K\x04\x85")
    assert wrong != array
    assert refusal(wrong) == "it holds 3 bytes for a NumPy array of shape (4,), uint8"


@pytest.mark.parametrize("keep", [1, 10, 100, -1])
def test_truncated_pickles_are_said_to_be_truncated(keep):
    data = pickle.dumps({str(n): float(n) for n in range(100)}, 4)
    assert refusal(data[:keep]) == "it is truncated"


def test_compressed_files():
    data = bz2.compress(pickle.dumps([1.5], 4))
    assert load(data, compressed=True) == [1.5]
    assert refusal(pickle.dumps([1.5]), compressed=True) == "it is not compressed with bz2"
    assert refusal(data[:-5], compressed=True) == "it is truncated"
    assert refusal(b"BZh9" + b"junk" * 9, compressed=True) == "it cannot be read (Invalid data stream)"


def test_decompression_is_bounded():
    bomb = bz2.compress(bytes(10**6))
    assert len(bomb) < 1000
    assert refusal(bomb, compressed=True, max_bytes=10**5) == "it holds more than 100,000 bytes"
    assert refusal(bytes(1001), max_bytes=1000) == "it holds more than 1,000 bytes"


def test_declared_lengths_beyond_the_end_are_refused():
    reason = refusal(b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.")
    assert reason == "it is truncated" or reason.startswith("it is damaged (MemoryError")


def test_paths_that_cannot_be_read(tmp_path):
    for path, why in [(tmp_path, "Is a directory"), (tmp_path / "none.pkl", "No such file or directory")]:
        with pytest.raises(UsageError) as error:
            safe_load(path, what="batch")
        assert str(error.value) == (
            f"The batch must be a pickle of plain data, got {path}: it cannot be read ({why}); "
            "get it again from its publisher."
        )


def test_symlinks_are_followed(tmp_path):
    (tmp_path / "a").write_bytes(pickle.dumps({"x": 1}))
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert safe_load(tmp_path / "b", what="batch") == {"x": 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80\x02]r\xff\xff\xff\x0f.", "it numbers an object 268435455 at byte 3, which no pickler writes"),
        (
            b"\x8c\x01.cnumpy\ndtype\nU\x01.]p9999999\x00x\n.",
            "it numbers an object b'9999999\\x00x' at byte 20, which no pickler writes",
        ),
    ],
    ids=["LONG_BINPUT", "PUT after arguments of every kind"],
)
def test_memo_indices_are_bounded(data, reason):
    assert refusal(data) == reason


@pytest.mark.parametrize("protocol", range(6))
def test_large_memos_are_no_reason_to_refuse(protocol):
    assert load(pickle.dumps(v := [[str(n), -(n**9), n / 7] for n in range(500)], protocol)) == v


def test_a_fifo_is_refused_before_it_blocks(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(UsageError, match="it is no regular file"):
        safe_load(tmp_path / "a", what="batch")
