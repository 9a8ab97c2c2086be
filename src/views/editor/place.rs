//! Where in a measure the cursor is: among aggregates, in the brackets of one, or in a condition.

use crate::aggregate::Aggregate;

/// What is typed at the cursor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// A name outside of all aggregates, from this byte on.
    Outside(usize),
    /// An expression over columns, from this byte on.
    Inside(usize),
}

/// A bracket that is open, or the text around all brackets.
#[derive(Clone, Copy)]
struct Open {
    /// The aggregate it belongs to.
    aggregate: Option<&'static Aggregate>,
    /// Where the part after the last comma begins.
    part: usize,
    /// Commas before the cursor.
    argument: usize,
    /// Whether the part is a condition.
    condition: bool,
}

/// The place of byte `cursor` of `text`, and the aggregate in whose brackets it is with the argument.
pub(super) fn place(text: &str, cursor: usize) -> (Place, Option<(&'static Aggregate, usize)>) {
    let whole = Open { aggregate: None, part: 0, argument: 0, condition: false };
    let mut open = vec![whole];
    let mut word = 0;
    let mut quote = None;
    for (i, c) in text[..cursor].char_indices() {
        let after = i + c.len_utf8();
        if let Some(opened) = quote {
            if c == opened {
                quote = None;
            }
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            continue;
        }
        let name = &text[word..i];
        word = after;
        let Some(here) = open.last_mut() else { continue };
        if name.eq_ignore_ascii_case("where") && here.aggregate.is_none() {
            (here.condition, here.part) = (true, i);
        }
        let is_inside = open.iter().any(|open| open.aggregate.is_some() || open.condition);
        match c {
            '\'' | '"' | '`' => quote = Some(c),
            '(' | '[' => {
                let aggregate = Aggregate::named(name).filter(|_| c == '(' && !is_inside);
                open.push(Open { aggregate, part: after, ..whole });
            }
            ')' | ']' if open.len() > 1 => {
                open.pop();
            }
            ',' => {
                if let Some(here) = open.last_mut() {
                    *here = Open { part: after, argument: here.argument + 1, condition: false, ..*here };
                }
            }
            _ => {}
        }
    }
    let inside = open.iter().find(|open| open.aggregate.is_some() || open.condition);
    let call = open.iter().find_map(|open| Some((open.aggregate?, open.argument)));
    (inside.map_or(Place::Outside(word), |open| Place::Inside(open.part)), call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_among_aggregates_in_one_or_in_a_condition() {
        let at = |text: &str| {
            let (place, call) = place(text, text.len());
            (place, call.map(|(aggregate, argument)| (aggregate.name, argument)))
        };
        assert_eq!(at("me"), (Place::Outside(0), None));
        assert_eq!(at("mean(far"), (Place::Inside(5), Some(("mean", 0))));
        assert_eq!(at("cov(sqrt(x, y), z"), (Place::Inside(15), Some(("cov", 1))));
        assert_eq!(at("sum(x) / su"), (Place::Outside(9), None));
        assert_eq!(at("sum(x) where y"), (Place::Inside(12), None));
        assert_eq!(at("(sum(x) where y) / co"), (Place::Outside(19), None));
        assert_eq!(at("sqrt(me"), (Place::Outside(5), None));
        assert_eq!(at("count where f(a, b"), (Place::Inside(11), None));
        assert_eq!(at("mean(`a(b` + c"), (Place::Inside(5), Some(("mean", 0))));
        assert_eq!(at("sum(x)) + "), (Place::Outside(10), None));
    }
}
