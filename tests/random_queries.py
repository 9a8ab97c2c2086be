#!/usr/bin/env python3
"""Random questions asked of Outcrop, DuckDB and Polars: every difference is printed.

    pip install numpy pyarrow duckdb polars
    python tests/random_queries.py --outcrop target/release/outcrop --queries 10000

A table with every kind of column (nulls, NaN, empty and unusual texts, negative and large numbers) is made from
the seed and asked histograms, group-bys, extremes, distinct counts and quantiles of random expressions under
random filters. NaN is missing to Outcrop, so the others get it as null, and their comparisons with null count as
false, as Outcrop's do; `!=`, which is true of NaN, is put only to columns without. Sums of floats may differ by
rounding, all else not at all.
"""

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

BATCH = 500


def table(rows, seed):
    rng = np.random.default_rng(seed)

    def nulls(values, share=0.1):
        return pa.array(values, mask=rng.random(rows) < share)

    x = rng.normal(0, 5, rows).round(2)
    x[rng.random(rows) < 0.1] = np.nan
    text = np.array(["CMT", "VTS", "", "naïve", "a much longer name than twelve bytes"], dtype=object)
    zones = (260 * rng.random(rows) ** 3).astype(np.int32)
    return pa.table({
        "x": nulls(x),
        "v": pa.array(rng.exponential(12, rows).round(2)),
        "f": pa.array(rng.normal(0, 3, rows).astype(np.float32)),
        "g": nulls(rng.integers(-40, 40, rows).astype(np.float32) / 4),
        "i": pa.array(rng.integers(-1000, 1000, rows).astype(np.int32)),
        "k": nulls(rng.integers(-(2**40), 2**40, rows)),
        "z": pa.array(zones),
        "b": nulls(rng.integers(0, 7, rows).astype(np.uint8)),
        "flag": nulls(rng.random(rows) < 0.3),
        "s": nulls(text[rng.integers(0, 5, rows)]),
        "d": pa.array(text[rng.integers(0, 4, rows)]).dictionary_encode(),
        "t": pa.array(
            1_700_000_000_000_000 + np.sort(rng.integers(0, 10**7, rows)) * 10**6, pa.timestamp("us")),
    })


class Term:
    """An expression in the three languages."""

    def __init__(self, ours, sql, polars):
        self.ours, self.sql, self.polars = ours, sql, polars


def column(name):
    return Term(name, f'"{name}"', pl.col(name))


def real(r, depth=2):
    """A number of 64 bits; never infinite, never NaN where no column is."""
    choice = r.randrange(9 if depth else 3)
    if choice == 0:
        return column(r.choice("xv"))
    if choice == 1:
        c = column(r.choice("fg"))
        return Term(f"float64({c.ours})", f"CAST({c.sql} AS DOUBLE)", c.polars.cast(pl.Float64))
    if choice == 2:
        c = column(r.choice("izb"))
        return Term(f"float64({c.ours})", f"CAST({c.sql} AS DOUBLE)", c.polars.cast(pl.Float64))
    a = real(r, depth - 1)
    if choice == 3:
        return Term(f"abs({a.ours})", f"abs({a.sql})", a.polars.abs())
    if choice == 4:
        return Term(f"sqrt(abs({a.ours}))", f"sqrt(abs({a.sql}))", a.polars.abs().sqrt())
    if choice == 5:
        return Term(f"floor({a.ours})", f"floor({a.sql})", a.polars.floor())
    b = real(r, depth - 1)
    if choice == 6:
        n = r.choice([1.0, 0.5, 3.25, -2.0])
        return Term(f"({a.ours} * {n} - {b.ours})", f"({a.sql} * {n}::DOUBLE - {b.sql})", a.polars * n - b.polars)
    if choice == 7:
        return Term(
            f"({a.ours} / (1.0 + {b.ours} * {b.ours}))",
            f"({a.sql} / (1.0::DOUBLE + {b.sql} * {b.sql}))",
            a.polars / (1.0 + b.polars * b.polars))
    c = condition(r, 0)
    return Term(
        f"if({c.ours}, {a.ours}, {b.ours})",
        f"CASE WHEN {c.sql} THEN {a.sql} ELSE {b.sql} END",
        pl.when(c.polars).then(a.polars).otherwise(b.polars))


