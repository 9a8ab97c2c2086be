//! Which names a text uses, and the text with one of them changed.

use super::print::quote_name;
use super::token::{Token, tokens};
use std::ops::Range;

/// Whether `text` names the column or variable `name`. A text that cannot be split into words names nothing.
pub fn mentions(text: &str, name: &str) -> bool {
    !places(text, name).is_empty()
}

/// `text` with the column or variable `from` called `to` wherever it is named; functions, methods and texts
/// in quotes of that name stay.
pub fn renamed(text: &str, from: &str, to: &str) -> String {
    let mut out = text.to_owned();
    for place in places(text, from).into_iter().rev() {
        out.replace_range(place, &quote_name(to));
    }
    out
}

/// Where `text` names a column or variable.
fn places(text: &str, name: &str) -> Vec<Range<usize>> {
    let tokens = tokens(text).unwrap_or_default();
    let is_symbol = |at: Option<usize>, symbol| {
        at.and_then(|at| tokens.get(at)).is_some_and(|(token, _)| *token == Token::Symbol(symbol))
    };
    let names = tokens.iter().enumerate().filter(|(at, (token, _))| match token {
        Token::Quoted(quoted) => quoted == name,
        Token::Name(word) if quote_name(word) == word.as_str() => {
            word == name && !is_symbol(at.checked_sub(1), ".") && !is_symbol(Some(at + 1), "(")
        }
        _ => false,
    });
    names.map(|(_, (_, place))| place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{mentions, renamed};

    #[test]
    fn a_name_is_changed_where_it_names_a_column_and_nowhere_else() {
        let text = "speed + `speed` * t.speed + speed(speed, 'speed') and speedy in [speed]";
        let expected = "v + v * t.speed + speed(v, 'speed') and speedy in [v]";
        assert_eq!(renamed(text, "speed", "v"), expected);
        assert_eq!(renamed("x > 1", "x", "odd name"), "`odd name` > 1");
        assert_eq!(renamed("`a``b` / 2", "a`b", "in"), "`in` / 2");
        assert_eq!(renamed("x + 'open", "x", "y"), "x + 'open", "what is no expression stays");
        assert!(mentions("x.sqrt()", "x") && !mentions("x.sqrt()", "sqrt"));
        assert!(!mentions("not y", "not"));
    }
}
