//! The session itself: the document, and what follows from it.

use std::path::PathBuf;
use std::sync::Arc;

use super::grouping::quoted;
use super::history::History;
use super::naming;
use super::{
    Command, CutAxis, Document, FilterSpec, Gesture, PredicateSpec, Request, ViewId, ViewKind, ViewSpec,
    first_scene,
};
use crate::dataset::{Dataset, DefineError};
use crate::expr::{Expr, ExprError};
use crate::select::{Clause, Dimension, Selection};

/// Something to tell the person, until they dismiss it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// One or two sentences: what happened, to what, and the way out.
    pub text: String,
}

/// A filter of the document and its meaning on the open table.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// As written.
    pub spec: FilterSpec,
    /// As applied, or why it cannot be.
    pub clause: Result<Clause, ExprError>,
}

/// The document, the open table, and what follows from both.
#[derive(Default)]
pub struct Session {
    document: Document,
    dataset: Option<Arc<Dataset>>,
    opening: Option<PathBuf>,
    filters: Vec<Filter>,
    selection: Selection,
    history: History,
    notice: Option<Notice>,
}

impl Session {
    /// An empty session.
    pub fn new() -> Session {
        Session::default()
    }

    /// What is saved.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The open table.
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.dataset.as_ref()
    }

    /// The file being opened, if one is.
    pub fn opening(&self) -> Option<&PathBuf> {
        self.opening.as_ref()
    }

    /// The filters and their meanings, in the document's order.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Every enabled filter: what the count, the rows and the exports show.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// What `view` shows: every enabled filter but that of its own dimension.
    pub fn selection_for(&self, view: &ViewSpec) -> Selection {
        match self.dimension_of(view) {
            Some(dimension) => self.selection.without(&dimension),
            None => self.selection.clone(),
        }
    }

    /// The filter of the view's own dimension, enabled or not, and its position.
    pub fn filter_of(&self, view: &ViewSpec) -> Option<(usize, &FilterSpec)> {
        let dimension = self.dimension_of(view)?;
        let own = |filter: &Filter| matches!(&filter.clause, Ok(clause) if clause.dimension == dimension);
        let at = self.filters.iter().position(own)?;
        Some((at, &self.filters[at].spec))
    }

    /// What a brush in the view filters by.
    pub fn dimension_of(&self, view: &ViewSpec) -> Option<Dimension> {
        let axis = |axis: &Option<super::AxisSpec>| self.expr(&axis.as_ref()?.expr).ok();
        match view.kind {
            ViewKind::Histogram | ViewKind::Bars => Some(Dimension::axis(&axis(&view.x)?)),
            ViewKind::Heatmap => Some(Dimension::plane(&axis(&view.x)?, &axis(&view.y)?)),
            ViewKind::Groups => {
                let keys = view.grouping.iter().flat_map(|grouping| &grouping.keys);
                Dimension::keys(&keys.map(|key| self.expr(&key.expr).ok()).collect::<Option<Vec<_>>>()?)
            }
            ViewKind::Number | ViewKind::Rows => None,
        }
    }

    /// The expression `text` on the open table.
    ///
    /// # Errors
    /// [`ExprError`] when it does not parse or type-check, or no table is open.
    pub fn expr(&self, text: &str) -> Result<Expr, ExprError> {
        match &self.dataset {
            Some(dataset) => Expr::parse(text, dataset.schema()),
            None => Expr::parse(text, &Default::default()),
        }
    }

    /// What the person should be told.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Whether there is a change to take back.
    pub fn can_undo(&self) -> bool {
        self.history.can_undo()
    }

    /// Whether a change was taken back.
    pub fn can_redo(&self) -> bool {
        self.history.can_redo()
    }

    /// Makes the change; what needs others comes back.
    pub fn apply(&mut self, command: Command) -> Vec<Request> {
        match command {
            Command::Open(path) => {
                self.opening = Some(path.clone());
                return vec![Request::Open(path)];
            }
            Command::Opened { path, result } => self.opened(path, result),
            Command::Restore(document) => {
                let request = document.file.clone().map(Request::Open);
                self.opening = document.file.clone();
                self.dataset = None;
                self.document = *document;
                self.history.clear();
                self.follow();
                return request.into_iter().collect();
            }
            Command::AddView(view) => self.change(Gesture::Begin, |document| {
                document.layout.add(view.id);
                document.views.push(view);
            }),
            Command::RemoveView(id) => self.change(Gesture::Begin, |document| {
                document.layout.remove(id);
                document.views.retain(|view| view.id != id);
            }),
            Command::ChangeView(view, gesture) => self.change(gesture, |document| {
                if let Some(existing) = document.views.iter_mut().find(|existing| existing.id == view.id) {
                    *existing = view;
                }
            }),
            Command::SetFilter(filter, gesture) => self.set_filter(filter, gesture),
            Command::ReplaceFilter(at, filter) => self.change_filter(at, |filters| filters[at] = filter),
            Command::RemoveFilter(at) => self.change_filter(at, |filters| {
                filters.remove(at);
            }),
            Command::ToggleFilter(at) => self.change_filter(at, |filters| filters[at].enabled ^= true),
            Command::InvertFilter(at) => self.change_filter(at, |filters| filters[at].inverted ^= true),
            Command::ClearFilters => {
                if !self.document.filters.is_empty() {
                    self.change(Gesture::Begin, |document| document.filters.clear());
                }
            }
            Command::DefineColumn { name, text } => self.define(&name, Some(text)),
            Command::RemoveColumn(name) => {
                if !self.refuses_to_lose(&name) {
                    self.define(&name, None);
                }
            }
            Command::SetVariable { name, value, gesture } => {
                let mut after = self.document.clone();
                after.variables.insert(name, value);
                self.replace_names(after, gesture);
            }
            Command::RemoveVariable(name) => {
                if !self.refuses_to_lose(&name) {
                    self.change(Gesture::Begin, |document| {
                        document.variables.remove(&name);
                    });
                }
            }
            Command::Rename { from, to } => match naming::check(&self.document, self.dataset(), &from, &to) {
                Ok(()) => {
                    let mut after = self.document.clone();
                    naming::rename(&mut after, &from, &to);
                    self.replace_names(after, Gesture::Begin);
                }
                Err(text) => self.notice = Some(Notice { text }),
            },
            Command::SetTheme(theme) => self.change(Gesture::Begin, |document| document.theme = theme),
            Command::SetLayout(layout, gesture) => self.change(gesture, |document| document.layout = layout),
            Command::Undo => {
                if let Some(before) = self.history.undo(&self.document) {
                    self.document = before;
                    self.follow();
                }
            }
            Command::Redo => {
                if let Some(after) = self.history.redo(&self.document) {
                    self.document = after;
                    self.follow();
                }
            }
            Command::Notify(text) => self.notice = Some(Notice { text }),
            Command::DismissNotice => self.notice = None,
        }
        Vec::new()
    }

    fn opened(&mut self, path: PathBuf, result: Result<Arc<Dataset>, String>) {
        if self.opening.as_ref() != Some(&path) {
            // Another file was asked for since.
            return;
        }
        self.opening = None;
        let dataset = match result {
            Ok(dataset) => dataset,
            Err(text) => {
                self.notice = Some(Notice { text });
                return;
            }
        };
        self.notice = None;
        let restored = self.document.file.as_ref() == Some(&path) && self.dataset.is_none();
        if !restored {
            let (views, layout) = first_scene(&dataset);
            let theme = self.document.theme;
            self.document = Document { file: Some(path), theme, views, layout, ..Document::default() };
        }
        self.dataset = Some(dataset);
        self.history.clear();
        self.follow();
    }

    /// Changes the document and what follows from it, as one step of undo unless it continues one.
    fn change(&mut self, gesture: Gesture, edit: impl FnOnce(&mut Document)) {
        let mut after = self.document.clone();
        edit(&mut after);
        if after == self.document {
            return;
        }
        let before = std::mem::replace(&mut self.document, after);
        if gesture == Gesture::Begin || !self.history.can_undo() {
            self.history.push(before);
        }
        self.follow();
    }

    fn change_filter(&mut self, at: usize, edit: impl FnOnce(&mut Vec<FilterSpec>)) {
        if at < self.document.filters.len() {
            self.change(Gesture::Begin, |document| edit(&mut document.filters));
        }
    }

    fn set_filter(&mut self, filter: FilterSpec, gesture: Gesture) {
        let dimension = self.clause(&filter).ok().map(|clause| clause.dimension);
        let same = |existing: &Filter| {
            dimension.is_some() && existing.clause.as_ref().ok().map(|c| &c.dimension) == dimension.as_ref()
        };
        let at = self.filters.iter().position(same);
        self.change(gesture, |document| match at {
            Some(at) => document.filters[at] = filter,
            None => document.filters.push(filter),
        });
    }

    fn define(&mut self, name: &str, text: Option<String>) {
        let Some(dataset) = &self.dataset else { return };
        let defined = match &text {
            Some(text) => dataset.with_column(name, text),
            None => dataset.without_column(name),
        };
        match defined {
            Ok(_) => self.change(Gesture::Begin, |document| match text {
                Some(text) => match document.columns.iter_mut().find(|column| column.name == name) {
                    Some(column) => column.text = text,
                    None => document.columns.push(super::ColumnSpec { name: name.to_owned(), text }),
                },
                None => document.columns.retain(|column| column.name != name),
            }),
            Err(error) => self.notice = Some(Notice { text: error.to_string() }),
        }
    }

    /// Goes on with a document of other names, unless one of them cannot be one.
    fn replace_names(&mut self, after: Document, gesture: Gesture) {
        match self.dataset.as_ref().map(|dataset| named(dataset, &after)).transpose() {
            Ok(_) => self.change(gesture, |document| *document = after),
            Err(error) => self.notice = Some(Notice { text: error.to_string() }),
        }
    }

    /// Whether a name is used, which is then said.
    fn refuses_to_lose(&mut self, name: &str) -> bool {
        let users = naming::users(&self.document, name);
        if !users.is_empty() {
            let text = format!("{name} is used by {}: change that first.", users.join(", "));
            self.notice = Some(Notice { text });
        }
        !users.is_empty()
    }

    /// Brings the table's virtual columns, the filters and the selection in line with the document.
    fn follow(&mut self) {
        if let Some(dataset) = self.dataset.clone() {
            match named(&dataset, &self.document) {
                Ok(Some(changed)) => self.dataset = Some(Arc::new(changed)),
                Ok(None) => {}
                Err(error) => self.notice = Some(Notice { text: error.to_string() }),
            }
        }
        self.filters = self
            .document
            .filters
            .iter()
            .map(|spec| Filter { spec: spec.clone(), clause: self.clause(spec) })
            .collect();
        let applied = |filter: &Filter| filter.clause.as_ref().ok().filter(|_| filter.spec.enabled).cloned();
        self.selection = if self.dataset.is_some() {
            Selection::of(self.filters.iter().filter_map(applied))
        } else {
            Selection::all()
        };
    }

    /// What a filter means on the open table.
    fn clause(&self, spec: &FilterSpec) -> Result<Clause, ExprError> {
        let clause = match &spec.predicate {
            PredicateSpec::Interval { expr, lo, hi } => Clause::interval(self.expr(expr)?, *lo, *hi),
            PredicateSpec::Intervals { expr, intervals, missing } => {
                let intervals = intervals.iter().map(|&[lo, hi]| (lo, hi));
                Clause::intervals(self.expr(expr)?, intervals, *missing)
            }
            PredicateSpec::Lasso { x, y, corners, more } => {
                let cut = |axis: &CutAxis| {
                    axis.bins().ok_or_else(|| ExprError {
                        message: format!("the edges of {} do not ascend", axis.expr),
                        span: 0..axis.expr.len(),
                        suggestion: None,
                    })
                };
                let points = |corners: &[[f64; 2]]| corners.iter().map(|&[x, y]| (x, y)).collect();
                let more = more.iter().map(|shape| (points(&shape.corners), shape.takes_out));
                let polygons = std::iter::once((points(corners), false)).chain(more).collect::<Vec<_>>();
                Clause::polygons(self.expr(&x.expr)?, cut(x)?, self.expr(&y.expr)?, cut(y)?, &polygons)
            }
            PredicateSpec::Rect { x, x_range, y, y_range } => {
                Clause::rect(self.expr(x)?, (x_range[0], x_range[1]), self.expr(y)?, (y_range[0], y_range[1]))
            }
            PredicateSpec::Categories { expr, values, missing } => {
                let expr = self.expr(expr)?;
                let is_text = matches!(crate::data::kind(expr.data_type()), crate::data::Kind::Text);
                let literal = |value: &String| if is_text { quoted(value) } else { value.clone() };
                let literals: Vec<String> = values.iter().map(literal).collect();
                let schema = self.dataset.as_ref().map(|dataset| dataset.schema().clone());
                Clause::categories(expr, &literals, *missing, &schema.unwrap_or_default())?
            }
            PredicateSpec::Groups { keys, conditions } => {
                let keys = keys.iter().map(|key| self.expr(key)).collect::<Result<Vec<_>, _>>()?;
                let any = conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>();
                let any = if any.is_empty() { "false".to_owned() } else { any.join(" or ") };
                let clause = Clause::filter(self.expr(&any)?);
                let dimension = Dimension::keys(&keys).unwrap_or(clause.dimension.clone());
                clause.on(dimension)
            }
            PredicateSpec::Where { text } => Clause::filter(self.expr(text)?),
        };
        Ok(Clause { inverted: spec.inverted, ..clause })
    }

    /// Whether `id` is a view of the document.
    pub fn has_view(&self, id: ViewId) -> bool {
        self.document.view(id).is_some()
    }
}

/// The table with the variables and virtual columns of a document; `None` when it has just those.
fn named(dataset: &Dataset, document: &Document) -> Result<Option<Dataset>, DefineError> {
    let wanted = document.columns.iter().map(|column| (&column.name, &column.text));
    let present = dataset.virtual_columns().iter().map(|column| (&column.name, &column.text));
    let variables: Vec<(String, f64)> =
        document.variables.iter().map(|(name, value)| (name.clone(), *value)).collect();
    let mut known = dataset.schema().variables().to_vec();
    known.sort_by(|a, b| a.0.cmp(&b.0));
    if wanted.clone().eq(present) && variables == known {
        return Ok(None);
    }
    let plain = Dataset::new(dataset.source().clone()).with_variables(variables)?;
    Ok(Some(plain.with_columns(wanted.map(|(name, text)| (name.as_str(), text.as_str())))?))
}
