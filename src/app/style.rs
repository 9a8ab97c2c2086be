//! The theme's tokens as egui's style: fonts, colours, spacing.

use std::sync::Arc;

use egui::style::{ScrollStyle, WidgetVisuals};
use egui::{
    Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Shadow, Stroke, Style, TextStyle,
};

use crate::session::ThemeChoice;
use crate::views::Theme;
use crate::views::theme::strong_family;

/// Gives the window its fonts and both its styles.
pub(super) fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    for (theme, dark) in [(egui::Theme::Light, false), (egui::Theme::Dark, true)] {
        ctx.style_mut_of(theme, |style| apply(style, Theme::of(dark)));
    }
    ctx.options_mut(|options| {
        options.fallback_theme = egui::Theme::Light;
        options.zoom_with_keyboard = true;
        // A press that wanders a little is still a click; the brush needs no more than this either.
        options.input_options.max_click_dist = 4.0;
    });
}

/// Follows the system, or not.
pub(super) fn choose(ctx: &Context, choice: ThemeChoice) {
    ctx.set_theme(match choice {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Light => egui::ThemePreference::Light,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
    });
}

/// Roboto, whose figures are of one width; behind it egui's own fonts for rarer signs.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let regular = FontData::from_static(include_bytes!("../../assets/fonts/Roboto-Regular.ttf"));
    let medium = FontData::from_static(include_bytes!("../../assets/fonts/Roboto-Medium.ttf"));
    fonts.font_data.insert("regular".to_owned(), Arc::new(regular));
    fonts.font_data.insert("medium".to_owned(), Arc::new(medium));
    let others = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let led_by = |first: &str| {
        let mut names = vec![first.to_owned()];
        names.extend(others.iter().cloned());
        names
    };
    fonts.families.insert(strong_family(), led_by("medium"));
    fonts.families.insert(FontFamily::Proportional, led_by("regular"));
    fonts
}

fn apply(style: &mut Style, theme: &Theme) {
    let size = theme.size;
    let font = |size: f32| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(size.small)),
        (TextStyle::Body, font(size.body)),
        (TextStyle::Button, font(size.body)),
        (TextStyle::Heading, font(size.large)),
        (TextStyle::Monospace, FontId::new(size.body, FontFamily::Monospace)),
    ]
    .into();
    style.animation_time = 0.1;
    let spacing = &mut style.spacing;
    spacing.item_spacing = egui::vec2(size.unit, size.unit * 0.5);
    spacing.button_padding = egui::vec2(size.unit, 3.0);
    spacing.interact_size = egui::vec2(32.0, size.row);
    spacing.menu_margin = egui::Margin::same(6);
    spacing.window_margin = egui::Margin::same(16);
    spacing.scroll = ScrollStyle { bar_width: 8.0, ..ScrollStyle::solid() };
    spacing.scroll.bar_inner_margin = 2.0;
    spacing.scroll.bar_outer_margin = 1.0;
    style.interaction.tooltip_delay = 0.4;
    style.interaction.selectable_labels = false;
    style.interaction.resize_grab_radius_side = size.grab;

    let visuals = &mut style.visuals;
    visuals.dark_mode = theme.dark;
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(theme.weak);
    visuals.panel_fill = theme.panel;
    visuals.window_fill = theme.popup;
    visuals.window_stroke = Stroke::new(size.hairline, theme.outline);
    visuals.window_corner_radius = CornerRadius::same(8);
    visuals.menu_corner_radius = CornerRadius::same(6);
    visuals.window_shadow = Shadow { offset: [0, 8], blur: 32, spread: 0, color: theme.shadow };
    visuals.popup_shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: theme.shadow };
    visuals.extreme_bg_color = theme.field;
    visuals.text_edit_bg_color = Some(theme.field);
    visuals.faint_bg_color = theme.hover;
    visuals.code_bg_color = theme.hover;
    visuals.error_fg_color = theme.error;
    visuals.warn_fg_color = theme.error;
    visuals.hyperlink_color = theme.accent;
    visuals.selection.bg_fill = theme.accent.gamma_multiply(if theme.dark { 0.45 } else { 0.28 });
    visuals.selection.stroke = Stroke::new(1.0, theme.text);
    visuals.text_cursor.stroke = Stroke::new(1.5, theme.accent);
    visuals.striped = false;
    visuals.slider_trailing_fill = true;
    let widget = |fill, outline, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(size.hairline, outline),
        corner_radius: CornerRadius::same(4),
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let widgets = &mut visuals.widgets;
    widgets.noninteractive = widget(theme.panel, theme.hairline, theme.text);
    widgets.inactive = widget(theme.field, theme.outline, theme.text);
    widgets.hovered = widget(theme.hover, theme.outline, theme.text);
    widgets.active = widget(theme.active, theme.accent, theme.text);
    widgets.open = widget(theme.active, theme.outline, theme.text);
}
