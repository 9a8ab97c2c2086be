"""Six views under a brush, recomputed by DuckDB and by Vaex beside a brush step of Outcrop, in one run.

    pip install duckdb vaex-core vaex-hdf5
    python benches/crossfilter.py --hdf5 taxi-1e8.hdf5 --duckdb taxi-1e8.duckdb --bench target/release/deps/crossfilter-*

Five histograms and a heatmap of taxi rides, each counted under a brush on the distance: what a linked view
without cubes does at every step. The programs take turns; of each the median counts.
"""
import argparse
import statistics
import subprocess
import time

import numpy as np

AXES = {
    "trip_distance": (0.0, 32.0, 32),
    "fare_amount": (0.0, 100.0, 50),
    "tip": (0.0, 20.0, 50),
    "passenger_count": (0.0, 10.0, 10),
    "zone_id": (0.0, 265.0, 53),
    "pickup_lon": (-74.1, -73.7, 80),
    "pickup_lat": (40.55, 40.95, 80),
}
VIEWS = [("fare_amount",), ("tip",), ("passenger_count",), ("zone_id",), ("pickup_lon", "pickup_lat")]
BRUSHED = "trip_distance"


def with_duckdb(connection, table, lo, hi):
    def bin_of(name):
        start, end, count = AXES[name]
        return f"TRY_CAST(floor(({name} - {start}) * {count / (end - start)}) AS INTEGER)"

    rows = 0
    for view in VIEWS:
        keys = ", ".join(bin_of(name) for name in view)
        found = connection.execute(
            f"SELECT {keys}, count(*) FROM {table} WHERE {BRUSHED} >= {lo} AND {BRUSHED} < {hi} GROUP BY ALL"
        ).fetchall()
        rows = sum(row[-1] for row in found)
    # The brushed view itself is not filtered.
    connection.execute(f"SELECT {bin_of(BRUSHED)}, count(*) FROM {table} GROUP BY ALL").fetchall()
    return rows


def with_vaex(frame, lo, hi):
    frame.select(f"({BRUSHED} >= {lo}) & ({BRUSHED} < {hi})")

    def counted(view, selection):
        return frame.count(
            binby=list(view),
            limits=[AXES[name][:2] for name in view],
            shape=tuple(AXES[name][2] for name in view),
            selection=selection,
            delay=True,
        )

    waiting = [counted(view, True) for view in VIEWS] + [counted((BRUSHED,), False)]
    total = frame.count(selection=True, delay=True)
    frame.execute()
    assert all(np.sum(promise.get()) > 0 for promise in waiting)
    return int(total.get())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hdf5", required=True)
    parser.add_argument("--duckdb", required=True)
    parser.add_argument("--bench", help="the built bench `crossfilter`")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()

    import duckdb
    import vaex
    import vaex.multithreading

    connection = duckdb.connect(given.duckdb, read_only=True)
    connection.execute(f"SET threads = {given.threads}")
    table = connection.execute("SHOW TABLES").fetchall()[0][0]
    frame = vaex.open(given.hdf5)
    seconds = {"duckdb": [], "vaex": []}
    for step in range(given.repeat + 1):
        lo, hi = 1.0 + step, 6.0 + step
        counts = {}
        for name, run in [
            ("duckdb", lambda: with_duckdb(connection, table, lo, hi)),
            ("vaex", lambda: with_vaex(frame, lo, hi)),
        ]:
            begun = time.perf_counter()
            counts[name] = run()
            if step > 0:
                seconds[name].append(time.perf_counter() - begun)
        assert counts["duckdb"] == counts["vaex"], counts
    for name, values in seconds.items():
        print(f"{name:8} {statistics.median(values):8.3f} s a step, all views recomputed")
    if given.bench:
        print(subprocess.run([given.bench, given.hdf5], check=True, capture_output=True, text=True).stdout)


main()
