//! Reads a recorded trace: any CSV file with a header and a time column.
//!
//! Times are either all numbers (seconds since anything) or all timestamps (RFC 3339, or a date and a time without zone,
//! which count as UTC). Only their differences matter.

use std::{fs::File, io, path::Path, time::Duration};

use crate::{input, scenario::TraceRow};

/// Rows accepted (arbitrary: 10 million rows take 320 MB).
const MAX_ROWS: usize = 10_000_000;
/// The longest demand accepted: what foo-service can be told to accept at most.
const MAX_DEMAND: Duration = Duration::from_secs(3600);

/// The longest replay accepted (arbitrary: a year, far from where arithmetic with instants ends).
pub const MAX_LENGTH: Duration = Duration::from_secs(366 * 24 * 3600);

/// Which columns to read, and how.
#[derive(Debug, Clone)]
pub struct TraceFormat {
    /// The header of the column with the times.
    pub time_column: String,
    /// The header of the column with the demands, and what one unit of it takes.
    pub demand: Option<(String, Duration)>,
    /// How many times faster than recorded to replay; demands are not scaled.
    pub speed: f64,
}

/// Why a trace cannot be read. Each names the file, and the line and column where there is one.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be opened or read.
    #[error("{file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It is not CSV.
    #[error("{file}: line {line}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// From 1, the header included.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A column was asked for that the header does not have.
    #[error("{file}: there is no column {column:?}; there are {present}")]
    NoColumn {
        /// The file.
        file: String,
        /// What was asked for.
        column: String,
        /// What there is.
        present: String,
    },
    /// A field is not what its column must hold.
    #[error("{file}: line {line}, column {column}: {value:?} {reason}")]
    Field {
        /// The file.
        file: String,
        /// From 1, the header included.
        line: u64,
        /// The column's header.
        column: String,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is nothing to replay, or too much.
    #[error("{file}: {reason}")]
    Size {
        /// The file.
        file: String,
        /// Which of the two.
        reason: String,
    },
}

/// Reads a trace file.
pub fn read_file(path: &Path, format: &TraceFormat) -> Result<Vec<TraceRow>, TraceError> {
    let file = path.display().to_string();
    if input::is_standard(path) {
        return read(io::stdin().lock(), "standard input", format);
    }
    let opened = File::open(path).map_err(|source| TraceError::Read {
        file: file.clone(),
        source,
    })?;
    read(opened, &file, format)
}

/// Reads a trace; `file` is its name in errors. Rows come back in the order of their times, the first at 0.
pub fn read(source: impl io::Read, file: &str, format: &TraceFormat) -> Result<Vec<TraceRow>, TraceError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let headers = reader.headers().map_err(|error| malformed(file, error))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| TraceError::NoColumn {
                file: file.to_owned(),
                column: name.to_owned(),
                present: headers.iter().collect::<Vec<_>>().join(", "),
            })
    };
    let time_index = column(&format.time_column)?;
    let demand_index = match &format.demand {
        Some((name, unit)) => Some((column(name)?, name, *unit)),
        None => None,
    };

    let mut kind = None;
    let mut rows: Vec<(i128, Option<Duration>)> = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| malformed(file, error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |index: usize, column: &str, reason: &'static str| TraceError::Field {
            file: file.to_owned(),
            line,
            column: column.to_owned(),
            value: record.get(index).unwrap_or_default().to_owned(),
            reason,
        };
        if rows.len() == MAX_ROWS {
            return Err(TraceError::Size {
                file: file.to_owned(),
                reason: format!("line {line}: more than {MAX_ROWS} rows; replay it in parts"),
            });
        }
        let text = record.get(time_index).unwrap_or_default();
        let (found, nanos) = parse_time(text).ok_or_else(|| {
            field(
                time_index,
                &format.time_column,
                "is neither a number of seconds nor a timestamp",
            )
        })?;
        if *kind.get_or_insert(found) != found {
            return Err(field(
                time_index,
                &format.time_column,
                "is of another kind than the times before it",
            ));
        }
        let demand = match demand_index {
            None => None,
            Some((index, name, unit)) => {
                let text = record.get(index).unwrap_or_default();
                let demand = parse_demand(text, unit)
                    .ok_or_else(|| field(index, name, "is not a number from 0 that stays within 1h"))?;
                Some(demand)
            }
        };
        rows.push((nanos, demand));
    }
    replayed(rows, file, format.speed)
}

