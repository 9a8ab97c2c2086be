"""Writes hdf5/*.hdf5 and hdf5/expected.json with h5py (3.16, HDF5 2.0 used): every storage, filter and type
the reader knows, some that it must name and skip, and damaged tables. Run: python3 make_hdf5.py"""

import json
import math
import os

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")
ROWS = 67
expected = {}


def text(value):
    if value is None or value is np.ma.masked:
        return None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (bytes, np.bytes_)):
        return value.decode("utf8", "replace")
    if isinstance(value, (float, np.floating)):
        return "nan" if math.isnan(value) else repr(float(value))
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return None if np.isnat(value) else str(value.astype(np.int64))
    return str(value)


def expect(file, column, values):
    expected.setdefault(file, {})[column] = [text(value) for value in values]


def sample(dtype, seed=1):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        values = rng.normal(size=ROWS).astype(dtype)
        values[:4] = [np.nan, np.inf, -np.inf, -0.0]
        return values
    info = np.iinfo(dtype)
    values = rng.integers(info.min, info.max, size=ROWS, dtype=dtype.newbyteorder("="), endpoint=True).astype(dtype)
    values[:2] = [info.min, info.max]
    return values


def opened(name, **options):
    return h5py.File(os.path.join(FOLDER, name), "w", **options)


