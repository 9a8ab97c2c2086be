"""Times expressions over all rows of a table, reduced to one number, in Outcrop and other programs.

    pip install numpy numexpr polars vaex-core vaex-hdf5 h5py
    python benches/expressions.py --file taxi.hdf5 --outcrop target/release/outcrop

The file is HDF5 as Vaex writes it, with the columns pickup_lon and pickup_lat (float32), tip and fare_amount
(float64), vendor (text) and pickup_datetime. Every program runs in a process of its own per round, first on
one thread and then on --threads, the rounds of all programs after each other, so that a noisy machine
troubles all alike; the median is shown. numpy and numexpr have the columns in memory as arrays (text as
bytes of fixed width, times as datetime64), Polars as a data frame, Vaex and Outcrop map the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

# Name, Outcrop, numexpr, Vaex; what is summed: true counts 1.
OPERATIONS = {
    "sqrt((x-a)^2+(y-b)^2)": (
        "sqrt((pickup_lon + 73.98)**2 + (pickup_lat - 40.75)**2)",
        "sqrt((x + 73.98)**2 + (y - 40.75)**2)",
        "sqrt((pickup_lon + 73.98)**2 + (pickup_lat - 40.75)**2)",
    ),
    "sqrt((x-a)^2+(y-b)^2), float64": (
        "sqrt((float64(pickup_lon) + 73.98)**2 + (float64(pickup_lat) - 40.75)**2)",
        None,
        None,
    ),
    "tip / fare": ("tip / fare_amount", "tip / fare", "tip / fare_amount"),
    "vendor == 'CMT'": ("vendor == 'CMT'", "where(vendor == b'CMT', 1, 0)", "vendor == 'CMT'"),
    "hour(t)": ("hour(pickup_datetime)", None, "dt_hour(pickup_datetime)"),
    "if(fare > 10, tip, 0)": (
        "if(fare_amount > 10, tip, 0)",
        "where(fare > 10, tip, 0)",
        "where(fare_amount > 10, tip, 0)",
    ),
}
ROUNDS_INSIDE = 5


def timed(operations):
    """Seconds of the best of a few runs, and the result, by operation."""
    found = {}
    for name, run in operations.items():
        best = float("inf")
        result = run()
        for _ in range(ROUNDS_INSIDE):
            start = time.perf_counter()
            result = run()
            best = min(best, time.perf_counter() - start)
        found[name] = (best, float(result))
    return found


def plain_columns(file):
    table = h5py.File(file)["table/columns"]
    read = lambda name: table[name]["data"][:]
    columns = {
        "x": read("pickup_lon"),
        "y": read("pickup_lat"),
        "tip": read("tip"),
        "fare": read("fare_amount"),
        "t": read("pickup_datetime").astype("int64").view("datetime64[ns]"),
    }
    return columns, table["vendor"]


def texts(column):
    """Bytes of fixed width, from Vaex's offsets and bytes, by blocks."""
    if isinstance(column, h5py.Group) and "indices" in column:
        offsets, data = column["indices"], column["data"]
        parts = []
        for start in range(0, len(offsets) - 1, 1 << 20):
            some = offsets[start : start + (1 << 20) + 1]
            raw = data[some[0] - offsets[0] : some[-1] - offsets[0]].tobytes()
            ends = some - some[0]
            parts.append(np.array([raw[a:b] for a, b in zip(ends[:-1], ends[1:])], dtype="S8"))
        return np.concatenate(parts)
    data = column["data"][:]
    return data if data.dtype.kind == "S" else data.astype("S8")


