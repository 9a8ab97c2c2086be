"""Random expressions and what Polars makes of them, for the test `random_expressions_agree_with_polars`.

    python3 -m venv venv && venv/bin/pip install polars
    venv/bin/python tests/expressions/agree_with_polars.py target/polars 10000
    OUTCROP_POLARS=target/polars cargo test random_expressions_agree_with_polars

Polars takes NaN as equal to NaN and larger than all numbers, and comparisons with a missing value as missing; they
are guarded here so that they follow IEEE 754 and are false. Single and double precision are not mixed, as the two widen by different rules.
"""

import datetime
import json
import pathlib
import random
import sys

import polars as pl

out = pathlib.Path(sys.argv[1])
count = int(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
r = random.Random(20150131)
ROWS = 41
WORDS = ["", "a", "Bee", "größe", "a,b", "12", "Ant and bee"]


def column(f, nulls=True):
    return [None if nulls and r.random() < 0.1 else f() for _ in range(ROWS)]


start = datetime.datetime(1969, 1, 1)
df = pl.DataFrame({
    "x": pl.Series(column(lambda: r.choice([0.0, -0.0, r.uniform(-5, 5), r.randint(-9, 9) / 4, float("inf")])), dtype=pl.Float64),
    "y": pl.Series(column(lambda: r.uniform(-100, 100), False), dtype=pl.Float64),
    "f": pl.Series(column(lambda: r.randint(-64, 64) / 8), dtype=pl.Float32),
    "i": pl.Series(column(lambda: r.randint(-100, 100)), dtype=pl.Int64),
    "s": pl.Series(column(lambda: r.randint(-9, 9), False), dtype=pl.Int64),
    "flag": pl.Series(column(lambda: r.random() < 0.5), dtype=pl.Boolean),
    "name": pl.Series(column(lambda: r.choice(WORDS)), dtype=pl.String),
    "t": pl.Series(column(lambda: start + datetime.timedelta(seconds=r.randint(0, 2_000_000_000), microseconds=r.randint(0, 999_999))), dtype=pl.Datetime("us")),
})


def whole(d):
    if d == 0:
        n = r.randint(-9, 9)
        return r.choice([("i", pl.col("i")), ("s", pl.col("s")), (str(n), pl.lit(n, dtype=pl.Int64))])
    k = r.randrange(9)
    (a, p), (b, q) = whole(d - 1), whole(d - 1)
    if k < 4:
        sign = r.choice("+-*")
        return f"({a} {sign} {b})", {"+": p + q, "-": p - q, "*": p * q}[sign]
    if k == 4:
        n = r.choice([-7, -3, 2, 5])
        return r.choice([(f"({a} // {n})", p // n), (f"({a} % {n})", p % n)])
    if k == 5:
        return f"abs({a})", p.abs()
    if k == 6:
        c, e = truth(d - 1)
        return f"if({c}, {a}, {b})", pl.when(e).then(p).otherwise(q)
    if k == 7:
        c, e = text(d - 1)
        return f"len({c})", e.str.len_chars().cast(pl.Int64)
    c, e = time(d - 1)
    name, part = r.choice([("hour", "hour"), ("year", "year"), ("month", "month"), ("day", "day"), ("minute", "minute"),
                           ("second", "second"), ("dayofyear", "ordinal_day"), ("week", "week"), ("quarter", "quarter")])
    return f"{name}({c})", getattr(e.dt, part)().cast(pl.Int64)


def real(d):
    if d == 0:
        n = r.randint(-40, 40) / 8
        return r.choice([("x", pl.col("x")), ("y", pl.col("y")), (repr(n), pl.lit(n, dtype=pl.Float64))])
    k = r.randrange(9)
    (a, p), (b, q) = real(d - 1), real(d - 1)
    if k < 4:
        sign = r.choice("+-*/")
        return f"({a} {sign} {b})", {"+": p + q, "-": p - q, "*": p * q, "/": p / q}[sign]
    if k == 4:
        name = r.choice(["sqrt", "floor", "ceil", "abs", "sin", "cos", "arctan", "exp", "cbrt", "tanh", "log"])
        return f"{name}({a})", getattr(p, name)()
    if k == 5:
        c, e = truth(d - 1)
        return f"if({c}, {a}, {b})", pl.when(e).then(p).otherwise(q)
    if k == 6:
        return f"coalesce({a}, {b})", pl.coalesce(p, q)
    if k == 7:
        c, e = whole(d - 1)
        return f"({a} + {c})", p + e.cast(pl.Float64)
    (a, p), (b, q) = whole(d - 1), whole(d - 1)
    return f"({a} / {b})", p.cast(pl.Float64) / q.cast(pl.Float64)


def compare(a, p, b, q, reals):
    sign = r.choice(["<", "<=", ">", ">=", "==", "!="])
    e = {"<": p < q, "<=": p <= q, ">": p > q, ">=": p >= q, "==": p == q, "!=": p != q}[sign]
    if reals:
        nan = p.is_nan() | q.is_nan()
        e = (e | nan) if sign == "!=" else (e & ~nan)
    return f"({a} {sign} {b})", certain(e, p, q)


def certain(e, *operands):
    """A comparison that is false where an operand is missing."""
    missing = pl.any_horizontal([operand.is_null() for operand in operands])
    return pl.when(missing).then(False).otherwise(e)


def whole_range(d):
    """Between two numbers, which may be missing, or not."""
    (a, p), (b, q), (c, s) = whole(d), whole(d), whole(d)
    if r.random() < 0.5:
        return f"({a} between {b} and {c})", certain((p >= q) & (p <= s), p, q, s)
    return f"({a} not between {b} and {c})", certain((p < q) | (p > s), p, q, s)


def truth(d):
    if d == 0:
        return r.choice([("flag", pl.col("flag")), ("true", pl.lit(True))])
    k = r.randrange(11)
    if k < 2:
        return compare(*real(d - 1), *real(d - 1), True)
    if k == 2:
        return compare(*whole(d - 1), *whole(d - 1), False)
    if k == 3:
        return compare(*text(d - 1), *text(d - 1), False)
    if k == 4:
        return compare(*time(d - 1), *time(d - 1), False)
    if k == 5:
        (a, p), (b, q) = truth(d - 1), truth(d - 1)
        return r.choice([(f"({a} and {b})", p & q), (f"({a} | {b})", p | q)])
    if k == 6:
        a, p = truth(d - 1)
        return f"(not {a})", ~p
    if k == 7:
        a, p = whole(d - 1)
        among = p.is_in([1, -3, 0, 7])
        return r.choice([(f"({a} in [1, -3, 0, 7])", certain(among, p)), (f"({a} not in [1, -3, 0, 7])", certain(~among, p))])
    if k == 8:
        a, p = text(d - 1)
        return r.choice([(f"contains({a}, 'e')", p.str.contains("e")), (f"startswith({a}, 'a')", p.str.starts_with("a")),
                         (f"endswith({a}, 'e')", p.str.ends_with("e")), (f"{a}.str.contains('^[a-z]+$')", p.str.contains("^[a-z]+$"))])
    if k == 9:
        return whole_range(d - 1)
    a, p = real(d - 1)
    return r.choice([(f"ismissing({a})", p.is_null()), (f"isnan({a})", p.is_nan().fill_null(False))])


def text(d):
    if d == 0:
        return r.choice([("name", pl.col("name")), ("'a'", pl.lit("a"))])
    a, p = text(d - 1)
    k = r.randrange(6)
    if k == 0:
        return f"lower({a})", p.str.to_lowercase()
    if k == 1:
        return f"upper({a})", p.str.to_uppercase()
    if k == 2:
        return f"slice({a}, 1, 3)", p.str.slice(1, 2)
    if k == 3:
        b, q = text(d - 1)
        return f"({a} + {b})", p + q
    if k == 4:
        return f"replace({a}, 'e', 'É')", p.str.replace_all("e", "É", literal=True)
    return f"strip({a}, 'a')", p.str.strip_chars("a")


def time(d):
    if d == 0:
        return r.choice([("t", pl.col("t")), ("2015-01-31T12:00", pl.lit(datetime.datetime(2015, 1, 31, 12)).cast(pl.Datetime("us")))])
    a, p = time(d - 1)
    k = r.randrange(3)
    if k == 0:
        b, every = r.choice([("h", "1h"), ("D", "1d"), ("W", "1w"), ("M", "1mo"), ("Q", "1q"), ("Y", "1y"), ("15 min", "15m")])
        return f"dt_floor({a}, '{b}')", p.dt.truncate(every)
    if k == 1:
        return f"({a} + hours(3))", p + pl.duration(hours=3)
    return a, p


def cell(v):
    if isinstance(v, float):
        return repr(v)
    if isinstance(v, datetime.datetime):
        return v.isoformat()
    return v if v is None or isinstance(v, (bool, str)) else str(v)


df.write_ipc(out / "table.arrow", compression="uncompressed", compat_level=pl.CompatLevel.oldest())
cases = [r.choice([real, whole, truth, text, time])(r.randint(1, 4)) for _ in range(count)]
with open(out / "cases.json", "w") as file:
    for i in range(0, count, 250):
        part = cases[i:i + 250]
        found = df.select(pl.repeat(0, ROWS).alias("rows"), *[e.alias(str(n)) for n, (_, e) in enumerate(part)])
        for n, (source, _) in enumerate(part):
            values = found[str(n)]
            kind = "real" if values.dtype == pl.Float64 else "other"
            json.dump({"text": source, "kind": kind, "values": [cell(v) for v in values]}, file)
            file.write("\n")
