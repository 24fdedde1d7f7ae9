//! How lines are told apart: by colour, or by letter where the user wants no colours (`NO_COLOR`, <https://no-color.org>).

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::Marker,
};

/// The colours, in the order in which most people tell them apart on a dark or a light background. All are among the
/// sixteen colours that a user can choose for a terminal.
const COLOURS: [Color; 6] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Blue,
    Color::Red,
];

/// Whether the view uses colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Palette {
    pub(super) colours: bool,
}

/// How a line looks, in its chart and beside its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink {
    pub(super) marker: Marker,
    pub(super) colour: Color,
    pub(super) sign: char,
}

impl Ink {
    pub(super) fn style(self) -> Style {
        Style::new().fg(self.colour).add_modifier(Modifier::BOLD)
    }
}

impl Palette {
    /// No colours if the environment variable `NO_COLOR` is set, and not empty.
    pub(super) fn of_environment() -> Self {
        Self {
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// The look of the line with this index.
    pub(super) fn ink(self, index: usize) -> Ink {
        let letter = char::from(b'a' + u8::try_from(index % 26).expect("under 26"));
        if self.colours && index < COLOURS.len() {
            return Ink {
                marker: Marker::Braille,
                colour: COLOURS[index],
                sign: '●',
            };
        }
        Ink {
            marker: Marker::Custom(letter),
            colour: if self.colours {
                COLOURS[index % COLOURS.len()]
            } else {
                Color::Reset
            },
            sign: letter,
        }
    }
}

/// The style of text for orientation only, such as axes and table heads.
pub(super) fn quiet() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// The style of text that should be seen first, such as titles.
pub(super) fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}