def plain(name, **options):
    with opened(name, **options) as f:

        def add(column, values, **how):
            f.create_dataset(column, data=values, **how)
            expect(name, column, values)

        for order in "<>":
            for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
                add(f"{'le' if order == '<' else 'be'}_{kind}", sample(order + kind))
        add("gzip", sample("f8"), compression="gzip", chunks=(17,))
        add("gzip_shuffle", sample("i4"), compression="gzip", shuffle=True, chunks=(17,))
        add("gzip_shuffle_fletcher_be", sample(">f4"), compression="gzip", shuffle=True, fletcher32=True, chunks=(40,))
        add("lzf", sample("i8") % 5, compression="lzf", chunks=(64,))
        add("lzf_shuffle", sample("u2"), compression="lzf", shuffle=True, chunks=(64,))
        add("fletcher", sample("i1"), fletcher32=True, chunks=(33,))
        add("scaleoffset", sample("i4") % 1000, scaleoffset=0, chunks=(50,))
        add("one_chunk", sample("f8"), compression="gzip", chunks=(ROWS,))
        add("chunked", sample("f8"), chunks=(16,))
        add("growable", sample("i4"), chunks=(16,), maxshape=(None,))
        sparse = f.create_dataset("sparse", shape=(ROWS,), dtype="i4", chunks=(10,), fillvalue=-7, compression="gzip")
        sparse[25:35] = np.arange(10)
        expect(name, "sparse", sparse[:])
        never = f.create_dataset("never_written", shape=(ROWS,), dtype="f8", fillvalue=2.5)
        expect(name, "never_written", never[:])
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_layout(h5d.COMPACT)
        values = sample("i2")
        compact = h5d.create(f.id, b"compact", h5t.NATIVE_INT16, h5s.create_simple((ROWS,)), properties)
        compact.write(h5s.ALL, h5s.ALL, values)
        expect(name, "compact", values)
        add("bool", sample("i1") % 2 == 0)
        add("bool_gzip", sample("i1") % 3 == 0, compression="gzip", chunks=(20,))
        colours = {"red": 0, "green": 1, "blue": 7}
        codes = np.array([0, 1, 7, 0, 5] * 27)[:ROWS].astype("i2")
        f.create_dataset("colour", data=codes, dtype=h5py.enum_dtype(colours, "i2"))
        names = {code: colour for colour, code in colours.items()}
        expect(name, "colour", [names.get(code) for code in codes])
        words = ["", "a", "Zürich", "日本語", "x" * 40, "a b "] * 22
        add("vlen_text", words[:ROWS])
        f.create_dataset("vlen_text_gzip", data=words[:ROWS], chunks=(30,), compression="gzip")
        expect(name, "vlen_text_gzip", words[:ROWS])
        unset = f.create_dataset("vlen_unset", shape=(ROWS,), dtype=h5py.string_dtype())
        unset[3] = "three"
        expect(name, "vlen_unset", ["three" if i == 3 else "" for i in range(ROWS)])
        fixed = np.array([b"", b"ab", b"a b", b"abcdef"] * 33, dtype="S6")[:ROWS]
        add("fixed_text", fixed)
        f.create_dataset("fixed_utf8", data=[w.encode() for w in words[:ROWS]], dtype=h5py.string_dtype("utf-8", 42))
        expect(name, "fixed_utf8", words[:ROWS])
        for padding, filler, label in [(h5t.STR_NULLTERM, b"\0", "null"), (h5t.STR_SPACEPAD, b" ", "space")]:
            kind = h5t.C_S1.copy()
            kind.set_size(7)
            kind.set_strpad(padding)
            cells = np.array([word.ljust(7, filler) for word in [b"", b"ab", b"a b", b"abcdef"] * 33][:ROWS], dtype="V7")
            h5d.create(f.id, f"padded_{label}".encode(), kind, h5s.create_simple((ROWS,))).write(
                h5s.ALL, h5s.ALL, cells.view("S7"), mtype=kind
            )
            expect(name, f"padded_{label}", [b"", b"ab", b"a b", b"abcdef"] * 33)
            expected[name][f"padded_{label}"] = expected[name][f"padded_{label}"][:ROWS]
        f.create_dataset("invalid_utf8", data=np.array([b"ok", b"a\xffb"] * 66, dtype="S3")[:ROWS])
        expect(name, "invalid_utf8", ([b"ok", b"a\xffb"] * 66)[:ROWS])
        for unit in ["ns", "s"]:
            times = sample("i4").astype(f"M8[{unit}]")
            times[5] = np.datetime64("NaT")
            f.create_dataset(f"opaque_{unit}", data=times.astype(h5py.opaque_dtype(times.dtype)))
            expect(name, f"opaque_{unit}", times)
        wide = h5t.STD_I32LE.copy()
        wide.set_precision(24)
        values = (sample("i4") >> 8).astype("i4")
        h5d.create(f.id, b"i24", wide, h5s.create_simple((ROWS,))).write(h5s.ALL, h5s.ALL, values)
        expect(name, "i24", values)
        matrix = np.arange(ROWS * 3, dtype="f4").reshape(ROWS, 3)
        f.create_dataset("matrix", data=matrix)
        f.create_dataset("matrix_split", data=matrix, chunks=(50, 2), compression="gzip")
        f.create_dataset("matrix_rows", data=matrix, chunks=(50, 3), compression="gzip", shuffle=True)
        for i in range(3):
            for column in ["matrix", "matrix_split", "matrix_rows"]:
                expect(name, f"{column}[{i}]", matrix[:, i])
        cube = np.arange(ROWS * 4, dtype="i2").reshape(ROWS, 2, 2)
        f.create_dataset("cube", data=cube)
        for i in range(2):
            for j in range(2):
                expect(name, f"cube[{i},{j}]", cube[:, i, j])
        f.create_dataset("image", data=np.arange(ROWS * 300).reshape(ROWS, 300).astype("u1"))
        f.create_dataset("sequences", shape=(ROWS,), dtype=h5py.vlen_dtype("f4"))
        f.create_dataset("references", shape=(ROWS,), dtype=h5py.ref_dtype)
        f.create_dataset("f16bytes", data=np.ones(ROWS, dtype=np.longdouble))
        f["single"] = 5.0
        f.create_group("empty_group")
        with_units = f["gzip"]
        with_units.attrs["unit"] = "km/s"
        with_units.attrs["description"] = "a speed"
        with_units.attrs["ucd"] = "phys.veloc"


