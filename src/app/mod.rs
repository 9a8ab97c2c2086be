//! The window: joins session, engine and views, twice per frame.
//!
//! [`App::logic`](eframe::App::logic) takes in what has finished and applies commands; it paints
//! nothing. [`App::ui`](eframe::App::ui) paints and says in commands what is wanted; it changes
//! nothing of the session. Neither ever reads a file or waits.

mod canvas;
mod chip;
mod columns;
mod dialogs;
mod exports;
mod inspector;
mod menu;
mod monitor;
mod palette;
mod reference;
mod shortcuts;
mod status;
mod strip;
mod style;
mod toast;
mod variables;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::dataset::Dataset;
use crate::engine::{Engine, Event, Reply, RowsReply, RowsRequest, Slot};
use crate::query::Brush;
use crate::query::Question;
use crate::session::{Command, Document, Gesture, Request, Session, ThemeChoice, ViewId, ViewKind};
use crate::views::{Answers, Theme, ViewContext, ViewState, Wish, glance};

use dialogs::Dialog;
use monitor::Monitor;

/// What the window begins with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// A file to open.
    pub path: Option<PathBuf>,
    /// A saved session to go on with.
    pub session: Option<Document>,
}

/// How long the pointer stays on a column's line before its brush is prepared, in seconds.
const REST: f32 = 0.2;

/// The longest that a picture under the hand stays as it is, in seconds.
const FRAME: f32 = 0.03;
/// How often progress is seen to move, in seconds: painting takes the processors from the scan it tells of.
const PROGRESS: f32 = 0.1;

/// What begins before there is a window: the file is opened while the system makes one.
struct Begun {
    engine: Engine,
    /// What the engine wakes.
    context: Arc<OnceLock<egui::Context>>,
    session: Session,
    /// A session that is being read.
    opening: Option<PathBuf>,
}

impl Begun {
    fn new(start: Start) -> std::io::Result<Begun> {
        let context: Arc<OnceLock<egui::Context>> = Arc::default();
        let wake = context.clone();
        let mut engine = Engine::new(move || {
            if let Some(context) = wake.get() {
                context.request_repaint();
            }
        })?;
        let (mut session, mut opening) = (Session::new(), None);
        let mut commands: Vec<Command> = Vec::new();
        commands.extend(start.session.map(|document| Command::Restore(Box::new(document))));
        match start.path {
            Some(path) if exports::is_session(&path) => {
                opening = Some(path.clone());
                exports::read_session(&mut engine, path);
            }
            path => commands.extend(path.map(Command::Open)),
        }
        for Request::Open(path) in commands.into_iter().flat_map(|command| session.apply(command)) {
            engine.open(path);
        }
        Ok(Begun { engine, context, session, opening })
    }
}

/// The window.
pub struct App {
    session: Session,
    engine: Engine,
    commands: Vec<Command>,
    wishes: Vec<Wish>,
    views: HashMap<ViewId, ViewState>,
    focused: Option<ViewId>,
    /// Whether the settings of the focused view are shown.
    inspecting: bool,
    dialog: Option<Dialog>,
    palette: Option<palette::Palette>,
    strip: strip::Strip,
    columns: columns::Columns,
    toast: toast::Toast,
    hint: String,
    /// The hint of the frame before: the status line is laid out before the views say theirs.
    hint_shown: String,
    count: Option<u64>,
    exact: bool,
    /// Share of the rows read where the count is an estimate.
    estimated: Option<f64>,
    themed: Option<ThemeChoice>,
    opening_session: Option<PathBuf>,
    monitor: Monitor,
}

impl App {
    /// The window's contents, without the window.
    ///
    /// # Errors
    /// The system gave no threads.
    pub fn new(ctx: &egui::Context, start: Start) -> std::io::Result<App> {
        Ok(App::of(ctx, Begun::new(start)?))
    }

    fn of(ctx: &egui::Context, begun: Begun) -> App {
        style::install(ctx);
        let Begun { engine, context, session, opening } = begun;
        // Whoever has woken it before is heard in the first frame.
        let _ = context.set(ctx.clone());
        App {
            session,
            engine,
            commands: Vec::new(),
            wishes: Vec::new(),
            views: HashMap::new(),
            focused: None,
            inspecting: false,
            dialog: None,
            palette: None,
            strip: strip::Strip::default(),
            columns: columns::Columns::default(),
            toast: toast::Toast::default(),
            hint: String::new(),
            hint_shown: String::new(),
            count: None,
            exact: true,
            estimated: None,
            themed: None,
            opening_session: opening,
            monitor: Monitor::from_environment(),
        }
    }

