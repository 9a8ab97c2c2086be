//! From groups and data sets to columns: the layouts of Vaex and of plain files.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use hdf5_pure::{AttrValue, Dataset, Datatype, Group};

use super::Stop;
use super::cell::Cell;
use super::column::{Column, Missing, Values};
use super::container::Container;
use super::fault::Fault;
use super::storage::DataSet;
use crate::task::Task;

/// Elements of a row that become a column each; of more, the row is one list.
const MOST_COLUMNS_PER_ROW: u64 = 256;
/// Levels of records within records.
const DEEPEST_RECORD: usize = 8;
/// Levels of dictionaries within dictionaries.
const DEEPEST_DICTIONARY: usize = 2;

/// What the attributes of a group or data set say.
#[derive(Default)]
pub(super) struct Attributes(HashMap<String, AttrValue>);

impl Attributes {
    /// Those of a group.
    pub(super) fn of_group(group: &Group) -> Result<Attributes, hdf5_pure::Error> {
        group.attrs().map(Attributes)
    }

    /// Those of a data set.
    pub(super) fn of_dataset(dataset: &Dataset) -> Result<Attributes, hdf5_pure::Error> {
        dataset.attrs().map(Attributes)
    }

    /// The text of one of them.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.as_str()?.trim_end_matches('\0');
        (!text.is_empty()).then_some(text)
    }

    /// The number of one of them.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }
}

/// What is said of a column beside its values.
#[derive(Clone, Default)]
pub(super) struct Notes {
    part: String,
    alias: Option<String>,
    unit: Option<String>,
    description: Option<String>,
}

impl Notes {
    /// From the attributes of the parts of the column that the file calls `part`.
    pub(super) fn of(part: &str, sources: &[&Attributes]) -> Notes {
        let find =
            |name: &str| sources.iter().find_map(|attributes| attributes.text(name)).map(str::to_owned);
        let description = match (find("description"), find("ucd")) {
            (Some(description), Some(ucd)) => Some(format!("{description} (ucd: {ucd})")),
            (None, Some(ucd)) => Some(format!("ucd: {ucd}")),
            (description, None) => description,
        };
        let unit = find("unit").filter(|unit| unit != "None").or_else(|| find("units").map(amuse_unit));
        Notes { part: part.to_owned(), alias: find("alias"), unit, description }
    }

    /// A column of that note.
    pub(super) fn column(&self, name: String, values: Values, missing: Missing) -> Column {
        let part = self.part.clone();
        Column { name, part, unit: self.unit.clone(), description: self.description.clone(), values, missing }
    }

    /// A column that is not read, and why.
    pub(super) fn unreadable(&self, name: &str, reason: &str) -> Column {
        let mut notes = self.clone();
        notes.description = Some(match &self.description {
            Some(description) => format!("not read: {reason}; {description}"),
            None => format!("not read: {reason}"),
        });
        notes.column(
            self.alias.clone().unwrap_or_else(|| name.to_owned()),
            Values::Unreadable { only_library: false },
            Missing::Unmarked,
        )
    }

    /// A column whose data set is sound but of a kind that is not read.
    fn not_served(&self, name: &str, fault: Fault) -> Result<Column, Fault> {
        let only_library = match fault {
            Fault::Unsupported(_) => false,
            Fault::OnlyLibrary(_) => true,
            Fault::Damaged(_) => return Err(fault),
        };
        let column = self.unreadable(name, &fault.to_string());
        Ok(Column { values: Values::Unreadable { only_library }, ..column })
    }
}

/// The units AMUSE writes out as Python expressions, in short.
fn amuse_unit(unit: String) -> String {
    let short = unit.replace("system.get('S.I.').base('length')", "m");
    let short = short
        .replace("system.get('S.I.').base('time')", "s")
        .replace("system.get('S.I.').base('mass')", "kg");
    match short.as_str() {
        "(m * (s**-1))" => "m/s".to_owned(),
        "(0.01 * m)" => "cm".to_owned(),
        "((0.01 * m) * (s**-1))" => "cm/s".to_owned(),
        "(0.001 * kg)" => "g".to_owned(),
        _ => short,
    }
}

