#!/usr/bin/env python3
"""Makes stars.hdf5 and weather.arrows: synthetic, and the same bytes of values every time.

    pip install numpy h5py pyarrow
    python3 make.py
"""
import os

import h5py
import numpy as np
import pyarrow as pa

HERE = os.path.dirname(os.path.abspath(__file__))


def stars(path, n=24_000):
    """A disc galaxy with a bar and two arms, seen from above; compressed by chunk, one data set a column."""
    rng = np.random.default_rng(1781)
    part = rng.choice(3, n, p=[0.25, 0.2, 0.55])
    arm_radius = rng.gamma(3.2, 1.9, n).clip(0.3, 20)
    arm_angle = np.log(arm_radius / 0.9) / np.tan(np.radians(17)) + np.pi * rng.integers(0, 2, n)
    arm_angle += rng.normal(0, 0.32, n)
    disc_radius = rng.exponential(3.6, n).clip(0, 20)
    disc_angle = rng.uniform(0, 2 * np.pi, n)
    x = np.choose(part, [disc_radius * np.cos(disc_angle), rng.normal(0, 1.9, n), arm_radius * np.cos(arm_angle)])
    y = np.choose(part, [disc_radius * np.sin(disc_angle), rng.normal(0, 0.7, n), arm_radius * np.sin(arm_angle)])
    z = rng.laplace(0, np.choose(part, [0.45, 0.6, 0.12]))
    radius = np.hypot(x, y)
    speed = 225 * (1 - np.exp(-radius / 1.4)) + rng.normal(0, np.choose(part, [38, 60, 12]))
    age = np.choose(part, [rng.uniform(1, 12, n), rng.normal(10, 1.2, n), rng.exponential(1.6, n)]).clip(0.01, 13.6)
    iron = -0.06 * (radius - 8) - 0.045 * age + rng.normal(0.15, 0.13, n)
    mass = (0.12 * (1 - rng.uniform(0, 0.9995, n)) ** (-1 / 1.35)).clip(0.12, 60)
    magnitude = 4.8 - 2.5 * np.log10(mass ** 3.2) + 0.08 * age + rng.normal(0, 0.15, n)
    iron[rng.uniform(size=n) < 0.04] = np.nan  # no spectrum was taken

    columns = [
        ("x", x, "f4", "kpc", "towards the end of the bar"),
        ("y", y, "f4", "kpc", "across the bar"),
        ("z", z, "f4", "kpc", "above the plane"),
        ("speed", speed, "f4", "km/s", "around the centre"),
        ("age", age, "f8", "Gyr", "since the star began to burn hydrogen"),
        ("iron", iron, "f4", "dex", "abundance relative to the Sun; NaN where no spectrum was taken"),
        ("mass", mass, "f8", "Msun", "initial mass"),
        ("magnitude", magnitude, "f4", "mag", "absolute visual magnitude"),
        ("part", part, "i1", "", "0 disc, 1 bar, 2 arms"),
    ]
    with h5py.File(path, "w", track_order=True) as f:
        for name, values, dtype, unit, description in columns:
            column = f.create_dataset(name, data=values.astype(dtype), chunks=(6000,), compression="gzip",
                                      compression_opts=9, shuffle=True, track_times=False)
            if unit:
                column.attrs["unit"] = unit
            column.attrs["description"] = description


def weather(path, hours=24 * 366):
    """A year of hourly readings at three made-up stations, in a stream of monthly record batches."""
    rng = np.random.default_rng(1743)
    stations = [("Harbour", 9.5, 6.0, 3.0), ("Valley", 8.5, 10.5, 6.5), ("Ridge", 1.5, 8.0, 2.5)]
    t = np.arange(hours)
    start = np.datetime64("2024-01-01T00:00:00", "ms")
    front = np.convolve(rng.normal(0, 1, hours + 72), np.hanning(73) / 6, "valid")
    rows = {"time": [], "station": [], "temperature": [], "wind": [], "rain": []}
    for index, (_, mean, year, day) in enumerate(stations):
        season = -np.cos(2 * np.pi * (t / 24 - 20) / 366)
        sun = -np.cos(2 * np.pi * (t % 24 - 2) / 24) * (0.6 + 0.4 * season)
        temperature = mean + year * season + day / 2 * sun + 2.6 * front + rng.normal(0, 0.5, hours)
        wind = rng.weibull(1.9, hours) * (4 + 2 * index + 1.5 * np.abs(front))
        wet = rng.uniform(size=hours) < 0.07 + 0.06 * (front > 0.8)
        rain = np.where(wet, rng.gamma(0.8, 1.4, hours) * (1 + 0.5 * index), 0)
        rows["time"].append(start + t.astype("timedelta64[h]"))
        rows["station"].append(np.full(hours, index, "i1"))
        rows["temperature"].append(temperature.round(1))
        rows["wind"].append(wind.round(1))
        rows["rain"].append(rain.round(1))
    order = np.argsort(np.concatenate(rows["time"]), kind="stable")
    column = {name: np.concatenate(parts)[order] for name, parts in rows.items()}
    silent = rng.uniform(size=len(order)) < 0.006  # the sensor froze
    table = pa.table(
        [
            pa.array(column["time"], pa.timestamp("ms", tz="UTC")),
            pa.DictionaryArray.from_arrays(pa.array(column["station"]), pa.array([s[0] for s in stations])),
            pa.array(column["temperature"].astype("f4"), mask=silent),
            pa.array(column["wind"].astype("f4")),
            pa.array(column["rain"].astype("f4")),
        ],
        schema=pa.schema([
            pa.field("time", pa.timestamp("ms", tz="UTC")),
            pa.field("station", pa.dictionary(pa.int8(), pa.string())),
            pa.field("temperature", pa.float32(), metadata={"unit": "°C"}),
            pa.field("wind", pa.float32(), metadata={"unit": "m/s"}),
            pa.field("rain", pa.float32(), metadata={"unit": "mm"}),
        ]),
    )
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(path, table.schema, options=options) as stream:
        stream.write_table(table, max_chunksize=3 * 24 * 31)


stars(os.path.join(HERE, "stars.hdf5"))
weather(os.path.join(HERE, "weather.arrows"))