def condition(r, depth=2):
    """A filter, true or false for every row."""
    choice = r.randrange(9 if depth else 6)
    if choice == 0:
        name, n = r.choice([("v", 12.25), ("v", 40.5), ("z", 3), ("z", 100), ("i", 0), ("i", -321)])
        op = r.choice(["<", "<=", ">", ">=", "==", "!="])
        return compare(column(name), op, n)
    if choice == 1:
        op = r.choice(["<", "<=", ">", ">=", "=="])
        return compare(real(r, 1) if depth else column("x"), op, r.choice([0.0, 1.5, -3.0, 8.0]))
    if choice == 2:
        name = r.choice("sd")
        text = r.choice(["CMT", "VTS", "", "naïve", "a much longer name than twelve bytes", "absent"])
        term = column(name)
        return comparison(f"{term.ours} == '{text}'", f"{term.sql} = '{text}'", term.polars.cast(pl.String) == text)
    if choice == 3:
        lo, width = r.choice([-2.0, 0.25, 3.0]), r.choice([0.5, 2.0, 20.0])
        c = column(r.choice("xvg"))
        if r.random() < 0.5:
            return comparison(
                f"{lo} <= {c.ours} < {lo + width}", f"({c.sql} >= {lo} AND {c.sql} < {lo + width})",
                (c.polars >= lo) & (c.polars < lo + width))
        c = column(r.choice("vgb"))
        return comparison(
            f"({c.ours} not between {lo} and {lo + width})", f"{c.sql} NOT BETWEEN {lo} AND {lo + width}",
            (c.polars < lo) | (c.polars > lo + width))
    if choice == 4:
        c, some = column("b"), r.sample(range(7), 3)
        without = r.random() < 0.5
        word = "not in" if without else "in"
        among = c.polars.is_in(some)
        return comparison(
            f"(b {word} {some})", f"{c.sql} {word} ({some[0]}, {some[1]}, {some[2]})", ~among if without else among)
    if choice == 5:
        hour = r.randrange(24)
        return comparison(f"hour(t) >= {hour}", f"hour(t) >= {hour}", pl.col("t").dt.hour() >= hour)
    a, b = condition(r, depth - 1), condition(r, depth - 1)
    if choice == 6:
        return Term(f"({a.ours} and {b.ours})", f"({a.sql} AND {b.sql})", a.polars & b.polars)
    if choice == 7:
        return Term(f"({a.ours} or {b.ours})", f"({a.sql} OR {b.sql})", a.polars | b.polars)
    return Term(f"(not ({a.ours}))", f"(NOT ({a.sql}))", ~a.polars)


def compare(term, op, n):
    sql = {"==": "=", "!=": "<>"}.get(op, op)
    compared = {"<": term.polars < n, "<=": term.polars <= n, ">": term.polars > n, ">=": term.polars >= n,
                "==": term.polars == n, "!=": term.polars != n}[op]
    number = f"{n}::DOUBLE" if isinstance(n, float) else str(n)
    return comparison(f"({term.ours} {op} {n})", f"({term.sql} {sql} {number})", compared)


def comparison(ours, sql, polars):
    return Term(ours, f"coalesce({sql}, false)", polars.fill_null(False))


def aggregation(r):
    """An aggregate in the three languages, and whether it rounds."""
    name = r.choice(["count", "count_of", "sum", "sum_int", "mean", "min", "max", "sd"])
    if name == "count":
        return {"fn": "count"}, "count(*)", pl.len(), False
    if name == "count_of":
        c = column(r.choice("xgkbs"))
        return {"fn": "count", "expr": c.ours}, f"count({c.sql})", c.polars.count(), False
    if name == "sum_int":
        c = column(r.choice("izkb"))
        return {"fn": "sum", "expr": c.ours}, f"sum({c.sql})", c.polars.cast(pl.Int64).sum(), False
    a = real(r)
    sql = {"sum": "sum", "mean": "avg", "min": "min", "max": "max", "sd": "stddev_pop"}[name]
    polars = {"sum": a.polars.sum, "mean": a.polars.mean, "min": a.polars.min, "max": a.polars.max,
              "sd": lambda: a.polars.std(ddof=0)}[name]()
    return {"fn": name, "expr": a.ours}, f"{sql}({a.sql})", polars, name in ("sum", "mean", "sd")