def run_numpy(file, threads):
    c, vendor = plain_columns(file)
    vendor = texts(vendor)
    x, y, tip, fare, t = (c[k] for k in ["x", "y", "tip", "fare", "t"])
    hour = lambda: ((t.view("int64") // 3_600_000_000_000) % 24).sum()
    with np.errstate(all="ignore"):
        return timed(
            {
                "sqrt((x-a)^2+(y-b)^2)": lambda: np.nansum(
                    np.sqrt((x + np.float32(73.98)) ** 2 + (y - np.float32(40.75)) ** 2), dtype="float64"
                ),
                "sqrt((x-a)^2+(y-b)^2), float64": lambda: np.nansum(
                    np.sqrt((x.astype("f8") + 73.98) ** 2 + (y.astype("f8") - 40.75) ** 2)
                ),
                "tip / fare": lambda: np.nansum(tip / fare),
                "vendor == 'CMT'": lambda: (vendor == b"CMT").sum(),
                "hour(t)": hour,
                "if(fare > 10, tip, 0)": lambda: np.nansum(np.where(fare > 10, tip, 0)),
            }
        )


def run_numexpr(file, threads):
    import numexpr

    numexpr.set_num_threads(threads)
    c, vendor = plain_columns(file)
    c["vendor"] = texts(vendor)
    del c["t"]
    # numexpr's own sum runs on one thread only: its result is summed by numpy, as its manual advises.
    a, b = np.float32(73.98), np.float32(40.75)
    return timed(
        {
            "sqrt((x-a)^2+(y-b)^2)": lambda: np.nansum(
                numexpr.evaluate("sqrt((x + a)**2 + (y - b)**2)", {**c, "a": a, "b": b}), dtype="float64"
            ),
            "sqrt((x-a)^2+(y-b)^2), float64": lambda: np.nansum(
                numexpr.evaluate("sqrt((x + a)**2 + (y - b)**2)", {**c, "a": 73.98, "b": 40.75})
            ),
            "tip / fare": lambda: np.nansum(numexpr.evaluate("tip / fare", c)),
            "vendor == 'CMT'": lambda: numexpr.evaluate("vendor == b'CMT'", c).sum(),
            "if(fare > 10, tip, 0)": lambda: np.nansum(numexpr.evaluate("where(fare > 10, tip, 0)", c)),
        }
    )


def run_polars(file, threads):
    import polars as pl

    c, vendor = plain_columns(file)
    c["vendor"] = pl.Series(texts(vendor)).cast(pl.String)
    lazy = pl.DataFrame(c).lazy()
    x, y, tip, fare = (pl.col(k) for k in ["x", "y", "tip", "fare"])
    f32 = lambda v: pl.lit(v, dtype=pl.Float32)
    f64 = pl.Float64
    expressions = {
        "sqrt((x-a)^2+(y-b)^2)": ((x + f32(73.98)).pow(2) + (y - f32(40.75)).pow(2)).sqrt().fill_nan(None),
        "sqrt((x-a)^2+(y-b)^2), float64": ((x.cast(f64) + 73.98).pow(2) + (y.cast(f64) - 40.75).pow(2))
        .sqrt()
        .fill_nan(None),
        "tip / fare": (tip / fare).fill_nan(None),
        "vendor == 'CMT'": pl.col("vendor") == "CMT",
        "hour(t)": pl.col("t").dt.hour().cast(pl.Int64),
        "if(fare > 10, tip, 0)": pl.when(fare > 10).then(tip).otherwise(0.0).fill_nan(None),
    }
    # The streaming engine evaluates by batches on all threads.
    engines = {}
    for name, expression in expressions.items():
        query = lazy.select(expression.sum())
        engines[name] = lambda query=query: query.collect(engine="streaming").item()
    streaming = timed(engines)
    for name, expression in expressions.items():
        query = lazy.select(expression.sum())
        engines[name] = lambda query=query: query.collect(engine="in-memory").item()
    in_memory = timed(engines)
    return {name: min(streaming[name], in_memory[name]) for name in expressions}


def run_vaex(file, threads):
    import vaex

    table = vaex.open(file)
    kept = {}
    for name, texts in OPERATIONS.items():
        if texts[2] is not None:
            kept[name] = lambda text=texts[2]: table.sum(eval_vaex(table, text))
    found = {}
    for name, run in kept.items():
        try:
            found.update(timed({name: run}))
        except Exception as error:
            print(f"vaex: {name}: {error!r}", file=sys.stderr)
    return found


def eval_vaex(table, text):
    # A new expression every time: Vaex would take the result of the same one from its cache.
    return f"({text}) * 1" if "==" in text else text


def run_outcrop(file, threads, program):
    operations = [
        {"id": name, "kind": "hist", "axes": [], "agg": {"fn": "sum", "expr": texts[0]}}
        for name, texts in OPERATIONS.items()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
        json.dump({"contract": 1, "ops": operations}, request)
        request.flush()
        command = [program, "bench", "--file", file, "--ops", request.name]
        command += ["--repeat", str(ROUNDS_INSIDE), "--threads", str(threads)]
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {}
    for op in report["ops"]:
        if "error" in op:
            print(f"outcrop: {op['id']}: {op['error']}", file=sys.stderr)
        else:
            found[op["id"]] = (min(op["runs"]), op["result"]["sum"][0])
    return found


PROGRAMS = {"numpy": run_numpy, "numexpr": run_numexpr, "polars": run_polars, "vaex": run_vaex}


def measured(name, arguments, threads):
    if name == "outcrop":
        return run_outcrop(arguments.file, threads, arguments.outcrop)
    variables = ["OMP_NUM_THREADS", "NUMEXPR_MAX_THREADS", "POLARS_MAX_THREADS", "VAEX_NUM_THREADS"]
    environment = {**os.environ, **dict.fromkeys(variables, str(threads))}
    command = [sys.executable, __file__, "--file", arguments.file, "--only", name, "--threads", str(threads)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {}
    if done.stderr.strip():
        print(done.stderr.strip(), file=sys.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", required=True)
    parser.add_argument("--outcrop", default="target/release/outcrop")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--programs", default="outcrop,numpy,numexpr,polars,vaex")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(PROGRAMS[arguments.only](arguments.file, arguments.threads)))
        return
    programs = arguments.programs.split(",")
    with h5py.File(arguments.file) as file:
        rows = len(file["table/columns/tip/data"])
    times, results = {}, {}
    for _ in range(arguments.rounds):
        for threads in dict.fromkeys([1, arguments.threads]):
            for program in programs:
                for name, (seconds, result) in measured(program, arguments, threads).items():
                    times.setdefault((threads, name, program), []).append(seconds)
                    results.setdefault(name, {})[program] = result
    for threads in dict.fromkeys([1, arguments.threads]):
        print(f"\n{rows:.0e} rows, {threads} thread(s), million rows per second\n")
        print(f"| expression | {' | '.join(programs)} | outcrop / best other |")
        print("|---" * (len(programs) + 2) + "|")
        for name in OPERATIONS:
            speed = {
                p: rows / 1e6 / statistics.median(times[threads, name, p])
                for p in programs
                if (threads, name, p) in times
            }
            others = [speed[p] for p in speed if p != "outcrop"]
            ratio = f"{speed['outcrop'] / max(others):.2f}" if others and "outcrop" in speed else ""
            cells = [f"{speed[p]:.0f}" if p in speed else "–" for p in programs]
            print(f"| `{name}` | {' | '.join(cells)} | {ratio} |")
    print("\nresults:")
    for name, found in results.items():
        print(f"  {name}: " + ", ".join(f"{p} {v:.10g}" for p, v in found.items()))


if __name__ == "__main__":
    main()
