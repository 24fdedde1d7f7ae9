//! The search for the highest rate that a service holds: it has no clock and no I/O, so that it is tested in plain
//! numbers. It doubles the rate until one fails, and then halves the distance (on a log scale) between the highest rate
//! that holds and the lowest that fails. The highest rate that held is then tested for longer. The answer comes from
//! that test alone.

/// The search does not go below this share of the first rate (arbitrary: four halvings, which take minutes at a low rate).
const LOWEST: f64 = 1.0 / 16.0;
/// The most probes (arbitrary: doubling from 1 to 100 million, and bisecting to 1 % with every failure seen twice, take
/// less).
const MOST_PROBES: u32 = 120;

/// How often a failed test is repeated. The rate counts as too high only if the repetition fails too.
const REPEAT_FAILED: u32 = 1;
/// How often a test is repeated in which the load client was the limit (arbitrary: a machine is busy with other things for a
/// while, and such a test says nothing).
const REPEAT_LIMITED: u32 = 3;
/// The share by which the highest rate that holds and a rate at which the load client is the limit may differ at the
/// end (arbitrary: in this case the answer is only a lower bound of the capacity).
const LIMITED_PRECISION: f64 = 0.2;

/// The range and the precision of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchSettings {
    /// The first rate, in requests per second; more than 0.
    pub first: f64,
    /// No higher rate is tested; at least the first one.
    pub highest: f64,
    /// The rates that hold and that fail may differ by this share at the end: 0.02 is 2 %.
    pub precision: f64,
}

/// A rate to be tested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// In requests per second.
    pub rate: f64,
    /// Whether this is the longer test, from which the answer comes.
    pub long: bool,
    /// How many times this test has been repeated, because the rate did not hold.
    pub again: u32,
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The service holds the rate.
    Holds,
    /// The service does not hold the rate.
    Fails,
    /// The load client was the limit, so the test says nothing about the service.
    Limited,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Run this test.
    Probe(Probe),
    /// The search is over.
    End(End),
}

/// How a search ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// The capacity is between these rates.
    Between {
        /// The highest rate that held in the longer test.
        holds: f64,
        /// The lowest rate that failed.
        fails: f64,
    },
    /// The capacity is at least this rate, which held in the longer test.
    AtLeast {
        /// The rate, in requests per second.
        holds: f64,
        /// Whether the load client was the limit above this rate. If not, this is the highest rate that the search may
        /// test.
        limited: bool,
    },
    /// No rate held.
    Nothing {
        /// The lowest rate that was tested.
        lowest: f64,
        /// Whether the load client was the limit at that rate.
        limited: bool,
    },
    /// The tests contradict each other too often.
    Unsettled,
}

/// The search. [`Search::next`] says what to test, and [`Search::saw`] takes what the test showed.
#[derive(Debug, Clone)]
pub struct Search {
    settings: SearchSettings,
    /// The rates that held in a short test, in rising order.
    held: Vec<f64>,
    /// The lowest rate above `held` that did not hold, and whether the load client was the limit.
    ceiling: Option<(f64, bool)>,
    probes: u32,
    next: Next,
}

impl Search {
    /// A search that has not begun.
    pub fn new(settings: SearchSettings) -> Self {
        Self {
            settings,
            held: Vec::new(),
            ceiling: None,
            probes: 0,
            next: short(settings.first.min(settings.highest)),
        }
    }

    /// What comes next. The answer is the same until [`Search::saw`] is called.
    pub fn next(&self) -> Next {
        self.next
    }

    /// Takes the result of the test that was next. A test that does not hold is repeated, and only the last result counts: a
    /// pause of the machine is no limit of the service.
    pub fn saw(&mut self, seen: Seen) {
        let Next::Probe(probe) = self.next else { return };
        self.probes += 1;
        self.next = match seen {
            Seen::Holds if probe.long => Next::End(self.answer(probe.rate)),
            Seen::Holds => {
                self.held.push(probe.rate);
                self.further()
            }
            Seen::Fails if probe.again < REPEAT_FAILED => repeated(probe),
            Seen::Limited if probe.again < REPEAT_LIMITED => repeated(probe),
            Seen::Fails | Seen::Limited => {
                self.held.retain(|held| *held < probe.rate);
                self.ceiling = Some((probe.rate, seen == Seen::Limited));
                self.further()
            }
        };
        if self.probes >= MOST_PROBES && matches!(self.next, Next::Probe(_)) {
            self.next = Next::End(End::Unsettled);
        }
    }

