//! Which parts of a file are tables.

use std::sync::Arc;

use hdf5_pure::{Dataset, Datatype, Group};

use super::Stop;
use super::column::Column;
use super::columns::{Attributes, columns_of_groups, columns_of_records, columns_of_sets};
use super::container::Container;
use super::fault::Fault;
use super::frames;
use crate::task::Task;

/// Levels of groups searched.
const DEEPEST: usize = 16;
/// Groups searched: those that contain themselves have no end.
const MOST_GROUPS: usize = 1 << 14;
/// Data sets searched.
const MOST_SETS: usize = 1 << 20;

/// A part of the file that may be a table.
pub(super) struct Candidate {
    /// Its path in the file.
    pub(super) path: String,
    /// Its columns, or what is wrong with it.
    pub(super) columns: Result<Vec<Column>, Fault>,
    /// Whether its parts belong together, as opposed to data sets that happen to share a group.
    pub(super) is_declared: bool,
}

/// What a search through a file finds.
pub(super) struct Search<'a> {
    container: &'a Arc<Container>,
    task: &'a Task,
    groups: usize,
    sets: usize,
    /// Data sets of a single value, which are no tables.
    pub(super) single_values: usize,
    /// Tables found so far.
    pub(super) candidates: Vec<Candidate>,
}

impl<'a> Search<'a> {
    /// A search through the file of `container`.
    pub(super) fn new(container: &'a Arc<Container>, task: &'a Task) -> Search<'a> {
        Search { container, task, groups: 0, sets: 0, single_values: 0, candidates: Vec::new() }
    }

    /// Finds the tables in `group`, which is at `path` (`""` for the root), and below.
    pub(super) fn walk(&mut self, group: &Group, path: &str, depth: usize) -> Result<(), Stop> {
        let groups = self.look(group, path)?;
        if depth < DEEPEST {
            // `_i_...` are the indexes PyTables keeps beside its tables, `#refs#` what the cells of
            // MATLAB refer to.
            for (name, group) in groups
                .iter()
                .filter(|(name, _)| name != "columns" && !name.starts_with("_i_") && !name.starts_with('#'))
            {
                self.walk(group, &format!("{path}/{name}"), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Finds the tables in `group` itself, which is at `path`; gives the groups in it.
    pub(super) fn look(&mut self, group: &Group, path: &str) -> Result<Vec<(String, Group)>, Stop> {
        self.task.check()?;
        let shown = if path.is_empty() { "/" } else { path };
        let broken = |error: hdf5_pure::Error| Fault::of(&format!("group {shown}"), &error);
        let mut sets: Vec<(String, Dataset)> = Vec::new();
        let mut records: Vec<(String, Dataset)> = Vec::new();
        for (name, dataset) in group.iter_datasets().map_err(broken)? {
            if dataset.shape().is_ok_and(|shape| shape.is_empty()) {
                self.single_values += 1;
            } else if matches!(dataset.datatype(), Ok(Datatype::Compound { .. })) {
                records.push((name, dataset));
            } else {
                sets.push((name, dataset));
            }
        }
        let mut groups: Vec<(String, Group)> = group.iter_groups().map_err(broken)?.collect();
        groups.sort_by(|a, b| a.0.cmp(&b.0));
        sets.sort_by(|a, b| a.0.cmp(&b.0));
        records.sort_by(|a, b| a.0.cmp(&b.0));
        self.groups += 1;
        self.sets += sets.len() + records.len();
        if self.groups > MOST_GROUPS || self.sets > MOST_SETS {
            let reason = format!(
                "it has more than {MOST_GROUPS} groups or {MOST_SETS} data sets to search; FILE#/path opens one"
            );
            return Err(Fault::Unsupported(reason).into());
        }
        let attributes = Attributes::of_group(group).map_err(broken)?;
        if let Some((_, columns)) = groups.iter().find(|(name, _)| name == "columns") {
            let path_of_columns = format!("{path}/columns");
            let columns = match columns_of_groups(self.container, columns, &path_of_columns, self.task) {
                Ok(columns) => Ok(columns),
                Err(Stop::Fault(fault)) => Err(fault),
                Err(stop) => return Err(stop),
            };
            self.candidates.push(Candidate { path: shown.to_owned(), columns, is_declared: true });
        }
        if frames::is_frame(&attributes) {
            let columns = frames::columns_of_frame(self.container, &sets, path, &attributes);
            self.candidates.push(Candidate { path: shown.to_owned(), columns, is_declared: true });
        } else if !sets.is_empty() {
            self.candidates.push(Candidate {
                path: shown.to_owned(),
                columns: columns_of_sets(self.container, &sets, path, &attributes),
                is_declared: false,
            });
        }
        for (name, dataset) in records {
            let path = format!("{path}/{name}");
            let columns = columns_of_records(self.container, dataset, &path);
            self.candidates.push(Candidate { path, columns, is_declared: true });
        }
        Ok(groups)
    }
}

impl Candidate {
    /// Rows times columns.
    pub(super) fn value_count(&self) -> u128 {
        let columns = self.columns.as_deref().unwrap_or_default();
        columns.iter().filter_map(Column::rows).map(u128::from).sum()
    }
}

/// The data set at `path` as a table of its own.
pub(super) fn single(container: &Arc<Container>, file: &hdf5_pure::File, path: &str) -> Option<Candidate> {
    let dataset = file.dataset(path).ok()?;
    let (parent, name) = path.rsplit_once('/')?;
    let columns = columns_of_sets(container, &[(name.to_owned(), dataset)], parent, &Attributes::default());
    Some(Candidate { path: path.to_owned(), columns, is_declared: false })
}