def key(r):
    name = r.choice(["z", "b", "s", "d", "flag", "i % 5", "hour"])
    if name == "hour":
        return Term("hour(t)", "hour(t)", pl.col("t").dt.hour().cast(pl.Int64))
    if name == "i % 5":
        return Term("abs(i) % 5", "abs(i) % 5", pl.col("i").abs() % 5)
    return Term(name, f'"{name}"', pl.col(name).cast(pl.String) if name == "d" else pl.col(name))


def bin_of(e, lo, width):
    """The number of the bin. `e - lo` of a value just below an edge may round up to the edge; edges are exact."""
    sql = f"floor(({e.sql} - {lo}::DOUBLE) / {width}::DOUBLE)"
    guess = ((e.polars - lo) / width).floor()
    return Term(
        "",
        f"CAST({sql} - CAST({e.sql} < {lo}::DOUBLE + {sql} * {width}::DOUBLE AS BIGINT) AS BIGINT)",
        (guess - (e.polars < lo + guess * width).cast(pl.Int64)).cast(pl.Int64))


class Query:
    """One question: an operation of `outcrop bench`, and what the others answer."""

    def __init__(self, number, seed):
        r = random.Random(seed * 1_000_003 + number)
        self.filter = condition(r) if r.random() < 0.7 else None
        self.op = {"id": str(number)}
        if self.filter:
            self.op["filter"] = self.filter.ours
        kind = r.choice(["hist", "hist", "groupby", "groupby", "groupby", "minmax", "nunique", "quantile"])
        self.op["kind"] = kind
        getattr(self, kind)(r)

    def hist(self, r):
        axes = []
        for _ in range(r.choice([1, 1, 2])):
            width, bins = r.choice([0.25, 1.0, 4.0]), r.choice([1, 5, 40])
            lo = r.choice([-5.0, 0.0, 0.5])
            axes.append((real(r), lo, width, bins))
        agg, sql, polars, self.rounds = aggregation(r)
        self.op["axes"] = [
            {"expr": e.ours, "lo": lo, "hi": lo + width * bins, "bins": bins} for e, lo, width, bins in axes]
        self.op["agg"] = agg
        place, where = [], []
        for e, lo, width, bins in axes:
            place.append(bin_of(e, lo, width))
            where.append(Term("", f"{e.sql} >= {lo}::DOUBLE AND {e.sql} < {lo + width * bins}::DOUBLE",
                              (e.polars >= lo) & (e.polars < lo + width * bins)))
        self.keys, self.aggs, self.inside = place, [("a", sql, polars)], where
        self.bins = [bins for _, _, _, bins in axes]
        self.name = agg["fn"]
        self.is_count = agg["fn"] == "count"

    def groupby(self, r):
        self.keys = [key(r) for _ in range(r.choice([1, 1, 2]))]
        if len(self.keys) == 2 and self.keys[0].ours == self.keys[1].ours:
            self.keys.pop()
        made = [aggregation(r) for _ in range(r.randrange(1, 4))]
        self.rounds = any(rounds for *_, rounds in made)
        self.op["keys"] = [k.ours for k in self.keys]
        self.op["aggs"] = [{**agg, "as": f"a{n}"} for n, (agg, *_) in enumerate(made)]
        self.aggs = [(f"a{n}", sql, polars) for n, (_, sql, polars, _) in enumerate(made)]
        self.inside = [Term("", f"{k.sql} IS NOT NULL", k.polars.is_not_null()) for k in self.keys]

    def simple(self, r, aggs):
        self.keys, self.inside, self.aggs, self.rounds = [], [], aggs, False
        self.op.pop("filter", None)
        self.filter = None

    def minmax(self, r):
        a = real(r)
        self.op["expr"] = a.ours
        self.simple(r, [("min", f"min({a.sql})", a.polars.min()), ("max", f"max({a.sql})", a.polars.max())])

    def nunique(self, r):
        c = column(r.choice("xvgizbksd"))
        self.op["expr"] = c.ours
        self.simple(r, [("nunique", f"count(DISTINCT {c.sql})", c.polars.drop_nulls().n_unique())])

    def quantile(self, r):
        a = real(r, 1)
        q = r.choice([0.0, 0.01, 0.25, 0.5, 0.9, 1.0])
        self.op.update(expr=a.ours, q=[q])
        self.simple(r, [("value", f"quantile_cont({a.sql}, {q})", a.polars.quantile(q, "linear"))])
        self.rounds = True

    def sql(self):
        keys = [f"{k.sql} AS k{n}" for n, k in enumerate(self.keys)]
        aggs = [f"{sql} AS {name}" for name, sql, _ in self.aggs]
        where = [t.sql for t in self.inside] + ([self.filter.sql] if self.filter else [])
        text = f"SELECT {', '.join(keys + aggs)} FROM t"
        if where:
            text += " WHERE " + " AND ".join(f"({w})" for w in where)
        if keys:
            text += " GROUP BY " + ", ".join(str(n + 1) for n in range(len(keys)))
        return text

    def from_polars(self, frame):
        for term in self.inside + ([self.filter] if self.filter else []):
            frame = frame.filter(term.polars)
        aggs = [polars.alias(name) for name, _, polars in self.aggs]
        if not self.keys:
            return frame.select(aggs).rows()
        return frame.group_by([k.polars.alias(f"k{n}") for n, k in enumerate(self.keys)]).agg(aggs).rows()

    def ours(self, result):
        """Rows of keys and aggregates, from the form of the contract."""
        if self.op["kind"] == "hist":
            flat = result[self.name]
            cells = [()]
            for bins in self.bins:
                cells = [(*cell, i) for cell in cells for i in range(bins)]
            return [(*cell, value) for cell, value in zip(cells, flat)]
        if self.keys:
            names = [k.ours for k in self.keys] + [name for name, *_ in self.aggs]
            return list(zip(*(result[name] for name in names)))
        values = [result[name] for name, *_ in self.aggs]
        return [tuple(v[0] if isinstance(v, list) else v for v in values)]

    def differences(self, result, theirs):
        width = len(self.keys)
        mine = {row[:width]: row[width:] for row in self.ours(result)}
        other = {tuple(plain(k) for k in row[:width]): row[width:] for row in theirs}
        for k in sorted(set(mine) | set(other), key=repr):
            a, b = mine.get(k), other.get(k)
            if self.op["kind"] == "hist" and b is None:
                # A cell without rows; a sum of none is 0 here and missing there.
                if a[0] in (0, None):
                    continue
            if a is None or b is None or not all(self.same(p, plain(q)) for p, q in zip(a, b)):
                yield f"at {k}: {a} here, {b} there"

    def same(self, a, b):
        if a is None or b is None:
            return (a or 0) == (b or 0)  # the sum of no value
        if isinstance(a, str) or isinstance(b, str):
            return str(a) == str(b)
        if a == b:
            return True
        scale = max(abs(a), abs(b))
        return self.rounds and abs(a - b) <= 1e-9 * scale + 1e-9


