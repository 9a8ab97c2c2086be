"""Times expressions over all rows of a table, reduced to one number, in Outcrop and other programs.

    pip install numpy numexpr polars vaex-core vaex-hdf5 h5py
    python benches/expressions.py --file taxi.hdf5 --outcrop target/release/outcrop

The file is HDF5 as Vaex writes it, with the columns pickup_lon and pickup_lat (float32), tip and fare_amount
(float64), vendor (text) and pickup_datetime. Every program runs in a process of its own per round, first on
one thread and then on --threads, the rounds of all programs after each other, so that a noisy machine
troubles all alike; the median is shown. "memory" reads the bytes of the columns once and does nothing else. numpy and numexpr have the columns in memory as arrays (text as
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
# Before the name of an expression: its sum is NaN where one value is.
LET_THROUGH = "NaN let through: "
# Columns each expression reads, for the limit that memory sets.
READS = {
    "sqrt((x-a)^2+(y-b)^2)": ["pickup_lon", "pickup_lat"],
    "sqrt((x-a)^2+(y-b)^2), float64": ["pickup_lon", "pickup_lat"],
    "tip / fare": ["tip", "fare_amount"],
    "vendor == 'CMT'": ["vendor"],
    "hour(t)": ["pickup_datetime"],
    "if(fare > 10, tip, 0)": ["tip", "fare_amount"],
}


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
    """Bytes of fixed width, as NumPy keeps text, from Vaex's offsets and bytes, by blocks."""
    offsets, data = column["indices"], column["data"]
    parts = []
    for start in range(0, len(offsets) - 1, 1 << 22):
        ends = offsets[start : start + (1 << 22) + 1].astype("int64") - offsets[0]
        raw = data[ends[0] : ends[-1]].view("u1")
        begins, lengths = ends[:-1] - ends[0], np.diff(ends)
        cells = np.zeros((len(lengths), 8), "u1")
        for place in range(lengths.max(initial=0)):
            rows = np.flatnonzero(lengths > place)
            cells[rows, place] = raw[begins[rows] + place]
        parts.append(cells.view("S8").reshape(-1))
    return np.concatenate(parts)


def arrow_text(column):
    """An Arrow array over Vaex's offsets and bytes."""
    import pyarrow

    offsets = column["indices"][:].astype("int64")
    buffers = pyarrow.py_buffer(offsets - offsets[0]), pyarrow.py_buffer(column["data"][:])
    return pyarrow.LargeStringArray.from_buffers(len(offsets) - 1, *buffers)


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
    c["vendor"] = pl.from_arrow(arrow_text(vendor))
    lazy = pl.DataFrame(c).lazy()
    x, y, tip, fare = (pl.col(k) for k in ["x", "y", "tip", "fare"])
    f32 = lambda v: pl.lit(v, dtype=pl.Float32)
    f64 = pl.Float64
    expressions = {
        "sqrt((x-a)^2+(y-b)^2)": ((x + f32(73.98)).pow(2) + (y - f32(40.75)).pow(2)).sqrt(),
        "sqrt((x-a)^2+(y-b)^2), float64": ((x.cast(f64) + 73.98).pow(2) + (y.cast(f64) - 40.75).pow(2)).sqrt(),
        "tip / fare": tip / fare,
        "vendor == 'CMT'": pl.col("vendor") == "CMT",
        "hour(t)": pl.col("t").dt.hour().cast(pl.Int64),
        "if(fare > 10, tip, 0)": pl.when(fare > 10).then(tip).otherwise(0.0),
    }
    reals = ["sqrt", "tip", "if"]
    found = {}
    for name, expression in expressions.items():
        # The streaming engine evaluates by batches on all threads; the other one is faster at times.
        def fastest(expression):
            query = lazy.select(expression.sum())
            runs = [timed({name: lambda: query.collect(engine=e).item()})[name] for e in ["streaming", "in-memory"]]
            return min(runs)

        is_real = any(name.startswith(real) for real in reals)
        # NaN is a number to Polars, which makes the sum NaN: the same question is about the others alone.
        found[name] = fastest(expression.fill_nan(None) if is_real else expression)
        if is_real:
            found[LET_THROUGH + name] = fastest(expression)
    return found


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