def records():
    name = "records.hdf5"
    inner = np.dtype([("u", "<i2"), ("v", ">f8")])
    kind = np.dtype(
        {
            "names": ["id", "name", "flag", "pair", "inner", "z", "label"],
            "formats": ["<i8", "S5", "?", ("<f4", (2,)), inner, "<c8", h5py.string_dtype()],
            "offsets": [8, 0, 5, 16, 24, 40, 48],
            "itemsize": 70,
        }
    )
    rows = np.zeros(ROWS, dtype=kind)
    for i in range(ROWS):
        label = f"label {i}"
        rows[i] = (i * 10**12, b"n%d" % i, i % 3 == 0, (i + 0.5, -i), (i, i / 7), complex(i, -i), label)
    with opened(name) as f:
        f.create_dataset("group/table", data=rows, chunks=(50,), compression="gzip", shuffle=True)
        f["group"].attrs["note"] = "as PyTables would"
        f.create_dataset("group/_i_table/index", data=np.arange(10_000))
    for column in ["id", "name", "flag"]:
        expect(name, column, rows[column])
    expect(name, "label", [f"label {i}" for i in range(ROWS)])
    for i in range(2):
        expect(name, f"pair[{i}]", rows["pair"][:, i])
    expect(name, "inner.u", rows["inner"]["u"])
    expect(name, "inner.v", rows["inner"]["v"])
    expect(name, "z.r", rows["z"].real)
    expect(name, "z.i", rows["z"].imag)