/// What an error of the HDF5 reader says of the part at `path`.
pub(super) fn broken(path: &str) -> impl Fn(hdf5_pure::Error) -> Fault {
    move |error| Fault::of(path, &error)
}

/// The columns of a Vaex table: one group for each, or a data set, in the group at `path`.
pub(super) fn columns_of_groups(
    container: &Arc<Container>,
    group: &Group,
    path: &str,
    task: &Task,
) -> Result<Vec<Column>, Stop> {
    let mut found: HashMap<String, Vec<Column>> = HashMap::new();
    let attributes = Attributes::of_group(group).map_err(broken(path))?;
    for (name, column) in group.iter_groups().map_err(broken(path))? {
        task.check()?;
        let columns = columns_of_group(container, &name, &column, &format!("{path}/{name}"), 0)?;
        found.insert(name, columns);
    }
    for (name, dataset) in group.iter_datasets().map_err(broken(path))? {
        task.check()?;
        let columns = columns_of_set(container, &name, dataset, &format!("{path}/{name}"))?;
        found.insert(name, columns);
    }
    Ok(in_order(found, &attributes))
}

/// The columns of a group at `path` that holds data sets, one for each.
pub(super) fn columns_of_sets(
    container: &Arc<Container>,
    sets: &[(String, Dataset)],
    path: &str,
    attributes: &Attributes,
) -> Result<Vec<Column>, Fault> {
    let mut found = HashMap::new();
    for (name, dataset) in sets {
        if dataset.shape().is_ok_and(|shape| shape.is_empty()) {
            continue;
        }
        let columns = columns_of_set(container, name, dataset.clone(), &format!("{path}/{name}"))?;
        found.insert(name.clone(), columns);
    }
    Ok(in_order(found, attributes))
}

/// Columns as `column_order` lists them, then the others by name.
fn in_order(mut found: HashMap<String, Vec<Column>>, attributes: &Attributes) -> Vec<Column> {
    let mut columns = Vec::new();
    for name in attributes.text("column_order").unwrap_or_default().split(',') {
        columns.extend(found.remove(name).unwrap_or_default());
    }
    let mut rest: Vec<(String, Vec<Column>)> = found.into_iter().collect();
    rest.sort_by(|a, b| a.0.cmp(&b.0));
    columns.extend(rest.into_iter().flat_map(|(_, columns)| columns));
    columns
}

/// The columns of the records in a data set of compound type.
pub(super) fn columns_of_records(
    container: &Arc<Container>,
    dataset: Dataset,
    path: &str,
) -> Result<Vec<Column>, Fault> {
    let attributes = Attributes::of_dataset(&dataset).map_err(broken(path))?;
    let (data, datatype) = DataSet::open(container, dataset, path)?;
    let notes = Notes::of(path, &[&attributes]);
    // pandas notes the type of a column in an attribute of the whole table.
    let noted = |member: &str| {
        let note = attributes.text(&format!("{member}_dtype"));
        note.or_else(|| attributes.text(&format!("{member}_kind"))).map(str::to_owned)
    };
    expand("", &data, &datatype, &notes, None, &noted)
}

fn columns_of_set(
    container: &Arc<Container>,
    name: &str,
    dataset: Dataset,
    path: &str,
) -> Result<Vec<Column>, Fault> {
    let attributes = Attributes::of_dataset(&dataset).map_err(broken(path))?;
    let notes = Notes::of(name, &[&attributes]);
    match DataSet::open(container, dataset, path) {
        Ok((data, datatype)) => expand_set(name, &data, &datatype, &notes, None, &attributes),
        Err(fault) => Ok(vec![notes.not_served(name, fault)?]),
    }
}

