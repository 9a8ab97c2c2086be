"""Writes hdf5/plugins.hdf5 with h5py and hdf5plugin (7.1): the same columns plain and through each plug-in filter.
Run: python3 make_plugins.py"""

import os

import h5py
import hdf5plugin
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hdf5")
ROWS = 311
rng = np.random.default_rng(3)
columns = {
    "f8": np.round(rng.normal(size=ROWS), 1),
    "be": (np.arange(ROWS) // 7).astype(">i4"),
    "s5": np.array([b"ab%d" % (i % 30) for i in range(ROWS)], dtype="S5"),
}
filters = {"lz4": (hdf5plugin.LZ4(nbytes=256), 200), "zstd": (hdf5plugin.Zstd(), 200)}
for compressor in ["blosclz", "lz4", "zlib", "zstd"]:
    for shuffle in range(3):
        filters[f"blosc-{compressor}-{shuffle}"] = (hdf5plugin.Blosc(cname=compressor, shuffle=shuffle), ROWS)
for compressor in ["none", "lz4", "zstd"]:
    filters[f"bitshuffle-{compressor}"] = (hdf5plugin.Bitshuffle(nelems=64, cname=compressor), 107)
with h5py.File(os.path.join(FOLDER, "plugins.hdf5"), "w", libver=("earliest", "v114")) as f:
    for kind, values in columns.items():
        f.create_dataset(f"plain_{kind}", data=values)
        for name, (how, chunk) in filters.items():
            f.create_dataset(f"{name}_{kind}", data=values, chunks=(chunk,), **how)
