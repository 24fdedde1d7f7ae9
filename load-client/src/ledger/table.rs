//! Declares tables of counts: named columns, one of them the sum of others.

/// A count of the table `T`.
#[derive(Debug)]
pub struct Column<T> {
    /// The field's name in JSON, and the label's value in metrics.
    pub name: &'static str,
    /// The name of the count in tables and pages.
    pub label: &'static str,
    /// The documentation of the field: a sentence or two about what is counted.
    pub about: &'static str,
    /// The part that the count has in the sum of the table.
    pub part: Part,
    /// Reads the count from its table.
    pub of: fn(&T) -> u64,
}

/// The part that a count has in the sum of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The sum of the good, the bad and the open counts.
    Total,
    /// Requests or messages that ended well.
    Good,
    /// Requests or messages that ended badly.
    Bad,
    /// Requests or messages that have not ended.
    Open,
    /// A further count that is not in the sum.
    Beside,
}

impl Part {
    /// True if the count is part of the sum.
    pub fn is_summand(self) -> bool {
        matches!(self, Self::Good | Self::Bad | Self::Open)
    }
}

/// Declares a table of counts as a struct with a field for each count: `name: Part "label"`. The documentation of a
/// field is shown to readers of reports.
macro_rules! counts {
    (
        $(#[$doc:meta])*
        pub struct $table:ident { $(
            $(#[doc = $about:literal])+
            $(#[serde($($serde:tt)+)])?
            $name:ident: $part:ident $label:literal,
        )+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
        pub struct $table { $( $(#[doc = $about])+ $(#[serde($($serde)+)])? pub $name: u64, )+ }

        impl $table {
            /// The table's columns, in the order of the report.
            pub const COLUMNS: [Column<Self>; [$( stringify!($name) ),+].len()] = [
                $( Column {
                    name: stringify!($name),
                    label: $label,
                    about: concat!($($about),+),
                    part: Part::$part,
                    of: |counts| counts.$name,
                } ),+
            ];

            /// The counts, in the order of the columns.
            pub fn values(&self) -> [u64; Self::COLUMNS.len()] {
                [$( self.$name ),+]
            }

            /// Adds the counts of another table, column by column. The sums saturate, because a service may report
            /// numbers of any size.
            pub fn add(&mut self, other: &Self) {
                $( self.$name = self.$name.saturating_add(other.$name); )+
            }

            /// True if the total is the sum of its parts.
            pub fn balances(&self) -> bool {
                self.sum(|part| part == Part::Total) == self.sum(Part::is_summand)
            }

            /// The number of those that have ended, well or badly.
            pub fn ended(&self) -> u64 {
                self.sum(|part| matches!(part, Part::Good | Part::Bad))
            }

            fn sum(&self, of: impl Fn(Part) -> bool) -> u64 {
                let columns = Self::COLUMNS.iter().filter(|column| of(column.part));
                columns.map(|column| (column.of)(self)).fold(0, u64::saturating_add)
            }
        }

        impl From<[u64; $table::COLUMNS.len()]> for $table {
            fn from([$( $name ),+]: [u64; $table::COLUMNS.len()]) -> Self {
                Self { $( $name ),+ }
            }
        }
    };
}

pub(super) use counts;
