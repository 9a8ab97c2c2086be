//! The language: text to a typed tree, the tree to a program over arrays.
//!
//! [`Expr::parse`] reads and types a text against a [`Schema`](crate::data::Schema) without reading a
//! byte of data; [`Program`] runs any number of expressions over the arrays of a chunk. Nothing here
//! knows files, rows or threads.
//!
//! # Grammar
//!
//! ```text
//! choice     = or [ "if" or "else" choice ]                     yes if condition else no
//! or         = and { ("or" | "||" | "|") and }
//! and        = not { ("and" | "&&" | "&") not }
//! not        = ("not" | "!" | "~") not | comparison
//! comparison = sum { ("<" | "<=" | ">" | ">=" | "==" | "=" | "!=" | "<>" | "≤" | "≥" | "≠") sum }
//!              { ["not"] ("in" sum | "between" sum "and" sum | "like" sum)
//!              | "is" ["not"] ("null" | "nan" | "true" | "false") }
//! sum        = product { ("+" | "-") product }
//! product    = sign { ("*" | "/" | "//" | "%") sign }
//! sign       = ("-" | "+" | "not" | "!" | "~") sign | power
//! power      = postfix [ ("**" | "^") sign ]                    right-associative: 2**3**2 = 2**9
//! postfix    = primary { "." name [ "(" [ items ] ")" ] }       x.sqrt(), name.str.lower(), t.dt.hour, structure.part
//! primary    = number | text | date | name | "`" any "`" | name "(" [ items ] ")"
//!            | "(" choice ")" | "[" [ items ] "]" | "(" choice "," [ items ] ")"
//! items      = [ name "=" ] choice { "," [ name "=" ] choice } [ "," ]          named as in the signature
//! number     = 12  1_000  0xff  0b11  0o17  1.5  .5  1e-6
//! text       = 'it''s'  "say \"yes\""           \n \t \r \0 \\ \' \"; other backslashes stay
//! date       = 2015-01-31  2015-01-31T12:00  2015-01-31T12:00:05.25Z  2015-01-31T12:00+02:00
//! ```
//!
//! `&` and `|` hold as loosely as `and` and `or`, so that `x > 1 & y < 2` means what it looks like. A
//! chain `a < b <= c` is `a < b and b <= c`, and `x between a and b` is `a <= x <= b`. Words of the
//! language may be written in capitals. A name is a column if there is one of that name, else a variable
//! of the schema, else one of `pi e inf nan`; a name that is no plain word stands in backticks, a backtick in it doubled.
//! `np.sqrt(x)` is `sqrt(x)`. A text beside a time is read as a date.
//!
//! # Types
//!
//! * Whole numbers are computed in `int64` whatever their width, in `uint64` if one of them is `uint64`
//!   and none can be negative; a difference of `uint64` is `int64`. Where a result does not fit it is
//!   missing: nothing wraps. `/` is real; `//` and `%` round down; by zero they are missing.
//! * Real numbers are computed in `float32` if one is `float32` and all others are `float32`, whole
//!   numbers of at most 16 bits, or written in the text; else in `float64`. `float64(x)` demands the
//!   latter from there on. A number too large or small for `float32` makes the result `float64`.
//! * True and false count as 1 and 0 in arithmetic.
//! * Comparisons of whole with real numbers and of times of different units are exact. A real number
//!   written beside a `float32` column is rounded to `float32`, as the column was.
//! * A date without an offset is read on the clock of the column it stands beside.
//!
//! # Missing and NaN
//!
//! Comparisons with a missing value are false, all of them: `==`, `!=`, `<`, `in`, `not in`, `between`, `not
//! between`. They are never missing themselves, so that `not (x > 1)` is true where x is missing and `x <= 1`
//! is not; whether a value is missing tells `x is null`. Everything else is missing where an argument is, but
//! `false and missing` is false and `true or missing` is true; a filter passes only rows where it is true.
//! Comparisons with NaN are false, but the negative ones (`!=`, `not in`, `not between`) are true. -0.0 equals
//! 0.0.

mod check;
mod compare;
mod complete;
mod domain;
mod error;
mod functions;
mod fuse;
mod fused;
mod literal;
mod named;
mod negated;
mod outer;
mod parse;
mod print;
mod program;
mod rename;
mod scalar;
mod token;
mod tree;
mod typing;

pub use complete::{Completion, CompletionKind, call_around, complete};
pub use error::{ExprError, nearest};
pub use functions::{Family, Function, Missing, function, functions};
pub use fused::Reals;
pub use named::parameters;
pub use outer::{Outer, OuterCall};
pub use print::quote_name;
pub use program::Program;
pub use rename::{mentions, renamed};
pub use scalar::{scalar, scalar_with};
pub use tree::Expr;
pub use typing::describe;
