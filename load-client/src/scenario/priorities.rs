//! The classes of urgency that the requests of a load have.

use std::fmt;

/// Classes of urgency, each with its share of the requests. The shares add up to 100 %.
#[derive(Debug, Clone, PartialEq)]
pub struct Priorities(Vec<ClassShare>);

/// A class of urgency, and how many of the requests are of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassShare {
    /// The urgency as in the metadata `priority: u=0` (RFC 9218): 0 is the most urgent, 7 the least.
    pub urgency: u8,
    /// The share of all requests, from 0 to 1.
    pub share: f64,
}

impl Priorities {
    /// Keeps the classes in this order. The caller has checked that there is at least one and that the shares add up to 1.
    pub fn new(classes: Vec<ClassShare>) -> Self {
        Self(classes)
    }

    /// The classes. A request names its class by the index in this list.
    pub fn classes(&self) -> &[ClassShare] {
        &self.0
    }

    /// The index of the class that `draw`, a random number from 0 to 1, falls on.
    pub fn place(&self, draw: f64) -> u8 {
        let mut left = draw;
        let place = self.0.iter().position(|class| {
            left -= class.share;
            left < 0.0
        });
        // If rounding leaves a rest, it belongs to the last class.
        let place = place.unwrap_or(self.0.len() - 1);
        u8::try_from(place).expect("there are at most eight classes")
    }
}

/// Written as the flag is: `u=0:20%,u=3:80%`.
impl fmt::Display for Priorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, class) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            // Rounded to a millionth of a percent, which hides the rounding errors of floats.
            let percent = (class.share * 1e8).round() / 1e6;
            write!(f, "{comma}u={}:{percent}%", class.urgency)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_falls_on_the_class_whose_share_it_is_in() {
        let shares = [(0, 0.2), (3, 0.7), (7, 0.1)];
        let classes = shares.map(|(urgency, share)| ClassShare { urgency, share });
        let priorities = Priorities::new(classes.into());
        let places = [0.0, 0.199, 0.2, 0.899, 0.901, 0.999_999, 1.0].map(|draw| priorities.place(draw));
        assert_eq!(places, [0, 0, 1, 1, 2, 2, 2]);
        assert_eq!(priorities.to_string(), "u=0:20%,u=3:70%,u=7:10%");
    }
}
