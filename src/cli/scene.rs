//! The views of a session, answered and ready to be drawn.

use std::collections::HashMap;
use std::sync::Arc;

use super::Failure;
use super::input::Table;
use super::output::extension;
use super::progress::watched;
use crate::data::{Kind, kind};
use crate::export::{Chart, Palette, Picture, PictureOptions, save_picture};
use crate::query::{Answer, Ask, Axis, Question, rows};
use crate::select::Selection;
use crate::session::{Document, Session, ViewId, ViewKind, ViewSpec, figure, outline, questions};

/// Rows read for a view of rows; a picture shows as many as there is room for.
const ROWS: usize = 60;

/// How a picture is drawn.
#[derive(Debug, clap::Args)]
pub(super) struct Look {
    /// Width in logical pixels
    #[arg(long, value_name = "PX", default_value_t = 1280)]
    width: u32,
    /// Height in logical pixels
    #[arg(long, value_name = "PX", default_value_t = 800)]
    height: u32,
    /// Pixels per logical pixel: 2 for print and fine screens
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f32,
    /// Light on dark
    #[arg(long)]
    dark: bool,
}

impl Look {
    /// Draws a picture into the file at `path`.
    pub(super) fn save(
        &self,
        path: &std::path::Path,
        picture: Picture<'_>,
        dark: bool,
        notes: &[(String, String)],
    ) -> Result<(), Failure> {
        let palette = if dark || self.dark { Palette::DARK } else { Palette::LIGHT };
        let options = PictureOptions { width: self.width, height: self.height, scale: self.scale, palette };
        save_picture(path, picture, options, notes)?;
        Ok(())
    }
}

/// That a picture can be written to `path`, before any work is done.
pub(super) fn check_picture_path(path: &std::path::Path) -> Result<(), Failure> {
    match extension(path).as_str() {
        "png" | "svg" => Ok(()),
        _ => Err(Failure::Usage(format!("-o {}: a picture is written as .png or .svg", path.display()))),
    }
}

/// The session of `document` on the open table. Whatever of it makes no sense there is an error.
pub(super) fn session_on(document: Document, table: &Table) -> Result<Session, Failure> {
    use crate::session::Command;
    let mut session = Session::new();
    let document = Document { file: Some(table.path.clone()), ..document };
    session.apply(Command::Restore(Box::new(document)));
    session.apply(Command::Opened { path: table.path.clone(), result: Ok(table.dataset.clone()) });
    if let Some(notice) = session.notice() {
        return Err(Failure::about(&table.path, &notice.text));
    }
    for filter in session.filters() {
        if let Err(error) = &filter.clause {
            return Err(Failure::about(
                &table.path,
                format!("filter {}: {error}", figure::filter_text(filter)),
            ));
        }
    }
    Ok(session)
}

/// The axes of every view, cut as the window cuts them; open ends are found by one pass.
pub(super) fn axes(session: &Session, table: &Table) -> Result<HashMap<ViewId, Vec<Axis>>, Failure> {
    let mut axes: HashMap<ViewId, Vec<Axis>> = HashMap::new();
    // The ends of all axes are found together: every round asks what each still lacks.
    let mut known: HashMap<Arc<str>, Arc<Answer>> = HashMap::new();
    loop {
        let mut lacking: Vec<Question> = Vec::new();
        axes.clear();
        for view in &session.document().views {
            for (spec, target) in questions::cut_axes(view) {
                let lacks = || Failure::about(&table.path, format!("{}: an axis lacks", view.title()));
                let spec = spec.ok_or_else(lacks)?;
                let expr = table.expr(&view.title(), &spec.expr)?;
                let type_of = expr.data_type();
                if !(kind(type_of).is_ordinal() || kind(type_of) == Kind::Bool) {
                    let title = view.title();
                    return Err(Failure::Usage(format!(
                        "{title}: {expr} is of type {type_of} and has no axis"
                    )));
                }
                let ask = |question: &Question| {
                    known.get(question.key()).cloned().ok_or_else(|| Box::new(question.clone()))
                };
                match spec.range.map_or_else(|| outline::ends(&table.dataset, spec, &expr, ask), |_| Ok(None))
                {
                    Ok(ends) => {
                        let bins = questions::bins(spec, &expr, ends.map(|ends| ends.range), target);
                        axes.entry(view.id).or_default().push(Axis { expr, bins });
                    }
                    Err(question) => lacking.push(*question),
                }
            }
        }
        if lacking.is_empty() {
            break;
        }
        let answers = table.answers("finding the extent", &lacking)?;
        known.extend(lacking.iter().map(|q| q.key().clone()).zip(answers.into_iter().map(Arc::new)));
    }
    Ok(axes)
}

/// The chart of every view over its axes, and how many rows pass all filters: one pass for all of them.
pub(super) fn charts(
    session: &Session,
    table: &Table,
    axes: &HashMap<ViewId, Vec<Axis>>,
) -> Result<(Vec<(ViewId, Chart)>, u64), Failure> {
    let views: Vec<&ViewSpec> =
        session.document().views.iter().filter(|v| v.kind != ViewKind::Rows).collect();
    let mut asked = vec![table.question(session.selection(), Ask::Index)];
    for view in &views {
        let axes = axes.get(&view.id).map_or(&[][..], Vec::as_slice);
        for selection in [session.selection_for(view), Selection::all()] {
            asked.push(question(view, axes, selection, table)?);
        }
    }
    let answers = table.answers("computing", &asked)?;
    let index = answers[0].index();
    let mut charts = Vec::new();
    for (view, pair) in views.iter().zip(answers[1..].chunks(2)) {
        let is_filtered = !session.selection_for(view).is_all();
        let all = is_filtered.then_some(&pair[1]);
        let chart = figure::chart(session, view, &pair[0], all)
            .ok_or_else(|| Failure::about(&table.path, format!("{} cannot be drawn", view.title())))?;
        charts.push((view.id, chart));
    }
    for view in session.document().views.iter().filter(|view| view.kind == ViewKind::Rows) {
        let fields = table.dataset.schema().fields();
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let exprs = names
            .iter()
            .filter_map(|name| crate::expr::Expr::column(name, table.dataset.schema()).ok())
            .collect::<Vec<_>>();
        let page = watched("reading rows", |task| {
            rows::fetch(&table.dataset, session.selection(), index, 0, ROWS, &exprs, task)
        })
        .map_err(|error| table.failure(&error))?;
        charts.push((view.id, figure::rows_chart(&page, &names)));
    }
    Ok((charts, index.map_or(0, |index| index.total())))
}

fn question(
    view: &ViewSpec,
    axes: &[Axis],
    selection: Selection,
    table: &Table,
) -> Result<Question, Failure> {
    questions::question(&table.dataset, view, axes, selection)
        .map_err(|reason| Failure::Usage(format!("{}: {reason}", view.title())))
}
