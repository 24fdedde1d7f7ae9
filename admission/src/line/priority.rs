//! One line for each class of urgency: the line of the most urgent class that waits is served first.
//!
//! A class that waits while `share` turns go to more urgent ones gets the next turn, so that it cannot starve. Without a
//! share the order is strict. Source of the classes: RFC 9218 (`priority: u=0…7`, 0 is the most urgent, 3 the default).

use std::{num::NonZeroU32, time::Duration};

use super::{
    algorithm::{Arrival, Ended, Line, Load, Turn},
    caller::{Caller, Class, Id},
};

/// The line that the [module](self) describes.
pub struct Priority {
    lines: [Box<dyn Line>; Class::COUNT],
    share: Option<NonZeroU32>,
    /// For each class, the number of turns that more urgent classes got while it waited.
    passed_over: [u32; Class::COUNT],
}

impl Priority {
    /// A waiting class gets one turn in 20, so 5 % of the capacity.
    pub const DEFAULT_SHARE: NonZeroU32 = NonZeroU32::new(20).unwrap();

    /// Makes a line for each class with `build`. `share` is the number of turns of more urgent classes after which a waiting
    /// class gets one; with `None` it gets none while a more urgent request waits.
    pub fn new(build: impl Fn() -> Box<dyn Line>, share: Option<NonZeroU32>) -> Self {
        Self {
            lines: std::array::from_fn(|_| build()),
            share,
            passed_over: [0; Class::COUNT],
        }
    }

    /// The class that gets the next turn; `None` if no request waits.
    fn due(&self) -> Option<usize> {
        let first = self.lines.iter().position(|line| !line.is_empty())?;
        let starved = (first + 1..Class::COUNT)
            .filter(|&class| !self.lines[class].is_empty())
            .max_by_key(|&class| self.passed_over[class])
            .filter(|&class| self.share.is_some_and(|share| self.passed_over[class] >= share.get()));
        Some(starved.unwrap_or(first))
    }

    /// The input of the line of `class`: the requests of more urgent classes are ahead of it.
    fn load(&self, class: usize, load: &Load) -> Load {
        let ahead: usize = self.lines[..class].iter().map(|line| line.len()).sum();
        Load {
            ahead: load.ahead + ahead,
            ..*load
        }
    }
}

impl Line for Priority {
    fn arrive(&mut self, now: Duration, caller: Caller, load: &Load) -> Arrival {
        let class = usize::from(caller.class.urgency());
        let load = self.load(class, load);
        self.lines[class].arrive(now, caller, &load)
    }

    fn next(&mut self, now: Duration, load: &Load) -> Option<Turn> {
        let class = self.due()?;
        let turn = self.lines[class].next(now, load)?;
        if let Turn::Serve(_) = turn {
            self.passed_over[class] = 0;
            for less in class + 1..Class::COUNT {
                self.passed_over[less] += u32::from(!self.lines[less].is_empty());
            }
        }
        Some(turn)
    }

    fn leave(&mut self, id: Id) -> bool {
        self.lines.iter_mut().any(|line| line.leave(id))
    }

    fn len(&self) -> usize {
        self.lines.iter().map(|line| line.len()).sum()
    }

    fn passed(&mut self, now: Duration) {
        for line in &mut self.lines {
            line.passed(now);
        }
    }

    fn ended(&mut self, ended: &Ended, load: &Load) {
        for line in &mut self.lines {
            line.ended(ended, load);
        }
    }

    fn patience(&self, caller: &Caller, load: &Load) -> Option<Duration> {
        self.lines[usize::from(caller.class.urgency())].patience(caller, load)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            algorithm::{LineSettings, Reason, tests::*},
            fifo::Fifo,
        },
        *,
    };

    fn line(share: Option<u32>) -> Priority {
        let share = share.and_then(NonZeroU32::new);
        Priority::new(
            || {
                Box::new(Fifo::new(LineSettings {
                    places: 3,
                    ..LineSettings::default()
                }))
            },
            share,
        )
    }

    fn of_class(id: u64, urgency: u8) -> Caller {
        Caller {
            class: Class::new(urgency).unwrap(),
            ..caller(id, 0)
        }
    }

    fn serve(line: &mut Priority) -> u64 {
        let Some(Turn::Serve(caller)) = line.next(ms(9), &LOAD) else {
            panic!("a request waits");
        };
        caller.id.0
    }

    #[test]
    fn serves_the_most_urgent_class_first() {
        let mut line = line(None);
        for (id, urgency) in [(1, 7), (2, 3), (3, 0), (4, 3)] {
            assert_eq!(line.arrive(ms(0), of_class(id, urgency), &LOAD), Arrival::Waits);
        }
        assert!(line.leave(Id(2)));
        assert_eq!([(); 3].map(|()| serve(&mut line)), [3, 4, 1]);
    }

    #[test]
    fn a_class_that_waits_gets_its_share() {
        let mut line = line(Some(2));
        line.arrive(ms(0), of_class(100, 7), &LOAD);
        line.arrive(ms(0), of_class(101, 7), &LOAD);
        let mut served = Vec::new();
        for id in 0..6 {
            line.arrive(ms(0), of_class(id, 0), &LOAD);
            served.push(serve(&mut line));
        }
        assert_eq!(served, [0, 1, 100, 2, 3, 101]);
    }

    #[test]
    fn each_class_has_the_bound_of_its_line() {
        let mut line = line(None);
        for id in 0..3 {
            line.arrive(ms(0), of_class(id, 5), &LOAD);
        }
        assert_eq!(
            line.arrive(ms(0), of_class(3, 5), &LOAD),
            Arrival::Rejected(Reason::Full)
        );
        assert_eq!(line.arrive(ms(0), of_class(4, 0), &LOAD), Arrival::Waits);
    }
}