def vaex():
    name = "vaex_odd.hdf5"
    with opened(name) as f:
        table = f.create_group("table")
        table.attrs["type"] = "table"
        columns = table.create_group("columns")
        order = []

        def group(column, **attributes):
            order.append(column)
            made = columns.create_group(column)
            made.attrs.update(attributes)
            return made

        def strings(into, cells, index="i4", base=0):
            data = b"".join(cells)
            offsets = base + np.cumsum([0] + [len(cell) for cell in cells])
            into.create_dataset("data", data=np.frombuffer(b"#" * base + data, dtype="S1"))
            into["data"].attrs["dtype"] = "str"
            into.create_dataset("indices", data=offsets.astype(index))

        def bitmap(into, valid):
            into.create_dataset("null_bitmap", data=np.packbits(valid, bitorder="little"))

        valid = np.arange(ROWS) % 7 != 3
        cells = [("wörd%d" % i if i % 5 else "").encode() for i in range(ROWS)]
        for column, index, base in [("text32", "i4", 0), ("text64", "i8", 5), ("text_big_endian", ">i4", 0), ("text_u4", "u4", 2)]:
            strings(group(column), cells, index, base)
            expect(name, column, cells)
        g = group("text_bitmap")
        strings(g, cells)
        bitmap(g, valid)
        expect(name, "text_bitmap", [cell if ok else None for cell, ok in zip(cells, valid)])
        g = group("text_mask")
        strings(g, cells)
        g.create_dataset("mask", data=~valid)
        expect(name, "text_mask", [cell if ok else None for cell, ok in zip(cells, valid)])
        g = group("text_invalid")
        bad = [b"\xff\xfe" if i % 2 else b"fine" for i in range(ROWS)]
        strings(g, bad)
        expect(name, "text_invalid", bad)
        g = group("text_gzip")
        strings(g, cells)
        del g["data"], g["indices"]
        g.create_dataset("data", data=np.frombuffer(b"".join(cells), dtype="S1"), chunks=(100,), compression="gzip")
        g["data"].attrs["dtype"] = "str"
        g.create_dataset("indices", data=np.cumsum([0] + [len(c) for c in cells]), chunks=(40,), compression="gzip")
        expect(name, "text_gzip", cells)
        for kind in ["i2", ">f4"]:
            g = group(f"masked_{np.dtype(kind).name}")
            values = sample(kind)
            g.create_dataset("data", data=values)
            g.create_dataset("mask", data=(~valid).astype("u1"))
            expect(name, f"masked_{np.dtype(kind).name}", [v if ok else None for v, ok in zip(values, valid)])
        g = group("bitmap_bool")
        g.create_dataset("data", data=np.arange(ROWS) % 2 == 0)
        bitmap(g, valid)
        expect(name, "bitmap_bool", [i % 2 == 0 if valid[i] else None for i in range(ROWS)])
        g = group("masked_rows")
        rows = np.arange(ROWS * 2, dtype="f8").reshape(ROWS, 2)
        hidden = rows % 5 == 0
        g.create_dataset("data", data=rows)
        g.create_dataset("mask", data=hidden)
        for i in range(2):
            expect(name, f"masked_rows[{i}]", [None if h else v for v, h in zip(rows[:, i], hidden[:, i])])
        for kind, unit in [("datetime64", u) for u in ["ns", "us", "ms", "s", "m", "h", "D", "W", "M", "Y"]] + [
            ("timedelta64", u) for u in ["ns", "us", "ms", "s", "m", "h", "D", "W"]
        ]:
            column = f"{kind}_{unit}"
            limit = {"Y": 100, "M": 1000, "W": 10_000}.get(unit, 100_000)
            counts = np.arange(ROWS, dtype="i8") * (limit // ROWS) - limit // 2
            counts[7] = np.iinfo("i8").min
            g = group(column)
            g.create_dataset("data", data=counts)
            g["data"].attrs["dtype"] = f"{kind}[{unit}]"
            g.create_dataset("mask", data=np.arange(ROWS) == 9)
            times = counts.view(f"{kind[0].upper() if kind == 'datetime64' else 'm'}8[{unit}]".replace("D8", "M8"))
            target = {"m": "s", "h": "s", "D": "D", "W": "D", "M": "D", "Y": "D"}.get(unit, unit)
            if kind == "timedelta64" and target == "D":
                target = "s"
            times = times.astype(times.dtype.str[1:3] + f"[{target}]")
            expect(name, column, [None if i == 9 else t for i, t in enumerate(times)])
        for column, kind in [("names_i4", "i4"), ("names_u1", "u1"), ("names_i8_be", ">i8")]:
            g = group(column, type="dictionary_encoded")
            codes = (np.arange(ROWS) % 4).astype(kind)
            if np.dtype(kind).kind == "i":
                codes[::10] = -1
            g.create_dataset("indices/data", data=codes)
            words = [b"one", b"two", b"", b"four"]
            strings(g.create_group("dictionary"), words)
            bitmap(g["dictionary"], np.array([True, True, False, True]))
            expect(name, column, [None if c in (-1, 2) else words[c] for c in codes])
        g = group("numbers", type="dictionary_encoded")
        g.create_dataset("indices/data", data=np.arange(ROWS, dtype="i4") % 3)
        g["indices"].create_dataset("mask", data=~valid)
        g.create_dataset("dictionary/data", data=np.array([1.5, 2.5, 3.5]))
        expect(name, "numbers", [1.5 + i % 3 if valid[i] else None for i in range(ROWS)])
        g = group("wide_characters")
        characters = ["", "a", "Zürich", "日本語"] * 33
        g.create_dataset("data", data=np.array(characters[:ROWS], dtype="U6").view("u4").reshape(ROWS, 6).view("u1"))
        g["data"].attrs["dtype"] = "utf32"
        g["data"].attrs["dlength"] = 6
        expect(name, "wide_characters", characters[:ROWS])
        g = group("bytes_")
        g.attrs["alias"] = "the, bytes"
        g.create_dataset("data", data=np.array([b"", b"ab"] * 66, dtype="S3")[:ROWS])
        expect(name, "the, bytes", ([b"", b"ab"] * 66)[:ROWS])
        group("without_data")
        columns.attrs["column_order"] = ",".join(order) + ",no_such_column"
        table["columns"].create_dataset("direct", data=sample("i4"))
        expect(name, "direct", sample("i4"))


def bad_code():
    with opened("bad_code.hdf5") as f:
        column = f.create_group("table/columns/c")
        column.attrs["type"] = "dictionary_encoded"
        column.create_dataset("indices/data", data=np.array([0, 1, 2, 9, 0], dtype="i4"))
        column.create_dataset("dictionary/data", data=np.frombuffer(b"abc", dtype="S1"))
        column["dictionary/data"].attrs["dtype"] = "str"
        column.create_dataset("dictionary/indices", data=np.arange(4, dtype="i4"))
        text = f.create_group("table/columns/t")
        text.create_dataset("data", data=np.frombuffer(b"abcdef", dtype="S1"))
        text["data"].attrs["dtype"] = "str"
        text.create_dataset("indices", data=np.array([0, 2, 1, 3, 4, 6], dtype="i4"))
        beyond = f.create_group("table/columns/beyond")
        beyond.create_dataset("data", data=np.frombuffer(b"abcdef", dtype="S1"))
        beyond["data"].attrs["dtype"] = "str"
        beyond.create_dataset("indices", data=np.array([0, 1, 2, 3, 4, 60], dtype="i4"))


def small():
    with opened("lengths_vaex.hdf5") as f:
        for column, rows in [("short", 10), ("long", 12), ("also_long", 12)]:
            f.create_dataset(f"table/columns/{column}/data", data=np.arange(rows))
    with opened("lengths_root.hdf5") as f:
        for column, rows in [("x", 100), ("y", 100), ("edges", 101)]:
            f[column] = np.arange(rows)
        f["other/z"] = np.arange(5)
    with opened("lengths_mask.hdf5") as f:
        f["table/columns/x/data"] = np.arange(10)
        f["table/columns/x/mask"] = np.zeros(9, dtype=bool)
    with opened("vaex_and_others.hdf5") as f:
        f["table/columns/x/data"] = np.arange(3)
        f["larger/y"] = np.arange(500)
        f["uneven/a"] = np.arange(5)
        f["uneven/b"] = np.arange(6)
    with opened("no_table.hdf5") as f:
        f["a"] = 1.0
        f.create_group("b")["c"] = "text"
    with opened("no_rows.hdf5") as f:
        for column, kind in [("x", "f8"), ("n", "i4")]:
            f.create_dataset(f"table/columns/{column}/data", shape=(0,), dtype=kind)
        f.create_dataset("table/columns/s/data", shape=(0,), dtype="S1").attrs["dtype"] = "str"
        f.create_dataset("table/columns/s/indices", data=np.zeros(1, dtype="i4"))
        f.create_dataset("table/columns/g/data", shape=(0,), dtype="f8", chunks=(10,), maxshape=(None,))
    with opened("user_block.hdf5", userblock_size=1024) as f:
        f["x"] = np.arange(50)
        f.create_dataset("g", data=np.arange(50), chunks=(7,), compression="gzip")
        f["t"] = [f"row {i}" for i in range(50)]
        expect("user_block.hdf5", "x", range(50))
        expect("user_block.hdf5", "g", range(50))
        expect("user_block.hdf5", "t", [f"row {i}" for i in range(50)])
    with open(os.path.join(FOLDER, "user_block.hdf5"), "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file")
    for version in ["earliest", "v114"]:
        name = f"links_{version}.hdf5"
        with opened(name, libver=version) as f:
            f["g/x"] = np.arange(20)
            f["g/itself"] = f["g"]
            f["g/soft"] = h5py.SoftLink("/g/x")
            f["g/dangling"] = h5py.SoftLink("/nowhere")
            if version != "earliest":
                # An external link makes a group one of the new style.
                f["g/elsewhere"] = h5py.ExternalLink("other.hdf5", "/x")
            expect(name, "x", range(20))
    with opened("layout_5.hdf5", libver=("v200", "v200")) as f:
        f.create_dataset("compressed", data=np.arange(20), chunks=(5,), compression="gzip")
        f["x"] = np.arange(20)
    with opened("many_dimensions_growable.hdf5", libver=("v114", "v114")) as f:
        f.create_dataset("m", data=np.ones((20, 2)), maxshape=(None, None), chunks=(5, 2))
        f["x"] = np.arange(20)
    nested = h5t.NATIVE_INT8
    for _ in range(7000):
        nested = h5t.vlen_create(nested)
    with opened("deep_type.hdf5") as f:
        h5d.create(f.id, b"deep", nested, h5s.create_simple((3,)))
        f["x"] = np.arange(3)


os.makedirs(FOLDER, exist_ok=True)
plain("plain_earliest.hdf5", libver="earliest")
plain("plain_v114.hdf5", libver=("v114", "v114"))
records()
vaex()
bad_code()
small()
with open(os.path.join(FOLDER, "expected.json"), "w", encoding="utf8") as out:
    json.dump(expected, out, ensure_ascii=False, separators=(",", ":"))
