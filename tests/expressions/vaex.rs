//! Names and answers of Vaex.

use outcrop::expr::function;

use super::table;

/// What Vaex 4.19 registers, apart from `str_pandas_…`, the second names of `str_…`.
const NAMES: &str = "_choose _choose_masked _map _ordinal_values array_sum list_sum getitem abs arccos arccosh arcsin arcsinh arctan arctan2 \
    arctanh as_arrow as_numpy astype clip cos cosh deg2rad digitize dt_date dt_day dt_day_name dt_dayofweek \
    dt_dayofyear dt_floor dt_halfyear dt_hour dt_is_leap_year dt_minute dt_month dt_month_name dt_quarter dt_second \
    dt_strftime dt_weekofyear dt_year exp expm1 fillmissing fillna fillnan float format hashmap_apply isfinite isin \
    isin_set isinf ismissing isna isnan log log10 log1p maximum minimum notmissing notna notnan rad2deg round \
    scalar_datetime scalar_timedelta searchsorted sin sinc sinh sqrt str_byte_length str_capitalize str_cat \
    str_center str_contains str_count str_endswith str_equals str_extract_regex str_find str_get str_index \
    str_isalnum str_isalpha str_isdigit str_islower str_isspace str_istitle str_isupper str_len str_ljust str_lower \
    str_lstrip str_match str_notequals str_pad str_repeat str_replace str_rfind str_rindex str_rjust str_rsplit \
    str_rstrip str_slice str_split str_startswith str_strip str_title str_upper str_zfill tan tanh td_days \
    td_microseconds td_nanoseconds td_seconds td_total_seconds to_string where inside_polygon inside_polygons \
    inside_which_polygon inside_which_polygons struct_get struct_project str_join stack dot_product index_values";

#[test]
fn every_name_of_vaex_is_known() {
    for name in NAMES.split_whitespace() {
        let found = function(name).unwrap_or_else(|| panic!("{name}"));
        if let Some(rest) = name.strip_prefix("str_") {
            assert_eq!(function(&format!("str_pandas_{rest}")).unwrap().name, found.name);
        }
    }
    // With `nan` and `np`, which are no functions, these are all of its names.
    let texts = NAMES.split_whitespace().filter(|name| name.starts_with("str_")).count();
    assert_eq!(NAMES.split_whitespace().count() + texts + 2, 174);
}

#[test]
fn what_vaex_answers_wrongly_is_right_here() {
    let t = table();
    assert_eq!(t.values("i + i").split(' ').next(), Some("4294967294"));
    assert_eq!(t.values("`odd name`.isin([1.5])"), "false false false false false");
    assert_eq!(t.values("1 < `odd name` < 4"), "false true true false false");
    assert_eq!(t.values("x > 1 & i < 2"), "false false false true false");
    assert_eq!(t.values("x > 1 and i < 2 or flag"), "true false true true -");
}

#[test]
fn habits_of_vaex_and_pandas_work() {
    let t = table();
    for text in [
        "(x > 10) & (i == 1)",
        "x.sqrt() + np.log(x)",
        "name.str.lower().str.contains('a')",
        "t.dt.strftime('%Y')",
        "t.dt.floor('D')",
        "x.fillna(0)",
        "x.astype('int64')",
        "name.isin(['a', 'b'])",
        "~name.isna()",
        "wait.td.total_seconds()",
        "x.clip(0, 1)",
        "(x**2 + f**2).sqrt()",
        "i.between(1, 2)",
    ] {
        t.parse(text);
    }
    assert_eq!(t.values("x.where(flag, 0)"), "1.5 0.0 NaN 0.0 0.0");
    assert_eq!(t.values("flag.where(x, 0)"), t.values("where(flag, x, 0)"));
}
