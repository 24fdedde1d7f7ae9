//! What a table of counts is: named columns, one of them the sum of others.

/// A count of a table, and where it is found in a `T`.
#[derive(Debug)]
pub struct Column<T> {
    /// The field's name in JSON, and the label's value in metrics.
    pub name: &'static str,
    /// The word for it in tables and pages.
    pub label: &'static str,
    /// What is counted, in a sentence or two: the documentation of the field.
    pub about: &'static str,
    /// Its part in the sum.
    pub part: Part,
    /// Reads the count from its table.
    pub of: fn(&T) -> u64,
}

/// The part that a count has in the sum of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The sum of the good, the bad and the open ones.
    Total,
    /// It ended well.
    Good,
    /// It ended badly.
    Bad,
    /// It has not ended.
    Open,
    /// A further count that is not in the sum.
    Beside,
}

impl Part {
    /// Whether the sum has it.
    pub fn is_summand(self) -> bool {
        matches!(self, Self::Good | Self::Bad | Self::Open)
    }
}

/// Declares a table of counts as a struct of them: `name: Part "label"`, with a documentation for readers of reports.
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

            /// Adds the counts of another one, column by column, up to the largest number: a service may say anything.
            pub fn add(&mut self, other: &Self) {
                $( self.$name = self.$name.saturating_add(other.$name); )+
            }

            /// Whether the total is the sum of its parts.
            pub fn balances(&self) -> bool {
                self.sum(|part| part == Part::Total) == self.sum(Part::is_summand)
            }

            /// How many have ended, well or badly.
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
