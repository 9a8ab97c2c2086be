"""Writes pandas/*.h5 with pandas (3.1) and PyTables (3.11), which h5py does not need. Run: python3 make_pandas.py"""

import os

import numpy as np
import pandas as pd

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pandas")
os.makedirs(FOLDER, exist_ok=True)
n = 40
frame = pd.DataFrame(
    {
        "whole": np.arange(n),
        "third": np.arange(n) / 3,
        "even": np.arange(n) % 2 == 0,
        "when": pd.date_range("2020-01-01", periods=n, freq="h"),
        "negative": -np.arange(n) / 7,
    }
)
frame.to_hdf(os.path.join(FOLDER, "fixed.h5"), key="df")
frame["text"] = [f"s{i}" for i in range(n)]
frame.to_hdf(
    os.path.join(FOLDER, "table.h5"), key="df", format="table", data_columns=True, index=False, complevel=5, complib="zlib"
)