/// The column kept in a group of its own, as Vaex writes it; several if its rows have several elements.
fn columns_of_group(
    container: &Arc<Container>,
    name: &str,
    group: &Group,
    path: &str,
    depth: usize,
) -> Result<Vec<Column>, Fault> {
    let attributes = Attributes::of_group(group).map_err(broken(path))?;
    let group_notes = Notes::of(name, &[&attributes]);
    let unreadable = |reason: &str| Ok(vec![group_notes.unreadable(name, reason)]);
    match attributes.text("type") {
        Some("dictionary_encoded") if depth < DEEPEST_DICTIONARY => {
            return dictionary(container, name, group, path, depth, &attributes);
        }
        Some(other @ ("dictionary_encoded" | "csr_matrix")) => {
            return unreadable(&format!("{path} is of the type {other}"));
        }
        _ => {}
    }
    let mut sets: HashMap<String, Dataset> = group.iter_datasets().map_err(broken(path))?.collect();
    let mut open = |part: &str| -> Result<Option<(Arc<DataSet>, Datatype, Attributes)>, Fault> {
        let Some(dataset) = sets.remove(part) else { return Ok(None) };
        let path = format!("{path}/{part}");
        let attributes = Attributes::of_dataset(&dataset).map_err(broken(&path))?;
        let (data, datatype) = DataSet::open(container, dataset, &path)?;
        Ok(Some((data, datatype, attributes)))
    };
    let parts = (|| Ok((open("data")?, open("indices")?, open("mask")?, open("null_bitmap")?)))();
    let (data, indices, mask, bitmap) = match parts {
        Ok(parts) => parts,
        Err(fault) => return Ok(vec![group_notes.not_served(name, fault)?]),
    };
    let Some((data, datatype, data_attributes)) = data else {
        return unreadable(&format!("{path} holds no data set called `data`"));
    };
    let notes = Notes::of(name, &[&attributes, &data_attributes]);
    let missing = match (&mask, &bitmap) {
        (Some((mask, ..)), _) => Some(Missing::Mask { data: mask.clone(), offset: 0 }),
        (None, Some((bitmap, ..))) => Some(Missing::Bitmap(bitmap.clone())),
        (None, None) => None,
    };
    match indices {
        Some((indices, index, _)) if data_attributes.text("dtype").is_none_or(|dtype| dtype == "str") => {
            let index = Cell::of(&index, container).map_err(Fault::Damaged)?;
            if data.row_bytes() != 1
                || indices.rows() == 0
                || indices.row_bytes() != index.width()
                || !index.is_integer()
            {
                return unreadable(&format!("{path} is no text of bytes and offsets"));
            }
            let name = notes.alias.clone().unwrap_or_else(|| name.to_owned());
            let missing = checked_missing(missing, indices.rows() - 1, 1)?;
            Ok(vec![notes.column(name, Values::Text { bytes: data, indices, index }, missing)])
        }
        _ => expand_set(name, &data, &datatype, &notes, missing, &data_attributes),
    }
}

fn dictionary(
    container: &Arc<Container>,
    name: &str,
    group: &Group,
    path: &str,
    depth: usize,
    attributes: &Attributes,
) -> Result<Vec<Column>, Fault> {
    let notes = Notes::of(name, &[attributes]);
    let part = |part: &str| {
        let path = format!("{path}/{part}");
        let group = group.group(part).map_err(broken(&path))?;
        columns_of_group(container, part, &group, &path, depth + 1)
    };
    let (mut codes, mut entries) = (part("indices")?, part("dictionary")?);
    let (Some(codes), Some(entries), true) =
        (codes.pop(), entries.pop(), codes.is_empty() && entries.is_empty())
    else {
        return Ok(vec![notes.unreadable(name, &format!("{path} is a dictionary of several columns"))]);
    };
    let name = notes.alias.clone().unwrap_or_else(|| name.to_owned());
    match codes.values {
        Values::Cells { data, offset: 0, cell }
            if cell.is_integer()
                && data.row_bytes() == cell.width()
                && entries.rows().is_some_and(|rows| rows <= i32::MAX as u64) =>
        {
            let values = Values::Dictionary {
                codes: data,
                code: cell,
                entries: Box::new(entries),
                decoded: OnceLock::new(),
            };
            Ok(vec![notes.column(name, values, codes.missing)])
        }
        _ => Ok(vec![notes.unreadable(&name, &format!("{path} is no dictionary of codes and values"))]),
    }
}

