//! Frames as pandas writes them by default (`DataFrame.to_hdf`, format "fixed").
//!
//! A group with the attribute `pandas_type="frame"`: `axis0` lists the columns, `axis1` is the index,
//! `block<i>_values` hold the columns of one type beside each other, `block<i>_items` their names.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::AsArray;
use hdf5_pure::{Dataset, Datatype};

use super::cell::Cell;
use super::column::{Column, Missing, Values};
use super::columns::{Attributes, Notes, broken};
use super::container::Container;
use super::fault::Fault;
use super::storage::DataSet;

/// Columns of one type a frame may have.
const MOST_COLUMNS: u64 = 1 << 20;

/// Whether these are the attributes of a frame.
pub(super) fn is_frame(attributes: &Attributes) -> bool {
    attributes.text("pandas_type") == Some("frame")
}

struct Part {
    data: Arc<DataSet>,
    cell: Result<Cell, String>,
}

fn open(
    container: &Arc<Container>,
    sets: &HashMap<&str, &Dataset>,
    path: &str,
    name: &str,
) -> Result<Option<Part>, Fault> {
    let Some(&dataset) = sets.get(name) else { return Ok(None) };
    let path = format!("{path}/{name}");
    let attributes = Attributes::of_dataset(dataset).map_err(broken(&path))?;
    let (data, datatype) = DataSet::open(container, dataset.clone(), &path)?;
    let cell = match &datatype {
        Datatype::Array { .. } | Datatype::Compound { .. } => {
            Err(format!("values of type {datatype} are not read"))
        }
        datatype => Cell::of(datatype, container),
    };
    let noted = attributes.text("value_type").or(attributes.text("kind"));
    let cell = cell.map(|cell| noted.and_then(|dtype| cell.noted_as(dtype)).unwrap_or(cell));
    Ok(Some(Part { data, cell }))
}

/// The columns of the frame whose group, at `path`, holds the data sets `sets`.
pub(super) fn columns_of_frame(
    container: &Arc<Container>,
    sets: &[(String, Dataset)],
    path: &str,
    attributes: &Attributes,
) -> Result<Vec<Column>, Fault> {
    let sets: HashMap<&str, &Dataset> = sets.iter().map(|(name, dataset)| (name.as_str(), dataset)).collect();
    let mut index = Vec::new();
    if let Some(Part { data, cell: Ok(cell) }) = open(container, &sets, path, "axis1")?
        && data.row_bytes() == cell.width()
    {
        let notes = Notes::of("axis1", &[]);
        index.push(notes.column(
            "index".to_owned(),
            Values::Cells { data, offset: 0, cell },
            Missing::Unmarked,
        ));
    }
    let mut columns = Vec::new();
    for block in 0..attributes.number("nblocks").unwrap_or(0) {
        let (values, items) = (format!("block{block}_values"), format!("block{block}_items"));
        let (Some(values), Some(items)) =
            (open(container, &sets, path, &values)?, open(container, &sets, path, &items)?)
        else {
            return Err(Fault::Damaged(format!("the frame {path} has no {values} or no {items}")));
        };
        let names = labels(container, &items)?;
        for (position, name) in names.into_iter().enumerate() {
            let notes = Notes::of(&name, &[]);
            columns.push(match &values.cell {
                Ok(cell) if values.data.inner() == [items.data.rows()] => {
                    let offset = position * cell.width();
                    let values = Values::Cells { data: values.data.clone(), offset, cell: cell.clone() };
                    notes.column(name, values, Missing::Unmarked)
                }
                Ok(_) => notes.unreadable(&name, &format!("{} has another shape", values.data.path())),
                Err(reason) => notes.unreadable(&name, &format!("{}: {reason}", values.data.path())),
            });
        }
    }
    if let Some(axis) = open(container, &sets, path, "axis0")? {
        let names = labels(container, &axis)?;
        let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
        columns.sort_by_key(|column| places.get(column.name.as_str()).copied());
    }
    index.extend(columns);
    Ok(index)
}

/// The names in a data set of labels.
fn labels(container: &Container, part: &Part) -> Result<Vec<String>, Fault> {
    let (data, rows) = (&part.data, part.data.rows());
    let damaged =
        |reason: &str| Fault::Damaged(format!("the labels {} cannot be read: {reason}", data.path()));
    let cell = part.cell.as_ref().map_err(|reason| damaged(reason))?;
    if rows > MOST_COLUMNS || data.row_bytes() != cell.width() {
        return Err(damaged("there are too many, or of another shape"));
    }
    let bytes = data.read(0..rows).map_err(|reason| damaged(&reason))?;
    let array = cell.array(&bytes, rows as usize, None, container).map_err(|reason| damaged(&reason))?;
    match array.as_string_opt::<i64>() {
        Some(texts) => Ok(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect()),
        None => {
            let integers = cell.is_integer().then(|| cell.integers(&bytes, rows as usize));
            let integers = integers.ok_or_else(|| damaged("they are neither text nor numbers"))?;
            Ok(integers.map_err(|reason| damaged(&reason))?.iter().map(i64::to_string).collect())
        }
    }
}