    fn answer(&self, holds: f64) -> End {
        match self.ceiling {
            Some((fails, false)) => End::Between { holds, fails },
            Some((_, true)) => End::AtLeast { holds, limited: true },
            None => End::AtLeast { holds, limited: false },
        }
    }

    fn further(&self) -> Next {
        let SearchSettings {
            first,
            highest,
            precision,
        } = self.settings;
        let precise = |limited: bool| {
            if limited {
                precision.max(LIMITED_PRECISION)
            } else {
                precision
            }
        };
        match (self.held.last(), self.ceiling) {
            (None, None) => short(first),
            (None, Some((rate, limited))) if rate / 2.0 < first * LOWEST => {
                Next::End(End::Nothing { lowest: rate, limited })
            }
            (None, Some((rate, _))) => short(rate / 2.0),
            (Some(held), None) if *held < highest => short((2.0 * held).min(highest)),
            (Some(held), Some((rate, limited))) if rate > held * (1.0 + precise(limited)) => {
                let between = rounded((held * rate).sqrt());
                // The two are so close that no rate of four digits is between them.
                if between <= *held || between >= rate {
                    return long(*held);
                }
                short(between)
            }
            (Some(held), _) => long(*held),
        }
    }
}

fn repeated(probe: Probe) -> Next {
    Next::Probe(Probe {
        again: probe.again + 1,
        ..probe
    })
}

fn short(rate: f64) -> Next {
    Next::Probe(Probe {
        rate,
        long: false,
        again: 0,
    })
}

fn long(rate: f64) -> Next {
    Next::Probe(Probe {
        rate,
        long: true,
        again: 0,
    })
}

