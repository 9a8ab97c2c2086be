//! The design tokens of `assets/theme.toml`: every colour and every size there is.

use std::sync::OnceLock;

use egui::{Color32, FontFamily, FontId, Stroke};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// A colour written `#rrggbb` or `#rrggbbaa`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token(pub Color32);

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Token, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}` is no colour of the form #rrggbb or #rrggbbaa"));
        let digits = text.strip_prefix('#').ok_or_else(wrong)?;
        let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [r, g, b, a] = match digits.len() {
            6 => (value << 8 | 0xff).to_be_bytes(),
            8 => value.to_be_bytes(),
            _ => return Err(wrong()),
        };
        Ok(Token(Color32::from_rgba_unmultiplied(r, g, b, a)))
    }
}

/// Sizes in points.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Text of ticks, units and hints.
    pub small: f32,
    /// All other text.
    pub body: f32,
    /// What an empty canvas says.
    pub large: f32,
    /// The grid every gap is a multiple of.
    pub unit: f32,
    /// Height of a line one can click on.
    pub row: f32,
    /// Height of a category's bar and of a row of the table.
    pub bar: f32,
    /// Width of a separating line.
    pub hairline: f32,
    /// How near to an edge the hand takes hold of it.
    pub grab: f32,
}

/// Colours by what they mean.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Colors {
    panel: Token,
    canvas: Token,
    field: Token,
    popup: Token,
    hover: Token,
    active: Token,
    hairline: Token,
    outline: Token,
    grid: Token,
    text: Token,
    weak: Token,
    faint: Token,
    accent: Token,
    on_accent: Token,
    accent_pale: Token,
    brush: Token,
    all: Token,
    ghost: Token,
    ghost_pale: Token,
    missing: Token,
    error: Token,
    error_pale: Token,
    shadow: Token,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    size: Sizes,
    light: Colors,
    dark: Colors,
}

/// The tokens of one theme.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// Whether this is the dark one.
    pub dark: bool,
    /// Sizes; the same in both.
    pub size: Sizes,
    /// Behind bars, lists and strips.
    pub panel: Color32,
    /// Behind pictures.
    pub canvas: Color32,
    /// Behind text being typed.
    pub field: Color32,
    /// Behind menus and dialogs.
    pub popup: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Pressed, open, or chosen in a list.
    pub active: Color32,
    /// Separates.
    pub hairline: Color32,
    /// Around what can be typed in or pressed.
    pub outline: Color32,
    /// Lines inside a picture.
    pub grid: Color32,
    /// Text.
    pub text: Color32,
    /// Text of the second rank.
    pub weak: Color32,
    /// Text of the third rank: ticks, hints.
    pub faint: Color32,
    /// Selected.
    pub accent: Color32,
    /// On [`Theme::accent`].
    pub on_accent: Color32,
    /// Passes the other filters, but lies outside the brush of this view.
    pub accent_pale: Color32,
    /// Over the inside of a brush.
    pub brush: Color32,
    /// All rows, where nothing is filtered.
    pub all: Color32,
    /// All rows, behind the selected.
    pub ghost: Color32,
    /// All rows, where a full ghost would shout.
    pub ghost_pale: Color32,
    /// Missing values.
    pub missing: Color32,
    /// Went wrong.
    pub error: Color32,
    /// Behind what went wrong.
    pub error_pale: Color32,
    /// Under menus and dialogs.
    pub shadow: Color32,
}

impl Theme {
    /// The light or the dark theme.
    pub fn of(dark: bool) -> &'static Theme {
        static THEMES: OnceLock<[Theme; 2]> = OnceLock::new();
        let themes = THEMES.get_or_init(|| {
            #[expect(clippy::expect_used, reason = "the file is part of the program; a test reads it")]
            let tokens: Tokens =
                toml::from_str(include_str!("../../assets/theme.toml")).expect("theme.toml is well formed");
            [theme(tokens.size, &tokens.light, false), theme(tokens.size, &tokens.dark, true)]
        });
        &themes[usize::from(dark)]
    }

    /// The theme `ui` is painted in.
    pub fn current(ui: &egui::Ui) -> &'static Theme {
        Theme::of(ui.visuals().dark_mode)
    }

    /// Small text.
    pub fn small(&self) -> FontId {
        FontId::new(self.size.small, FontFamily::Proportional)
    }

    /// Common text.
    pub fn body(&self) -> FontId {
        FontId::new(self.size.body, FontFamily::Proportional)
    }

    /// Text that names something.
    pub fn strong(&self) -> FontId {
        FontId::new(self.size.body, strong_family())
    }

    /// A separating line.
    pub fn hairline(&self) -> Stroke {
        Stroke::new(self.size.hairline, self.hairline)
    }
}

/// The family of text that names something.
pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

fn theme(size: Sizes, colors: &Colors, dark: bool) -> Theme {
    Theme {
        dark,
        size,
        panel: colors.panel.0,
        canvas: colors.canvas.0,
        field: colors.field.0,
        popup: colors.popup.0,
        hover: colors.hover.0,
        active: colors.active.0,
        hairline: colors.hairline.0,
        outline: colors.outline.0,
        grid: colors.grid.0,
        text: colors.text.0,
        weak: colors.weak.0,
        faint: colors.faint.0,
        accent: colors.accent.0,
        on_accent: colors.on_accent.0,
        accent_pale: colors.accent_pale.0,
        brush: colors.brush.0,
        all: colors.all.0,
        ghost: colors.ghost.0,
        ghost_pale: colors.ghost_pale.0,
        missing: colors.missing.0,
        error: colors.error.0,
        error_pale: colors.error_pale.0,
        shadow: colors.shadow.0,
    }
}

#[cfg(test)]
mod tests {
    use super::Theme;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(color: egui::Color32) -> f32 {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: egui::Color32, b: egui::Color32) -> f32 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn text_is_legible_on_every_ground() {
        for theme in [Theme::of(false), Theme::of(true)] {
            for ground in [theme.panel, theme.canvas, theme.popup, theme.field] {
                assert!(contrast(theme.text, ground) > 10.0);
                assert!(contrast(theme.weak, ground) > 5.5);
                assert!(contrast(theme.faint, ground) > 4.0);
                assert!(contrast(theme.error, ground) > 4.5);
            }
            assert!(contrast(theme.accent, theme.canvas) > 3.0, "bars stand out of the canvas");
            assert!(contrast(theme.ghost, theme.canvas) > 1.4, "ghosts can be seen");
        }
    }
}