/// `missing`, if it marks every one of `rows` rows of `elements` elements.
fn checked_missing(missing: Option<Missing>, rows: u64, elements: u64) -> Result<Missing, Fault> {
    match missing {
        None => Ok(Missing::Unmarked),
        Some(Missing::Mask { data, offset }) => {
            let per_row = data.row_bytes() as u64;
            if data.rows() != rows || (per_row != 1 && per_row != elements) || data.element_bytes() != 1 {
                return Err(Fault::Damaged(format!(
                    "the mask {} has {} rows of {per_row} bytes; its column has {rows} rows",
                    data.path(),
                    data.rows()
                )));
            }
            Ok(Missing::Mask { data, offset })
        }
        Some(Missing::Bitmap(data)) => {
            if data.rows() < rows.div_ceil(8) || data.row_bytes() != 1 {
                return Err(Fault::Damaged(format!(
                    "the bitmap {} has {} bytes, too few for the {rows} rows of its column",
                    data.path(),
                    data.rows()
                )));
            }
            Ok(Missing::Bitmap(data))
        }
        Some(Missing::Unmarked) => Ok(Missing::Unmarked),
    }
}

/// A place in a row of a data set.
struct Leaf {
    name: String,
    offset: usize,
    cell: Result<Cell, String>,
}

/// The columns of a data set whose `attributes` may say what its bytes are.
fn expand_set(
    name: &str,
    data: &Arc<DataSet>,
    datatype: &Datatype,
    notes: &Notes,
    missing: Option<Missing>,
    attributes: &Attributes,
) -> Result<Vec<Column>, Fault> {
    let dtype = attributes.text("dtype");
    if dtype != Some("utf32") {
        return expand(name, data, datatype, notes, missing, &|_| dtype.map(str::to_owned));
    }
    let name = notes.alias.as_deref().unwrap_or(name);
    let characters = attributes.number("dlength").unwrap_or(data.row_bytes() as u64 / 4);
    if characters.checked_mul(4) != Some(data.row_bytes() as u64) {
        let reason =
            format!("{} has {} bytes a row, not {characters} characters", data.path(), data.row_bytes());
        return Ok(vec![notes.unreadable(name, &reason)]);
    }
    let missing = checked_missing(missing, data.rows(), 1)?;
    let values = Values::Cells { data: data.clone(), offset: 0, cell: Cell::utf32(data.row_bytes()) };
    Ok(vec![notes.column(name.to_owned(), values, missing)])
}

