//! Charts: what each asks of the engine, and how it paints the answer.
//!
//! A view looks at the [`Session`] and the engine's answers and changes neither: what it wants
//! changed it says in [`Command`]s. Views do not know each other. Every one is a line in [`VIEWS`].

mod ask;
pub mod axes;
pub mod bars;
mod bin_menu;
mod brushing;
pub mod editor;
mod estimate;
mod frame;
pub mod glance;
pub mod groups;
pub mod header;
pub mod heatmap;
pub mod histogram;
pub mod inspector;
pub mod number;
pub mod paint;
pub mod rows;
mod state;
pub mod text_field;
pub mod theme;
mod zoom;

use egui::{Rect, Ui};

use crate::engine::{Reply, RowsReply, RowsRequest, Slot};
use crate::query::Question;
use crate::session::{Command, Session, ViewId, ViewKind, ViewSpec};

pub use frame::{Blank, show};
pub use state::ViewState;
pub use theme::Theme;

/// Who answers the views' questions: asked every frame, and never slow to reply.
pub trait Answers {
    /// The answer to `question`, or what there is until it comes.
    fn answer(&mut self, slot: Slot, question: &Question) -> Reply;

    /// As [`Answers::answer`], of a question that follows no brush.
    fn unbrushed(&mut self, slot: Slot, question: &Question) -> Reply;

    /// As [`Answers::unbrushed`], where an estimate will do: of a large table it reads a sample only.
    fn glance(&mut self, slot: Slot, question: &Question) -> Reply;

    /// The page of rows asked for, or what there is until it comes.
    fn rows(&mut self, slot: Slot, request: &RowsRequest) -> RowsReply;
}

/// What a view may look at, and where it says what it wants.
pub struct ViewContext<'a> {
    /// What is open.
    pub session: &'a Session,
    /// Who answers its questions.
    pub answers: &'a mut dyn Answers,
    /// Colours and sizes.
    pub theme: &'static Theme,
    /// Changes wanted.
    pub commands: &'a mut Vec<Command>,
    /// Other wishes.
    pub wishes: &'a mut Vec<Wish>,
    /// What the pointer is over, for the status line.
    pub hint: &'a mut String,
    /// Whether a brush is being dragged in any view: axes of values stay put.
    pub brushing: bool,
    /// The view that keys and menus speak of.
    pub focused: Option<ViewId>,
}

/// What a view wants of the window rather than of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To be the view that keys and menus speak of.
    Focus(ViewId),
    /// To have the numbers of its filter typed.
    EditFilter(ViewId),
    /// To have the rows that pass shown.
    ShowRows,
    /// To have its settings shown.
    Settings(ViewId),
    /// To have its numbers written to a file.
    ExportData(ViewId),
    /// To have its picture written to a file.
    ExportPicture(ViewId),
    /// To have its computation tried again.
    Retry,
}

/// One kind of view.
pub struct ViewClass {
    /// Which.
    pub kind: ViewKind,
    /// Its name in menus.
    pub name: &'static str,
    /// One sentence for a person.
    pub doc: &'static str,
    /// Asks and paints inside a rectangle below the header, or says why there is no picture.
    pub show: fn(&mut Ui, Rect, &ViewSpec, &mut ViewState, &mut ViewContext<'_>) -> Result<(), Blank>,
}

/// Every kind of view.
pub static VIEWS: &[ViewClass] = &[
    ViewClass {
        kind: ViewKind::Histogram,
        name: "Histogram",
        doc: "Rows along one axis of numbers or times",
        show: histogram::show,
    },
    ViewClass {
        kind: ViewKind::Heatmap,
        name: "Heatmap",
        doc: "Rows over a plane of two axes",
        show: heatmap::show,
    },
    ViewClass { kind: ViewKind::Bars, name: "Bars", doc: "Rows of each value of a column", show: bars::show },
    ViewClass {
        kind: ViewKind::Groups,
        name: "Group-by table",
        doc: "Measures of the rows of each group, by one or several keys",
        show: groups::show,
    },
    ViewClass {
        kind: ViewKind::Number,
        name: "Number",
        doc: "One measure of the rows selected",
        show: number::show,
    },
    ViewClass { kind: ViewKind::Rows, name: "Rows", doc: "The rows themselves", show: rows::show },
];

/// The class of a kind of view.
pub fn class_of(kind: ViewKind) -> &'static ViewClass {
    VIEWS.iter().find(|class| class.kind == kind).unwrap_or(&VIEWS[0])
}

/// The `n`-th question of a view.
fn slot(view: ViewId, n: u64) -> Slot {
    Slot(view.0 * 16 + n)
}
