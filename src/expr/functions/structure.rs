//! Structures: columns that have several named values in every row, as Arrow files may.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::error::ArrowError;

use super::super::error::nearest;
use super::super::literal::Literal;
use super::super::tree::Expr;
use super::super::typing::{Mistake, Typing, describe, expect_literal};
use super::nested::LIST;
use super::{Arguments, Function};

/// The entries of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "struct_get",
        arity: (2, 2),
        signature: "struct_get(x, 'name')",
        doc: "A part of a structure, by its name or its place from 0; x.name is the same.",
        example: "struct_get(pair, 'a') = 7",
        types: |arguments| {
            let field = &parts(arguments)?[place(arguments, &expect_literal(arguments, 1, NAME)?)?];
            Typing::new(arguments.iter().map(|a| a.data_type().clone()).collect(), field.data_type().clone())
        },
        kernel: |a| {
            let structs = a.full(0)?;
            part(structs.as_struct(), a.array(1), 0)
        },
        ..LIST
    },
    Function {
        name: "struct_project",
        arity: (2, 2),
        signature: "struct_project(x, ['name', …])",
        doc: "A structure of some parts of another, by their names or their places from 0.",
        example: "struct_get(struct_project(pair, ['b', 'a']), 1) = 7",
        types: |arguments| {
            let fields = parts(arguments)?;
            let Literal::List(names) = expect_literal(arguments, 1, NAMES)? else {
                return Err(Mistake::at(1, format!("{NAMES} is expected here, as ['a', 'b']")));
            };
            let chosen = names.iter().map(|name| Ok(fields[place(arguments, name)?].clone()));
            let chosen: Fields = chosen.collect::<Result<Vec<_>, _>>()?.into();
            if chosen.is_empty() {
                return Err(Mistake::at(1, "the name of a part is expected here"));
            }
            Typing::new(arguments.iter().map(|a| a.data_type().clone()).collect(), DataType::Struct(chosen))
        },
        kernel: projected,
        ..LIST
    },
];

const NAME: &str = "the name of a part";
const NAMES: &str = "the list of names";

/// The parts of the structure that the first argument is.
pub(in super::super) fn fields(structure: &DataType) -> Option<&Fields> {
    match structure {
        DataType::Struct(fields) => Some(fields),
        _ => None,
    }
}

fn parts(arguments: &[Expr]) -> Result<&Fields, Mistake> {
    let found = arguments[0].data_type();
    fields(found)
        .ok_or_else(|| Mistake::at(0, format!("a structure is expected here, not {}", describe(found))))
}

/// Which part of the structure is meant.
fn place(arguments: &[Expr], name: &Literal) -> Result<usize, Mistake> {
    let fields = parts(arguments)?;
    let known = || {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        names.join(", ")
    };
    match name {
        Literal::Text(name) => match &places(fields, name)[..] {
            [place] => Ok(*place),
            [] => Err(Mistake {
                suggestion: nearest(name, fields.iter().map(|field| field.name().as_str()))
                    .map(|found| Literal::Text(found.to_owned()).to_string()),
                ..Mistake::at(1, format!("this structure has no part {name}, only {}", known()))
            }),
            [first, ..] => Err(Mistake::at(
                1,
                format!(
                    "several parts of this structure are called {name}; by its place the first is {first}"
                ),
            )),
        },
        Literal::Int(place) => {
            usize::try_from(*place).ok().filter(|place| *place < fields.len()).ok_or_else(|| {
                Mistake::at(1, format!("this structure has no part {place}; from 0 on they are {}", known()))
            })
        }
        _ => Err(Mistake::at(1, format!("{NAME} is expected here, one of {}", known()))),
    }
}

fn places(fields: &Fields, name: &str) -> Vec<usize> {
    fields.iter().enumerate().filter(|(_, field)| field.name() == name).map(|(place, _)| place).collect()
}

/// The part that value `i` of `names` names, missing where its structure is.
fn part(structs: &StructArray, names: &ArrayRef, i: usize) -> Result<ArrayRef, ArrowError> {
    let unknown = || ArrowError::InvalidArgumentError("a structure has no such part".to_owned());
    let place = match names.data_type() {
        DataType::Int64 => usize::try_from(names.as_primitive::<arrow::datatypes::Int64Type>().value(i)).ok(),
        DataType::Utf8 => places(structs.fields(), names.as_string::<i32>().value(i)).first().copied(),
        _ => None,
    };
    let values = structs.columns().get(place.ok_or_else(unknown)?).ok_or_else(unknown)?;
    match structs.nulls() {
        Some(nulls) => nullif(values, &BooleanArray::new(!nulls.inner(), None)),
        None => Ok(values.clone()),
    }
}

fn projected(a: &Arguments) -> Result<ArrayRef, ArrowError> {
    let structs = a.full(0)?;
    let structs = structs.as_struct();
    let names = a.array(1).as_list::<i32>().value(0);
    let values: Vec<ArrayRef> =
        (0..names.len()).map(|i| part(structs, &names, i)).collect::<Result<_, _>>()?;
    let nullable = |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_nullable(true));
    let fields = fields(a.output).map(|fields| fields.iter().map(nullable).collect()).unwrap_or_default();
    Ok(Arc::new(StructArray::try_new(fields, values, structs.nulls().cloned())?))
}