/// The columns of a data set: one for each element of its rows, and each member of a record. `dtype`
/// is the NumPy type that is noted for a column, if one is.
fn expand(
    name: &str,
    data: &Arc<DataSet>,
    datatype: &Datatype,
    notes: &Notes,
    missing: Option<Missing>,
    dtype: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Column>, Fault> {
    let name = notes.alias.as_deref().unwrap_or(name);
    let elements: u64 = data.inner().iter().product();
    let missing = checked_missing(missing, data.rows(), elements)?;
    let mut leaves = Vec::new();
    leaves_of_array(name, 0, data.inner(), datatype, data.element_bytes(), data.container(), 0, &mut leaves);
    let per_row = leaves.len() as u64;
    Ok(leaves
        .into_iter()
        .zip(0..)
        .map(|(leaf, position)| match leaf.cell {
            Err(reason) => {
                let notes = Notes { alias: None, ..notes.clone() };
                notes.unreadable(&leaf.name, &format!("{}: {reason}", data.path()))
            }
            Ok(cell) => {
                let cell = dtype(&leaf.name).and_then(|dtype| cell.noted_as(&dtype)).unwrap_or(cell);
                let missing = match &missing {
                    Missing::Mask { data, .. } if data.row_bytes() > 1 && per_row == elements => {
                        Missing::Mask { data: data.clone(), offset: position }
                    }
                    other => other.clone(),
                };
                notes.column(
                    leaf.name,
                    Values::Cells { data: data.clone(), offset: leaf.offset, cell },
                    missing,
                )
            }
        })
        .collect())
}

#[expect(clippy::too_many_arguments, reason = "a recursion over a type, with the place it is at")]
fn leaves_of_array(
    name: &str,
    offset: usize,
    extents: &[u64],
    item: &Datatype,
    item_bytes: usize,
    container: &Container,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) {
    if extents.is_empty() {
        return leaves_of(name, offset, item, item_bytes, container, depth, leaves);
    }
    let count = extents.iter().try_fold(1_u64, |count, &extent| count.checked_mul(extent));
    let refuse = |reason: String| Leaf { name: name.to_owned(), offset, cell: Err(reason) };
    let Some(count) = count.filter(|&count| count > 0 && count <= i32::MAX as u64) else {
        leaves.push(refuse(format!("rows of {extents:?} elements are not read")));
        return;
    };
    if count > MOST_COLUMNS_PER_ROW {
        let list = Cell::of(item, container).map(|cell| cell.list(count as usize));
        leaves.push(Leaf { name: name.to_owned(), offset, cell: list });
        return;
    }
    for position in 0..count {
        let mut rest = position;
        let mut indices: Vec<String> = Vec::new();
        for extent in extents.iter().rev() {
            indices.push((rest % extent).to_string());
            rest /= extent;
        }
        indices.reverse();
        let name = format!("{name}[{}]", indices.join(","));
        leaves_of(&name, offset + position as usize * item_bytes, item, item_bytes, container, depth, leaves);
    }
}

fn leaves_of(
    name: &str,
    offset: usize,
    datatype: &Datatype,
    bytes: usize,
    container: &Container,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) {
    let refuse = |reason: String| Leaf { name: name.to_owned(), offset, cell: Err(reason) };
    if depth > DEEPEST_RECORD || leaves.len() > u16::MAX as usize {
        leaves.push(refuse("records within records this deep are not read".to_owned()));
        return;
    }
    match datatype {
        Datatype::Compound { members, .. } => {
            for member in members {
                let size = member_bytes(&member.datatype, container);
                let name =
                    if name.is_empty() { member.name.clone() } else { format!("{name}.{}", member.name) };
                match usize::try_from(member.byte_offset).ok().filter(|at| at.saturating_add(size) <= bytes) {
                    Some(at) => {
                        leaves_of(&name, offset + at, &member.datatype, size, container, depth + 1, leaves)
                    }
                    None => {
                        leaves.push(Leaf { name, offset, cell: Err("it lies outside its record".to_owned()) })
                    }
                }
            }
        }
        Datatype::Array { base_type, dimensions } => {
            let extents: Vec<u64> = dimensions.iter().map(|&extent| extent.into()).collect();
            let item_bytes = member_bytes(base_type, container);
            leaves_of_array(name, offset, &extents, base_type, item_bytes, container, depth + 1, leaves);
        }
        other => {
            let cell = Cell::of(other, container).and_then(|cell| {
                if cell.width() <= bytes && cell.width() > 0 {
                    Ok(cell)
                } else {
                    Err(format!("{} bytes do not hold {other}", bytes))
                }
            });
            leaves.push(Leaf { name: name.to_owned(), offset, cell });
        }
    }
}

/// Bytes of one value of `datatype` within a record.
fn member_bytes(datatype: &Datatype, container: &Container) -> usize {
    match datatype {
        Datatype::VariableLength { .. } => super::heap::Heap::reference_bytes(container),
        Datatype::Array { base_type, dimensions } => dimensions
            .iter()
            .fold(member_bytes(base_type, container), |bytes, &extent| bytes.saturating_mul(extent as usize)),
        other => other.type_size() as usize,
    }
}