/// Puts the rows in order and scales their times.
fn replayed(mut rows: Vec<(i128, Option<Duration>)>, file: &str, speed: f64) -> Result<Vec<TraceRow>, TraceError> {
    rows.sort_by_key(|(nanos, _)| *nanos);
    let Some((first, _)) = rows.first().copied() else {
        return Err(TraceError::Size {
            file: file.to_owned(),
            reason: "has no rows".to_owned(),
        });
    };
    rows.into_iter()
        .map(|(nanos, demand)| {
            let seconds = (nanos - first) as f64 / 1e9 / speed;
            match Duration::try_from_secs_f64(seconds) {
                Ok(at) if at <= MAX_LENGTH => Ok(TraceRow { at, demand }),
                _ => Err(TraceError::Size {
                    file: file.to_owned(),
                    reason: format!("takes longer than a year at {speed}x; --speed replays it faster"),
                }),
            }
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeKind {
    Seconds,
    Timestamp,
}

/// A time in nanoseconds.
fn parse_time(text: &str) -> Option<(TimeKind, i128)> {
    if let Ok(seconds) = text.parse::<f64>() {
        // Past this, a float has no longer a nanosecond to give, and no clock has such times.
        let representable = seconds.is_finite() && seconds.abs() < 1e15;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "in range, and fractions of a nanosecond do not matter"
        )]
        return representable.then(|| (TimeKind::Seconds, (seconds * 1e9).round() as i128));
    }
    let timestamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
    })?;
    Some((TimeKind::Timestamp, timestamp.as_nanosecond()))
}

fn parse_demand(text: &str, unit: Duration) -> Option<Duration> {
    let units = text.parse::<f64>().ok()?;
    let demand = Duration::try_from_secs_f64(units * unit.as_secs_f64()).ok()?;
    (demand <= MAX_DEMAND).then_some(demand)
}

fn malformed(file: &str, error: csv::Error) -> TraceError {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => TraceError::Read {
            file: file.to_owned(),
            source,
        },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => TraceError::Malformed {
            file: file.to_owned(),
            line,
            reason: format!("has {len} columns, the header has {expected_len}"),
        },
        csv::ErrorKind::Utf8 { .. } => TraceError::Malformed {
            file: file.to_owned(),
            line,
            reason: "is not UTF-8".to_owned(),
        },
        _ => TraceError::Malformed {
            file: file.to_owned(),
            line,
            reason,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(speed: f64) -> TraceFormat {
        TraceFormat {
            time_column: "when".to_owned(),
            demand: Some(("work".to_owned(), Duration::from_millis(1))),
            speed,
        }
    }

    fn parse(text: &str) -> Result<Vec<TraceRow>, TraceError> {
        read(text.as_bytes(), "t.csv", &format(2.0))
    }

    fn row(at_ms: u64, demand_ms: u64) -> TraceRow {
        TraceRow {
            at: Duration::from_millis(at_ms),
            demand: Some(Duration::from_millis(demand_ms)),
        }
    }

    #[test]
    fn replays_seconds_and_timestamps_scaled_and_in_order() {
        assert_eq!(
            parse("when,work\n100.5,3\n100.25,7\n").unwrap(),
            [row(0, 7), row(125, 3)]
        );
        let civil = "x,work,when\na,3,2023-11-16 18:17:03.9799600\nb,7,2023-11-16 18:17:04.9799600\n";
        assert_eq!(parse(civil).unwrap(), [row(0, 3), row(500, 7)]);
        let zoned = "when,work\n2023-11-16T18:17:03+01:00,3\n2023-11-16T17:17:05Z,7\n";
        assert_eq!(parse(zoned).unwrap(), [row(0, 3), row(1000, 7)]);
    }

    #[test]
    fn names_file_line_and_column_of_what_is_wrong() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("when,work\n1,1\nnoon,2\n"),
            "t.csv: line 3, column when: \"noon\" is neither a number of seconds nor a timestamp"
        );
        assert_eq!(
            error("when,work\n1,-1\n"),
            "t.csv: line 2, column work: \"-1\" is not a number from 0 that stays within 1h"
        );
        assert_eq!(
            error("when,work\n1,1\n2023-11-16 18:17:03,1\n"),
            "t.csv: line 3, column when: \"2023-11-16 18:17:03\" is of another kind than the times before it"
        );
        assert_eq!(
            error("when,work\n1,1\n2\n"),
            "t.csv: line 3: has 1 columns, the header has 2"
        );
        assert_eq!(
            error("then,work\n"),
            "t.csv: there is no column \"when\"; there are then, work"
        );
        assert_eq!(error("when,work\n"), "t.csv: has no rows");
    }

    #[test]
    fn extreme_numbers_are_errors_not_panics() {
        for text in [
            "NaN",
            "inf",
            "-inf",
            "1e300",
            "1e-300",
            "",
            "-0",
            "99999999999999999999999",
        ] {
            let _ = parse(&format!("when,work\n{text},1\n1,{text}\n"));
        }
    }

    #[test]
    fn a_replay_that_would_outlast_the_clock_is_refused() {
        // Once accepted, it ended the run in a panic: no instant lies so far ahead.
        let far = "when,work\n0,0\n9300000000000,0\n";
        let refused = read(far.as_bytes(), "t.csv", &format(1e-6)).unwrap_err();
        let reason = "t.csv: takes longer than a year at 0.000001x; --speed replays it faster";
        assert_eq!(refused.to_string(), reason);
        let years = |length: u64| parse(&format!("when,work\n0,0\n{length},0\n"));
        assert!(years(2 * 366 * 24 * 3600).is_ok() && years(2 * 366 * 24 * 3600 + 2).is_err());
    }
}