def plain(value):
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "as_tuple"):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outcrop", required=True)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    data = table(options.rows, options.seed)
    frame = pl.from_arrow(data).with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
    database = duckdb.connect()
    database.register("t", frame.to_arrow())
    database.execute("CREATE TABLE u AS SELECT * FROM t")
    database.unregister("t")
    database.execute("ALTER TABLE u RENAME TO t")
    asked = differing = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        file, ops = Path(folder, "t.arrow"), Path(folder, "ops.json")
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, data.schema) as writer:
            writer.write_table(data, max_chunksize=1_777)
        for first in range(0, options.queries, BATCH):
            queries = [Query(n, options.seed) for n in range(first, min(first + BATCH, options.queries))]
            ops.write_text(json.dumps({"contract": 1, "dataset": "t", "ops": [query.op for query in queries]}))
            run = subprocess.run(
                [options.outcrop, "bench", "--file", file, "--ops", ops, "--repeat", "0"],
                capture_output=True, text=True, check=True)
            for query, answer in zip(queries, json.loads(run.stdout)["ops"]):
                asked += 1
                if "error" in answer:
                    refused += 1
                    print(f"refused: {json.dumps(query.op)}: {answer['error']}")
                    continue
                engines = {"DuckDB": database.execute(query.sql()).fetchall(), "Polars": query.from_polars(frame)}
                for name, theirs in engines.items():
                    found = list(query.differences(answer["result"], theirs))
                    if found:
                        differing += 1
                        print(f"{name} differs in {len(found)} of query {json.dumps(query.op)}\n    {query.sql()}")
                        print("\n".join(f"    {difference}" for difference in found[:3]))
    print(f"{asked} queries of seed {options.seed}: {differing} answers differ, {refused} refused")
    sys.exit(1 if differing or refused else 0)


if __name__ == "__main__":
    main()
