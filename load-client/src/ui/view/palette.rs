//! How lines are told apart: by colour, or by letter where the user wants no colours (`NO_COLOR`, <https://no-color.org>).

use ratatui::{
    style::{Color, Modifier, Style},
    symbols::Marker,
};

/// In the order in which most people tell them apart on either background; all of the sixteen that a terminal lets its
/// user choose.
const COLOURS: [Color; 6] = [
    Color::Cyan,
    Color::Yellow,
    Color::Green,
    Color::Magenta,
    Color::Blue,
    Color::Red,
];

/// The colours of the view.
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
    /// As the user has asked for.
    pub(super) fn of_environment() -> Self {
        Self {
            colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Of the line at that place.
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

/// What is only there to find one's way.
pub(super) fn quiet() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// What is to be seen first.
pub(super) fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}
