//! Ticks and their labels.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use outcrop::data::ticks::{labels, log_labels, log_ticks, ticks, time_context, time_ticks};

fn ns(text: &str) -> i64 {
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap();
    time.and_utc().timestamp_nanos_opt().unwrap()
}

fn texts(lo: &str, hi: &str, target: usize) -> Vec<String> {
    time_ticks(ns(lo), ns(hi), target).into_iter().map(|(_, label)| label).collect()
}

#[test]
fn number_ticks_are_exact_multiples() {
    assert_eq!(ticks(0.0, 1.0, 10), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
    assert_eq!(ticks(-3.0, 3.0, 4), [-2.0, 0.0, 2.0]);
    assert_eq!(ticks(3.0, -3.0, 6), [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]);
    assert_eq!(ticks(0.0, 326_000.0, 3), [0.0, 100_000.0, 200_000.0, 300_000.0]);
}

#[test]
fn ticks_of_odd_ranges_stay_inside_and_ascend() {
    let cases = [
        (0.0, 1e-300),
        (-1e300, 1e300),
        (99_999_996.5, 100_000_003.2),
        (1e18, 1e18 + 1024.0),
        (5e-324, 1e-320),
        (-0.7, 0.1),
    ];
    for (lo, hi) in cases {
        for target in [0, 1, 2, 5, 9, 100] {
            let found = ticks(lo, hi, target);
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{lo} {hi} {target}: {found:?}");
            let slack = (hi - lo) * 1e-9;
            assert!(
                found.iter().all(|t| *t >= lo - slack && *t <= hi + slack),
                "{lo} {hi} {target}: {found:?}"
            );
            assert_eq!(labels(&found).len(), found.len());
        }
    }
    assert!(ticks(f64::NAN, 1.0, 5).is_empty());
    assert!(ticks(0.0, f64::INFINITY, 5).is_empty());
    assert_eq!(ticks(2.0, 2.0, 5), [2.0]);
    assert!(ticks(-f64::MAX, f64::MAX, 5).is_empty());
}

#[test]
fn the_number_of_ticks_is_near_the_target() {
    let mut range = 1e-6;
    while range < 1e12 {
        for target in 3..12 {
            let count = ticks(0.1 * range, 1.1 * range, target).len();
            assert!(count * 2 + 1 >= target && count <= target * 2 + 1, "{range} {target}: {count}");
        }
        range *= 1.37;
    }
}

#[test]
fn labels_share_a_prefix_and_tell_ticks_apart() {
    assert_eq!(labels(&[0.0, 0.5, 1.0]), ["0", "0.5", "1.0"]);
    assert_eq!(labels(&[0.0, 500_000.0, 1_000_000.0]), ["0", "0.5\u{2009}M", "1.0\u{2009}M"]);
    assert_eq!(labels(&[10_000.0, 20_000.0]), ["10\u{2009}k", "20\u{2009}k"]);
    assert_eq!(labels(&[0.0, 2000.0, 4000.0]), ["0", "2000", "4000"]);
    assert_eq!(
        labels(&[99_999_998.0, 99_999_999.0]),
        ["99\u{2009}999\u{2009}998", "99\u{2009}999\u{2009}999"]
    );
    assert_eq!(labels(&[-2.0, 0.0]), ["\u{2212}2", "0"]);
    assert_eq!(labels(&[1e-7, 2e-7]), ["1e-7", "2e-7"]);
    assert_eq!(labels(&[0.0]), ["0"]);
    assert!(labels(&[]).is_empty());
    let close = ticks(99_999_996.5, 100_000_003.2, 6);
    let texts: std::collections::HashSet<String> = labels(&close).into_iter().collect();
    assert_eq!(texts.len(), close.len());
}

#[test]
fn log_ticks_are_decades_with_2_and_5_where_there_is_room() {
    assert_eq!(log_ticks(1.0, 1e6, 6), [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6]);
    assert_eq!(log_ticks(1.0, 100.0, 6), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
    assert_eq!(log_ticks(1e-3, 1e9, 4), [1e-3, 1.0, 1e3, 1e6, 1e9]);
    assert_eq!(log_ticks(2.0, 4.0, 4), ticks(2.0, 4.0, 4));
    assert!(log_ticks(0.0, 10.0, 4).is_empty());
    assert_eq!(log_labels(&[0.001, 1000.0]), ["0.001", "1\u{2009}k"]);
}

#[test]
fn time_ticks_follow_the_calendar() {
    assert_eq!(
        texts("2015-01-01 00:00:00", "2015-12-31 00:00:00", 6),
        ["2015-01", "2015-03", "2015-05", "2015-07", "2015-09", "2015-11"]
    );
    assert_eq!(
        texts("1999-06-01 00:00:00", "2020-01-02 00:00:00", 5),
        ["2000", "2005", "2010", "2015", "2020"]
    );
    assert_eq!(
        texts("2020-02-27 00:00:00", "2020-03-02 00:00:00", 5),
        ["2020-02-27", "2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02"]
    );
    assert_eq!(
        texts("2020-01-01 18:00:00", "2020-01-02 06:00:00", 4),
        ["18:00", "21:00", "2020-01-02", "03:00", "06:00"]
    );
    assert_eq!(texts("2020-01-01 10:00:00", "2020-01-01 10:00:00.0004", 4).last().unwrap(), "10:00:00.0004");
    let mondays = time_ticks(ns("2020-01-01 00:00:00"), ns("2020-02-10 00:00:00"), 6);
    assert_eq!(mondays[0].1, "2020-01-06");
    assert_eq!(mondays.len(), 6);
}

#[test]
fn the_date_is_said_where_no_label_says_it() {
    let (lo, hi) = (ns("2020-01-01 10:00:00"), ns("2020-01-01 12:00:00"));
    assert_eq!(time_context(lo, hi, 5).unwrap(), "2020-01-01");
    assert_eq!(time_context(ns("2020-01-01 10:00:00"), ns("2020-01-02 12:00:00"), 5), None);
    assert_eq!(time_context(ns("2020-01-01 10:00:00"), ns("2023-01-02 12:00:00"), 5), None);
}

#[test]
fn time_ticks_at_the_ends_of_time_do_not_overflow() {
    for (lo, hi) in
        [(i64::MIN, i64::MAX), (i64::MAX - 10, i64::MAX), (i64::MIN, i64::MIN + 10), (0, 0), (5, -5)]
    {
        for target in [0, 1, 5, 50] {
            let found = time_ticks(lo, hi, target);
            assert!(found.iter().all(|(ns, _)| *ns >= lo.min(hi) && *ns <= lo.max(hi)));
            assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
    assert!(time_ticks(i64::MIN, i64::MAX, 5).len() >= 2);
}
