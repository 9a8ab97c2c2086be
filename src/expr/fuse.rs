//! Which calls on reals are evaluated together, block by block.

use std::collections::HashMap;

use arrow::array::Array;
use arrow::datatypes::DataType;

use super::fused::{Fused, Operation, Place, is_loadable};
use super::program::Step;
use crate::kernel::float::{self, Float};

/// A function of two, the one of its value alone that follows it, and both in one loop. What is multiplied by itself is
/// squared.
const JOINED: [(&str, &str, Float); 8] = [
    ("add", "multiply", float::ADD_SQUARED),
    ("subtract", "multiply", float::SUBTRACT_SQUARED),
    ("multiply", "multiply", float::MULTIPLY_SQUARED),
    ("divide", "multiply", float::DIVIDE_SQUARED),
    ("add", "sqrt", float::ADD_ROOT),
    ("subtract", "sqrt", float::SUBTRACT_ROOT),
    ("multiply", "sqrt", float::MULTIPLY_ROOT),
    ("divide", "sqrt", float::DIVIDE_ROOT),
];

/// Joins calls on reals of one width: a call whose value only such a call wants becomes part of it.
pub(super) fn fuse(mut steps: Vec<Step>, types: &[DataType], outputs: &[(usize, DataType)]) -> Vec<Step> {
    let is_fusable = |i: usize| match &steps[i] {
        Step::Call { function, arguments, output } => {
            matches!(output, DataType::Float32 | DataType::Float64)
                && arguments.iter().all(|a| types[*a] == *output)
                && arguments.iter().all(|a| !matches!(&steps[*a], Step::Constant(array) if array.is_null(0)))
                && function.float.is_some_and(|f| {
                    matches!((f, arguments.len()), (Float::Unary(..), 1) | (Float::Binary(..), 2))
                })
        }
        _ => false,
    };
    // Conversions of numbers are part of loading them.
    let is_load = |i: usize| matches!(&steps[i], Step::Cast(of, _) if is_loadable(&types[*of]) && is_loadable(&types[i]));
    /// Who wants a value: nobody yet, one root, or more.
    #[derive(Clone, Copy, PartialEq)]
    enum Wanted {
        No,
        ByRoot(usize),
        Widely,
    }
    let mut wanted = vec![Wanted::No; steps.len()];
    for (output, _) in outputs {
        wanted[*output] = Wanted::Widely;
    }
    for i in (0..steps.len()).rev() {
        let root = match wanted[i] {
            Wanted::ByRoot(root) if is_fusable(i) && types[root] == types[i] => Some(root),
            _ if is_fusable(i) => {
                wanted[i] = Wanted::Widely;
                Some(i)
            }
            _ => None,
        };
        for argument in steps[i].needs() {
            wanted[*argument] = match (wanted[*argument], root) {
                (Wanted::No, Some(root)) => Wanted::ByRoot(root),
                (Wanted::ByRoot(known), Some(root)) if known == root => Wanted::ByRoot(root),
                _ => Wanted::Widely,
            };
        }
    }
    let belongs =
        |i: usize, root: usize| wanted[i] == Wanted::ByRoot(root) && is_fusable(i) && types[i] == types[root];
    let mut replacements = Vec::new();
    for root in (0..steps.len()).filter(|i| is_fusable(*i) && wanted[*i] == Wanted::Widely) {
        let mut builder = Builder { inputs: Vec::new(), operations: Vec::new(), places: HashMap::new() };
        for i in (0..=root).filter(|i| *i == root || belongs(*i, root)) {
            let Step::Call { function, arguments, .. } = &steps[i] else { continue };
            let Some(float) = &function.float else { continue };
            let places: Vec<Place> = arguments
                .iter()
                .map(|a| {
                    let of = match &steps[*a] {
                        Step::Cast(of, _) if is_load(*a) => *of,
                        _ => *a,
                    };
                    builder.place(*a, of)
                })
                .collect();
            let register = builder.operations.len();
            if let Some(next) = operation(float, places.len(), &mut places.into_iter(), register) {
                builder.operations.push((function.name, next));
                builder.places.insert(i, Place::Register(register));
            }
            if i != root {
                replacements.push((i, Step::Inside));
            }
        }
        let (operations, registers) = with_few_registers(joined(builder.operations));
        let fused = Fused { inputs: builder.inputs, operations, registers, data_type: types[root].clone() };
        replacements.push((root, Step::Fused(fused)));
    }
    for (i, step) in replacements {
        steps[i] = step;
    }
    drop_unused(&mut steps, outputs);
    steps
}