/// Rounds a rate to four digits: a test cannot tell more apart, and they are short to read.
fn rounded(rate: f64) -> f64 {
    let decade = rate.log10().floor() - 3.0;
    let unit = 10_f64.powf(decade.abs());
    // Divided by a whole number, it is the float nearest to its digits.
    if decade < 0.0 {
        (rate * unit).round() / unit
    } else {
        (rate / unit).round() * unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: SearchSettings = SearchSettings {
        first: 10.0,
        highest: 1e6,
        precision: 0.02,
    };

    /// The end of a search in which `shows` gives the result of each test, and the tests that it made.
    fn run(settings: SearchSettings, mut shows: impl FnMut(Probe) -> Seen) -> (End, Vec<Probe>) {
        let mut search = Search::new(settings);
        let mut probes = Vec::new();
        loop {
            match search.next() {
                Next::End(end) => return (end, probes),
                Next::Probe(probe) => {
                    probes.push(probe);
                    search.saw(shows(probe));
                }
            }
        }
    }

    fn up_to(capacity: f64) -> impl Fn(Probe) -> Seen {
        move |probe| {
            if probe.rate <= capacity {
                Seen::Holds
            } else {
                Seen::Fails
            }
        }
    }

    #[test]
    fn any_capacity_is_between_two_rates_that_differ_by_the_precision() {
        let mut capacity = 0.7;
        while capacity < 900_000.0 {
            let (end, probes) = run(SETTINGS, up_to(capacity));
            let End::Between { holds, fails } = end else {
                panic!("{capacity}: {end:?}")
            };
            assert!(holds <= capacity && capacity < fails, "{capacity}: {end:?}");
            assert!(fails / holds <= 1.0201, "{capacity}: {end:?}");
            assert!(probes.len() < 40, "{capacity}: {} probes", probes.len());
            let last = probes.last().unwrap();
            assert!(last.long && (last.rate - holds).abs() < 1e-9, "{last:?}");
            capacity *= 1.07;
        }
    }

    #[test]
    fn the_rates_double_and_then_close_in_and_each_failure_is_seen_twice() {
        let (end, probes) = run(
            SearchSettings {
                precision: 0.2,
                ..SETTINGS
            },
            up_to(60.0),
        );
        let shown: Vec<String> = probes
            .iter()
            .map(|probe| {
                let marks = [(probe.again > 0, " again"), (probe.long, " long")];
                let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
                format!("{}{marks}", probe.rate)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "10",
                "20",
                "40",
                "80",
                "80 again",
                "56.57",
                "67.27",
                "67.27 again",
                "56.57 long"
            ]
        );
        let End::Between { holds, fails } = end else {
            panic!("{end:?}")
        };
        assert!((holds - 56.57).abs() < 1e-9 && (fails - 67.27).abs() < 1e-9, "{end:?}");
    }

    #[test]
    fn a_rate_has_four_digits() {
        let rates = [0.123_456, 12.345_678, 153.207_1, 1234.5, 123_456.7];
        let shown = rates.map(|rate| rounded(rate).to_string());
        assert_eq!(shown, ["0.1235", "12.35", "153.2", "1235", "123500"]);
    }

    #[test]
    fn a_single_failure_by_chance_changes_nothing() {
        for number in 0..14 {
            let mut made = 0;
            let (end, _) = run(SETTINGS, |probe| {
                made += 1;
                if made == number + 1 {
                    Seen::Fails
                } else {
                    up_to(153.0)(probe)
                }
            });
            let End::Between { holds, fails } = end else {
                panic!("{number}: {end:?}")
            };
            assert!(holds <= 153.0 && fails > 153.0, "{number}: {end:?}");
        }
    }

    #[test]
    fn the_answer_comes_from_the_longer_test() {
        // A short test does not see the last 10 %.
        let (end, probes) = run(SETTINGS, |probe| up_to(if probe.long { 150.0 } else { 165.0 })(probe));
        let End::Between { holds, fails } = end else {
            panic!("{end:?}")
        };
        assert!(holds <= 150.0 && holds > 140.0, "{end:?}");
        assert!(fails > 150.0 && fails / holds < 1.03, "{end:?}");
        assert!(probes.iter().filter(|probe| probe.long).count() > 2, "{probes:?}");
    }

    #[test]
    fn where_the_load_client_is_the_limit_the_capacity_is_at_least_what_held() {
        let limited_from = |limit: f64, capacity: f64| {
            move |probe: Probe| {
                if probe.rate > limit {
                    Seen::Limited
                } else {
                    up_to(capacity)(probe)
                }
            }
        };
        let (end, _) = run(SETTINGS, limited_from(5000.0, 1e9));
        let End::AtLeast { holds, limited: true } = end else {
            panic!("{end:?}")
        };
        assert!(holds <= 5000.0 && holds > 4150.0, "{end:?}");
        // If the service fails below the limit of the load client, the search has an exact answer.
        let (end, _) = run(SETTINGS, limited_from(5000.0, 4000.0));
        assert!(matches!(end, End::Between { .. }), "{end:?}");
        // If the load client is the limit only now and then, the search still has an exact answer.
        let mut made = 0;
        let (end, _) = run(SETTINGS, |probe| {
            made += 1;
            if made % 4 == 0 {
                up_to(153.0)(probe)
            } else {
                Seen::Limited
            }
        });
        assert!(
            matches!(end, End::Between { holds, fails } if holds <= 153.0 && fails > 153.0),
            "{end:?}"
        );
        let (end, _) = run(SETTINGS, limited_from(0.0, 1e9));
        assert!(matches!(end, End::Nothing { limited: true, .. }), "{end:?}");
    }

    #[test]
    fn a_search_ends_at_its_highest_rate_and_where_nothing_holds() {
        let low = SearchSettings {
            highest: 70.0,
            ..SETTINGS
        };
        let (end, probes) = run(low, up_to(1e9));
        assert_eq!(
            end,
            End::AtLeast {
                holds: 70.0,
                limited: false
            }
        );
        assert!(probes.iter().all(|probe| probe.rate <= 70.0));
        let (end, _) = run(SETTINGS, |_| Seen::Fails);
        let End::Nothing { lowest, limited: false } = end else {
            panic!("{end:?}")
        };
        assert!((lowest - 0.625).abs() < 1e-9, "{end:?}");
    }

    #[test]
    fn tests_that_contradict_each_other_end_the_search() {
        // Here every rate that holds in a short test fails in the longer test.
        let (end, probes) = run(SETTINGS, |probe| if probe.long { Seen::Fails } else { Seen::Holds });
        assert_eq!(end, End::Unsettled);
        assert_eq!(probes.len(), MOST_PROBES as usize);
    }
}
