//! Words of the language, and some that are none, for texts made at random.

/// Columns of [`table`](super::table), operators, values, halves of quotes.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "x", "f", "i", "l", "u", "flag", "name", "kind", "t", "z", "wait", "`odd name`", "`and`", "+", "-",
    "*", "/", "//", "%", "**", "^", "<", "<=", "==", "!=", "and", "or", "not", "&&", "||", "!", "&", "|",
    "~", "in", "between", "like", "is", "null", "nan", "inf", "pi", "true", "if", "else", "sqrt", "hash",
    "lower", "(", ")", "[", "]", ",", ".", ".str.", ".dt.", ".dt.hour", "'", "\"", "`", "'a'", "\"é\"",
    "2015-01-31", "2015-01-31T12:00", "0", "1", "2.5", "1e309", "0x", "9223372036854775808", "é", "\0",
    " if x else ",
];
