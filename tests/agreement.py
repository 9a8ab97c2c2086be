#!/usr/bin/env python3
"""Every aggregate against numpy and DuckDB, over groups, bins and the whole table.

    pip install numpy pyarrow duckdb
    tests/agreement.py target/release/outcrop [rows] [seed]

Writes a random table with missing values and NaN to a temporary folder, asks `outcrop agg`, and
compares. Ends with 1 at the first difference that is more than rounding.
"""
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.ipc

# Outcrop's measure, and DuckDB's over the same column. DuckDB's skewness and kurtosis are of samples, so that
# numpy answers for these.
BY_DUCKDB = {
    "count": "count(*)",
    "count(x)": "count(x)",
    "sum(i)": "sum(i)",
    "mean(x)": "avg(x)",
    "min(x)": "min(x)",
    "max(s)": "max(s)",
    "sd(x)": "stddev_pop(x)",
    "var_sample(x)": "var_samp(x)",
    "cov(x, y)": "covar_pop(x, y)",
    "cov_sample(x, y)": "covar_samp(x, y)",
    "corr(x, y)": "corr(x, y)",
    "nunique(i)": "count(distinct i)",
    "nunique(s)": "count(distinct s)",
    "nunique(x)": "count(distinct x)",
    "median(x)": "median(x)",
    "quantile(x, 0.1)": "quantile_cont(x, 0.1)",
    "percentile(i, 99)": "quantile_cont(i, 0.99)",
    "any(b)": "coalesce(bool_or(b), false)",
    "all(b)": "coalesce(bool_and(b), true)",
    "first(i, o)": "arg_min(i, o)",
    "last(s, o)": "arg_max(s, o)",
    "mean(x) where b": "avg(x) filter (b)",
    "quantile(y, 0.9) where i > 50": "quantile_cont(y, 0.9) filter (i > 50)",
    "sum(i) / count": "sum(i) / count(*)",
    "100 * (count where b) / count": "100 * count(*) filter (b) / count(*)",
}


def skew(v):
    d = v - v.mean()
    return (d**3).mean() / (d**2).mean() ** 1.5


def kurtosis(v):
    d = v - v.mean()
    return (d**4).mean() / (d**2).mean() ** 2 - 3


def mode(v):
    values, counts = np.unique(v, return_counts=True)
    return values[counts.argmax()]


BY_NUMPY = {"skew(x)": ("x", skew), "kurtosis(x)": ("x", kurtosis), "mode(i)": ("i", mode)}


def made(rows, seed):
    rng = np.random.default_rng(seed)
    some = lambda values, share: pa.array(values, mask=rng.random(rows) < share)
    x = rng.lognormal(2, 1.5, rows)
    return pa.table({
        "k": pa.array(rng.integers(0, 7, rows)),
        "x": some(x, 0.1),
        "y": some(x * 3 + rng.normal(0, 10, rows), 0.1),
        "i": some(rng.integers(-100, 100, rows), 0.05),
        "s": some(np.array(["", "a", "ab", "é", "zz"])[rng.integers(0, 5, rows)].astype(object), 0.1),
        "b": some(rng.random(rows) < 0.3, 0.1),
        # No two rows have one place in the order.
        "o": pa.array(rng.permutation(rows)),
    })


def asked(program, file, by, measures, folder):
    out = Path(folder) / "out.arrow"
    aggs = [word for measure in measures for word in ("--agg", measure)]
    keys = ["--by", by] if by else []
    subprocess.run([program, "agg", file, *keys, *aggs, "-o", out], check=True)
    return pa.ipc.open_file(out).read_all().to_pydict()


def same(a, b):
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, (str, bool)):
        return a == b
    return math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-12)


def main():
    program = sys.argv[1]
    rows = int(float(sys.argv[2])) if len(sys.argv) > 2 else 200_000
    table = made(rows, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    measures = [*BY_DUCKDB, *BY_NUMPY]
    compared = 0
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "table.arrow")
        with pa.OSFile(file, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=50_000)
        for by in ["k", None]:
            found = asked(program, file, by, measures, folder)
            keys = found.get("k", [None])
            for at, key in enumerate(keys):
                here = table if key is None else table.filter(pa.compute.equal(table["k"], key))
                sql = f"select {', '.join(BY_DUCKDB.values())} from here"
                values = duckdb.connect().register("here", here).execute(sql).fetchone()
                right = dict(zip(BY_DUCKDB, values))
                for measure, (column, of) in BY_NUMPY.items():
                    right[measure] = of(here[column].drop_null().to_numpy())
                for measure in measures:
                    compared += 1
                    got = found[measure][at]
                    if not same(got, right[measure]):
                        sys.exit(f"{measure} of {by} = {key}: {got}, not {right[measure]}")
    print(f"{compared} values agree")


if __name__ == "__main__":
    import pyarrow.compute

    main()