def run_outcrop(file, threads, program, under):
    operations = [
        {"id": name, "kind": "hist", "axes": [], "agg": {"fn": "sum", "expr": texts[0]}}
        for name, texts in OPERATIONS.items()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request:
        json.dump({"contract": 1, "ops": operations}, request)
        request.flush()
        command = [*under.split(), program, "bench", "--file", file, "--ops", request.name]
        command += ["--repeat", str(ROUNDS_INSIDE), "--threads", str(threads)]
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {}
    for op in report["ops"]:
        if "error" in op:
            print(f"outcrop: {op['id']}: {op['error']}", file=sys.stderr)
        else:
            found[op["id"]] = (min(op["runs"]), op["result"]["sum"][0])
    return found


def run_memory(file, threads):
    """Reads every byte of the columns once: no program can be faster."""
    from concurrent.futures import ThreadPoolExecutor

    mapped = np.memmap(file, mode="r")
    found = {}
    with h5py.File(file) as handle, ThreadPoolExecutor(threads) as pool:
        for name, columns in READS.items():
            sets = []
            for column in columns:
                handle["table/columns"][column].visititems(
                    lambda _, item: sets.append(item.id) if isinstance(item, h5py.Dataset) else None
                )
            parts = []
            for one in sets:
                start, size = one.get_offset(), one.get_storage_size()
                words = mapped[start : start + size // 8 * 8].view("u8")
                parts += [words[at : at + (1 << 18)] for at in range(0, len(words), 1 << 18)]
            found |= timed({name: lambda: sum(pool.map(lambda part: int(part.sum()), parts)) and 0})
    return found


PROGRAMS = {"memory": run_memory, "numpy": run_numpy, "numexpr": run_numexpr, "polars": run_polars, "vaex": run_vaex}


def measured(name, arguments, threads):
    if name == "outcrop":
        return run_outcrop(arguments.file, threads, arguments.outcrop, arguments.under)
    variables = ["OMP_NUM_THREADS", "NUMEXPR_MAX_THREADS", "POLARS_MAX_THREADS", "VAEX_NUM_THREADS"]
    environment = {**os.environ, **dict.fromkeys(variables, str(threads))}
    command = [*arguments.under.split(), sys.executable, __file__]
    command += ["--file", arguments.file, "--only", name, "--threads", str(threads)]
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
    parser.add_argument("--programs", default="outcrop,numpy,numexpr,polars,vaex,memory")
    parser.add_argument("--under", default="", help="a command to run each program under, to have the machine alone")
    parser.add_argument("--only-all-threads", action="store_true", help="no round on one thread")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(PROGRAMS[arguments.only](arguments.file, arguments.threads)))
        return
    programs = arguments.programs.split(",")
    with h5py.File(arguments.file) as file:
        rows = len(file["table/columns/tip/data"])
    times, results = {}, {}
    counts = dict.fromkeys([arguments.threads] if arguments.only_all_threads else [1, arguments.threads])
    for _ in range(arguments.rounds):
        for threads in counts:
            for program in programs:
                for name, (seconds, result) in measured(program, arguments, threads).items():
                    times.setdefault((threads, name, program), []).append(seconds)
                    results.setdefault(name, {})[program] = result
    for threads in counts:
        print(f"\n{rows:.0e} rows, {threads} thread(s), million rows per second\n")
        print(f"| expression | {' | '.join(programs)} | outcrop / best other | outcrop / memory |")
        print("|---" * (len(programs) + 3) + "|")
        for name in [*OPERATIONS, *(LET_THROUGH + name for name in OPERATIONS)]:
            speed = {
                p: rows / 1e6 / statistics.median(times[threads, name, p])
                for p in programs
                if (threads, name, p) in times
            }
            if not speed:
                continue
            others = [speed[p] for p in speed if p not in ("outcrop", "memory")]
            is_asked = "outcrop" in speed
            ratio = f"{speed['outcrop'] / max(others):.2f}" if others and is_asked else ""
            share = f"{speed['outcrop'] / speed['memory']:.2f}" if "memory" in speed and is_asked else ""
            cells = [f"{speed[p]:.0f}" if p in speed else "–" for p in programs]
            print(f"| `{name}` | {' | '.join(cells)} | {ratio} | {share} |")
    print("\nresults:")
    for name, found in results.items():
        print(f"  {name}: " + ", ".join(f"{p} {v:.10g}" for p, v in found.items()))


if __name__ == "__main__":
    main()
