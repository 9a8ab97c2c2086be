"""Writes hdf5/library*.hdf5 with h5py (3.16, HDF5 2.0 used): data sets that only the C library reads. The
values are functions of the row, known to tests/formats_libhdf5.rs. Run: python3 make_library.py"""

import os

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")
ROWS = 1000
i = np.arange(ROWS)


def opened(name, **how):
    return h5py.File(os.path.join(FOLDER, name), "w", **how)


def latest():
    with opened("library.hdf5", libver=("v200", "v200")) as f:
        table = f.create_group("table")
        table.attrs["type"] = "table"
        columns = table.create_group("columns")
        columns.attrs["column_order"] = "x,name,when,masked,pair"

        def column(name, **parts):
            group = columns.create_group(name)
            for part, values in parts.items():
                group.create_dataset(part, data=values, chunks=True, compression="gzip", shuffle=True)
            return group

        x = column("x", data=(i * 0.5).astype(">f4"))
        x.attrs["unit"] = "km"
        texts = [f"row {n} é".encode("utf8") for n in i]
        text = column(
            "name",
            data=np.frombuffer(b"".join(texts), "u1"),
            indices=np.cumsum([0] + [len(t) for t in texts]),
        )
        text["data"].attrs["dtype"] = "str"
        when = column("when", data=i * 86_400_000_000_000)
        when["data"].attrs["dtype"] = "datetime64[ns]"
        column("masked", data=i.astype("i2"), mask=(i % 3 == 0).astype("u1"))
        column("pair", data=np.stack([i, -i], 1))
        f.create_dataset("records/r", data=np.array([(n, n / 4, b"ab%d" % n) for n in range(50)],
                         dtype=[("n", "i4"), ("quarter", "f8"), ("label", "S6")]), chunks=(7,), compression="gzip")
        f.create_dataset("texts/t", data=[f"t{n}" for n in range(50)], dtype=h5py.string_dtype(), chunks=(7,))
        f.create_dataset("flags/b", data=i % 2 == 0, chunks=(100,))
        f["flags/itself"] = f["flags"]


def grown():
    with opened("library_kinds.hdf5", libver=("v114", "v114")) as f:
        f.create_dataset("grown", data=np.stack([i, i * i], 1), maxshape=(None, None), chunks=(64, 2))
        with h5py.File(os.path.join(FOLDER, "library_source.hdf5"), "w") as source:
            source["s"] = i * 3
        layout = h5py.VirtualLayout((ROWS,), "i8")
        layout[:] = h5py.VirtualSource("library_source.hdf5", "s", (ROWS,))
        f.create_virtual_dataset("virtual", layout, fillvalue=-1)
        layout = h5py.VirtualLayout((ROWS,), "i8")
        layout[:] = h5py.VirtualSource("not_there.hdf5", "s", (ROWS,))
        f.create_virtual_dataset("absent", layout, fillvalue=-1)
        twelve = h5t.STD_I16LE.copy()
        twelve.set_precision(12)
        how = h5p.create(h5p.DATASET_CREATE)
        how.set_chunk((100,))
        how.set_filter(5)
        packed = h5d.create(f.id, b"packed", twelve, h5s.create_simple((ROWS,)), how)
        packed.write(h5s.ALL, h5s.ALL, (i - 500).astype("i2"))
        f["x"] = i


latest()
grown()