    /// Shows a table that is open already, under the name `path`.
    pub fn show(&mut self, path: PathBuf, dataset: Arc<Dataset>) {
        self.session.apply(Command::Open(path.clone()));
        self.commands.push(Command::Opened { path, result: Ok(dataset) });
    }

    /// Says what is to be changed; it is, before the next frame is painted.
    pub fn push(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// What is open.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Rows that pass all filters, once counted, and whether that is of the filters as they stand.
    pub fn count(&self) -> (Option<u64>, bool) {
        (self.count, self.exact)
    }

    /// What a view remembers and shows.
    pub fn view(&self, id: ViewId) -> Option<&ViewState> {
        self.views.get(&id)
    }

    /// Whether everything asked for has been answered and everything wanted done.
    pub fn is_settled(&self) -> bool {
        let status = self.engine.status();
        let is_idle = status.progress.is_none() && status.waiting == 0 && status.jobs == 0;
        is_idle && self.exact && self.commands.is_empty() && self.session.opening().is_none()
    }

    fn take_in(&mut self, ctx: &egui::Context) {
        for event in self.engine.poll() {
            match event {
                Event::Opened { path, result } => self.commands.push(Command::Opened { path, result }),
                Event::Done { name, result } => exports::done(self, ctx, &name, result),
            }
        }
        // Taken out: while the window is hidden, the same input may be seen again.
        for file in ctx.input_mut(|input| std::mem::take(&mut input.raw.dropped_files)) {
            exports::open(self, file.path().to_owned());
        }
    }

    /// Does what the views wished for in the last frame.
    fn grant(&mut self) {
        for wish in std::mem::take(&mut self.wishes) {
            match wish {
                Wish::Focus(view) => self.focused = Some(view),
                Wish::Settings(view) => {
                    self.focused = Some(view);
                    self.inspecting = true;
                }
                Wish::EditFilter(view) => self.strip.edit = Some(view),
                Wish::ShowRows => self.show_rows(),
                Wish::Retry => self.engine.retry(),
                Wish::ExportData(view) => {
                    self.focused = Some(view);
                    self.dialog = dialogs::export_data(self, view);
                }
                Wish::ExportPicture(view) => {
                    self.focused = Some(view);
                    self.dialog = dialogs::export_picture(self, view);
                }
            }
        }
    }

    fn apply(&mut self, ctx: &egui::Context) {
        for command in std::mem::take(&mut self.commands) {
            let opens = matches!(command, Command::Opened { result: Ok(_), .. } | Command::Restore(_));
            for request in self.session.apply(command) {
                match request {
                    Request::Open(path) => self.engine.open(path),
                }
            }
            if opens {
                self.views.clear();
                self.count = None;
            }
        }
        let session = &self.session;
        self.views.retain(|id, _| session.has_view(*id) || glance::is_column(*id));
        self.focused = self.focused.filter(|view| session.has_view(*view));
        let theme = self.session.document().theme;
        if self.themed != Some(theme) {
            self.themed = Some(theme);
            style::choose(ctx, theme);
        }
    }

    /// Brings the rows on screen: a view of them, the first there is or a new one.
    fn show_rows(&mut self) {
        let document = self.session.document();
        let rows = document.views.iter().find(|view| view.kind == ViewKind::Rows).map(|view| view.id);
        self.focused = rows.or_else(|| {
            menu::add_view(self, ViewKind::Rows);
            self.focused
        });
    }

    /// The brush under the hand: the one dragged, or the one the pointer could drag.
    fn held(&self, ctx: &egui::Context) -> Option<Brush> {
        let pointer = ctx.pointer_hover_pos();
        let rests = ctx.input(|input| input.pointer.time_since_last_movement()) > REST;
        let under = |(id, view): &(&ViewId, &ViewState)| {
            // A pointer on its way across the list of columns is not about to brush each of them.
            let may_brush = rests || !glance::is_column(**id);
            may_brush && pointer.zip(view.plot()).is_some_and(|(at, plot)| plot.contains(at))
        };
        let dragged = self.views.values().find(|view| view.is_brushing());
        let view = dragged.or_else(|| self.views.iter().find(under).map(|(_, view)| view))?;
        view.brush()
    }

    /// Shows something of a view: gives its state and what views may look at to `show`.
    fn with_view<R>(
        &mut self,
        theme: &'static Theme,
        view: ViewId,
        show: impl FnOnce(&mut ViewState, &mut ViewContext<'_>) -> R,
    ) -> R {
        let brushing = self.is_brushing();
        let state = self.views.entry(view).or_default();
        let mut context = ViewContext {
            session: &self.session,
            answers: &mut self.engine,
            theme,
            commands: &mut self.commands,
            wishes: &mut self.wishes,
            hint: &mut self.hint,
            brushing,
            focused: self.focused,
        };
        show(state, &mut context)
    }

    /// Whether a brush is being dragged anywhere.
    fn is_brushing(&self) -> bool {
        self.views.values().any(ViewState::is_brushing)
    }
}

impl Answers for Engine {
    fn answer(&mut self, slot: Slot, question: &Question) -> Reply {
        Engine::answer(self, slot, question)
    }

    fn unbrushed(&mut self, slot: Slot, question: &Question) -> Reply {
        Engine::unbrushed(self, slot, question)
    }

    fn glance(&mut self, slot: Slot, question: &Question) -> Reply {
        Engine::glance(self, slot, question)
    }

    fn rows(&mut self, slot: Slot, request: &RowsRequest) -> RowsReply {
        Engine::rows(self, slot, request)
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.monitor.begin(ctx);
        self.take_in(ctx);
        // Keys are for the view that was clicked before.
        self.grant();
        shortcuts::take(self, ctx);
        self.apply(ctx);
        let status = self.engine.status();
        let settled = status.progress.is_none() && status.waiting == 0 && self.exact;
        let shown = (self.count, self.exact, settled);
        let is_held = ctx.input(|input| input.pointer.any_down());
        self.monitor.report(&self.session, shown, is_held, self.focused, &self.views, &mut self.engine);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.hint_shown = std::mem::take(&mut self.hint);
        let theme = Theme::current(ui);
        self.engine.hold(self.held(ui.ctx()));
        // Lines of the list say anew where they are, if they still are on screen.
        self.views.iter_mut().filter(|(id, _)| glance::is_column(**id)).for_each(|(_, state)| state.leave());
        menu::show(self, ui, theme);
        strip::show(self, ui, theme);
        let exactness = status::exactness(self);
        status::show(self, ui, theme);
        columns::show(self, ui, theme);
        inspector::show(self, ui, theme);
        canvas::show(self, ui, theme);
        dialogs::show(self, ui, theme);
        palette::show(self, ui, theme);
        toast::show(self, ui, theme);
        let status = self.engine.status();
        if self.is_brushing() {
            ui.ctx().request_repaint_after_secs(FRAME);
        } else if status.progress.is_some() || status.jobs > 0 {
            // Answers wake the window by themselves.
            ui.ctx().request_repaint_after_secs(PROGRESS);
        }
        // The status line is laid out before the views are: what they say of themselves it says a frame later.
        if self.hint != self.hint_shown || exactness != status::exactness(self) {
            ui.ctx().request_repaint();
        }
        self.engine.end_frame();
        let of_views =
            self.views.iter().filter(|(id, view)| !glance::is_column(**id) && view.plot().is_some());
        let pictures = of_views.count();
        self.monitor.end(self.is_brushing(), pictures);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.monitor.write();
    }
}

/// Which part of a drag a change by the widget `id` belongs to: the first since the button went down begins one
/// step of undo, and so does each that no button makes.
fn part_of_drag(ui: &egui::Ui, id: egui::Id) -> Gesture {
    let pressed = ui.input(|input| input.pointer.press_start_time());
    let id = id.with("changed in the drag that began at");
    let before = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default(id), pressed));
    if pressed.is_some() && before == pressed { Gesture::Continue } else { Gesture::Begin }
}

/// Opens the window and stays until it is closed.
///
/// # Errors
/// There is no display, or no way to draw on it.
pub fn run(start: Start) -> anyhow::Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Outcrop")
        .with_app_id("outcrop")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([720.0, 480.0])
        .with_drag_and_drop(true);
    let begun = Begun::new(start)?;
    let options = eframe::NativeOptions { viewport, persist_window: false, ..Default::default() };
    eframe::run_native(
        "outcrop",
        options,
        Box::new(|context| Ok(Box::new(App::of(&context.egui_ctx, begun)))),
    )
    .map_err(|error| anyhow::anyhow!("the window cannot be opened: {error}"))
}