struct Builder {
    inputs: Vec<usize>,
    /// With their functions' names; the result of each is in the register of its number.
    operations: Vec<(&'static str, Operation)>,
    places: HashMap<usize, Place>,
}

impl Builder {
    /// Where the value of step `step` is found, taken from step `of` if it is not computed here.
    fn place(&mut self, step: usize, of: usize) -> Place {
        if let Some(place) = self.places.get(&step) {
            return *place;
        }
        let place = Place::Input(self.inputs.iter().position(|i| *i == of).unwrap_or_else(|| {
            self.inputs.push(of);
            self.inputs.len() - 1
        }));
        self.places.insert(step, place);
        place
    }
}

/// The registers an operation reads.
fn reads(operation: &Operation) -> Vec<usize> {
    let places = match operation {
        Operation::Unary(_, a, _) => vec![*a],
        Operation::Binary(_, a, b, _) => vec![*a, *b],
    };
    places.into_iter().filter_map(|p| if let Place::Register(i) = p { Some(i) } else { None }).collect()
}

/// The same operation, on the registers that `held` names in place of its own, and for register `to`.
fn moved(operation: Operation, held: &[usize], to: usize) -> Operation {
    let moved = |place: Place| match place {
        Place::Register(i) => Place::Register(held[i]),
        other => other,
    };
    match operation {
        Operation::Unary(f, a, _) => Operation::Unary(f, moved(a), to),
        Operation::Binary(f, a, b, _) => Operation::Binary(f, moved(a), moved(b), to),
    }
}

/// Makes one operation of two that have a loop of their own, where nothing else wants the value between them.
fn joined(operations: Vec<(&'static str, Operation)>) -> Vec<Operation> {
    let mut wanted = vec![0; operations.len()];
    operations.iter().flat_map(|(_, operation)| reads(operation)).for_each(|register| wanted[register] += 1);
    let (mut held, mut out): (Vec<usize>, Vec<(&str, Operation)>) = Default::default();
    for (name, operation) in operations {
        let only = match (&operation, &reads(&operation)[..]) {
            (Operation::Unary(..), &[of]) if wanted[of] == 1 => Some(held[of]),
            (Operation::Binary(..), &[of, again]) if of == again && wanted[of] == 2 => Some(held[of]),
            _ => None,
        };
        let both =
            only.and_then(|of| JOINED.iter().find(|(first, then, _)| (*first, *then) == (out[of].0, name)));
        if let (Some(of), Some((_, _, both))) = (only, both)
            && let (before, Operation::Binary(float, ..)) = &mut out[of]
        {
            (*before, *float) = ("", *both);
            held.push(of);
            continue;
        }
        let to = out.len();
        out.push((name, moved(operation, &held, to)));
        held.push(to);
    }
    out.into_iter().map(|(_, operation)| operation).collect()
}

/// Gives each result a register that no later operation still reads.
fn with_few_registers(operations: Vec<Operation>) -> (Vec<Operation>, usize) {
    let mut last_read = vec![0; operations.len()];
    for (n, operation) in operations.iter().enumerate() {
        for value in reads(operation) {
            last_read[value] = n;
        }
    }
    let mut held: Vec<usize> = Vec::new();
    let (mut free, mut count) = (Vec::new(), 0);
    let mut out = Vec::with_capacity(operations.len());
    for (n, operation) in operations.into_iter().enumerate() {
        let to = free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        });
        let mut freed = reads(&operation);
        freed.dedup();
        freed.retain(|value| last_read[*value] == n);
        out.push(moved(operation, &held, to));
        free.extend(freed.into_iter().map(|value| held[value]));
        held.push(to);
    }
    (out, count)
}

/// Leaves out steps that only fused steps wanted.
fn drop_unused(steps: &mut [Step], outputs: &[(usize, DataType)]) {
    let mut used = vec![false; steps.len()];
    for (output, _) in outputs {
        used[*output] = true;
    }
    for i in (0..steps.len()).rev() {
        if !used[i] {
            steps[i] = Step::Inside;
            continue;
        }
        for &needed in steps[i].needs() {
            used[needed] = true;
        }
    }
}

/// The operation of a function with so many arguments, if it has one for reals.
pub(super) fn operation(
    float: &Float,
    count: usize,
    places: &mut dyn Iterator<Item = Place>,
    register: usize,
) -> Option<Operation> {
    match (float, count) {
        (Float::Unary(..), 1) => Some(Operation::Unary(*float, places.next()?, register)),
        (Float::Binary(..), 2) => Some(Operation::Binary(*float, places.next()?, places.next()?, register)),
        _ => None,
    }
}
