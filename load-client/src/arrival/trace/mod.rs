//! Reads a recorded trace: any CSV file with a header and a time column.
//!
//! Times are either all numbers (counted from any moment, in seconds unless a flag gives another unit) or all
//! timestamps (RFC 3339 and similar forms, or a date and a time without zone, which count as UTC unless a flag gives a
//! zone). Only their differences matter.

mod error;
mod stamp;
#[cfg(test)]
mod tests;
mod time;
mod unit;

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    time::Duration,
};

use jiff::tz::TimeZone;

use self::time::Times;
pub use self::{error::TraceError, stamp::zone_of_offset, unit::TimeUnit};
use crate::{input, scenario::TraceRow};

/// The most rows accepted (arbitrary: 10 million rows take 320 MB).
const MAX_ROWS: usize = 10_000_000;
/// The longest demand accepted: the largest limit that foo-service can be given.
const MAX_DEMAND: Duration = Duration::from_secs(3600);

/// The longest replay accepted (arbitrary: a year, far below the times at which arithmetic with instants overflows).
pub const MAX_LENGTH: Duration = Duration::from_secs(366 * 24 * 3600);

/// The separator is looked for in this many bytes of the header at most (arbitrary).
const LONGEST_HEADER: u64 = 64 * 1024;
/// The separators besides a comma that are recognised without a flag.
const SEPARATORS: [u8; 3] = [b'\t', b';', b'|'];

/// Which columns to read, and how.
#[derive(Debug, Clone)]
pub struct TraceFormat {
    /// The header of the column with the times.
    pub time_column: String,
    /// The unit of times that are numbers. `None`: seconds; numbers that are too large for seconds are refused.
    pub time_unit: Option<TimeUnit>,
    /// The zone of timestamps without a zone. `None`: UTC; a file in which only some timestamps have a zone is refused.
    pub time_zone: Option<TimeZone>,
    /// The separator between columns. `None`: a comma; if the header has none, its tab, semicolon or bar.
    pub separator: Option<u8>,
    /// The header of the column with the demands, and the service time that one unit in it stands for.
    pub demand: Option<(String, Duration)>,
    /// How many times faster than recorded to replay; demands are not scaled.
    pub speed: f64,
}

impl TraceFormat {
    /// Reads times from that column at the recorded speed, and no demands.
    pub fn new(time_column: impl Into<String>) -> Self {
        Self {
            time_column: time_column.into(),
            time_unit: None,
            time_zone: None,
            separator: None,
            demand: None,
            speed: 1.0,
        }
    }
}

/// A trace that was read.
#[derive(Debug)]
pub struct Recording {
    /// The rows in the order of their times; the first is at 0.
    pub rows: Vec<TraceRow>,
    /// A note for the user before the replay: times are read as seconds, though neither a flag nor the data gives a
    /// unit.
    pub note: Option<String>,
}

/// Reads a trace from a file, or from standard input if the path is `-`. Waits for the disk.
pub fn read_file(path: &Path, format: &TraceFormat) -> Result<Recording, TraceError> {
    let file = path.display().to_string();
    if input::is_standard(path) {
        return recording(io::stdin().lock(), "standard input", format);
    }
    let opened = File::open(path).map_err(|source| TraceError::Read {
        file: file.clone(),
        source,
    })?;
    recording(opened, &file, format)
}

/// Reads a trace; `file` is its name in errors. Rows come back in the order of their times, the first at 0.
pub fn read(source: impl io::Read, file: &str, format: &TraceFormat) -> Result<Vec<TraceRow>, TraceError> {
    recording(source, file, format).map(|recording| recording.rows)
}

fn recording(source: impl io::Read, file: &str, format: &TraceFormat) -> Result<Recording, TraceError> {
    let mut source = BufReader::new(source);
    let mut header = Vec::new();
    source
        .by_ref()
        .take(LONGEST_HEADER)
        .read_until(b'\n', &mut header)
        .map_err(|source| TraceError::Read {
            file: file.to_owned(),
            source,
        })?;
    if header.starts_with(&[0xFF, 0xFE]) || header.starts_with(&[0xFE, 0xFF]) {
        return Err(TraceError::Malformed {
            file: file.to_owned(),
            line: 1,
            reason: "is UTF-16; save the file as UTF-8".to_owned(),
        });
    }
    let separator = format
        .separator
        .unwrap_or_else(|| separator_of(&header, &format.time_column));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(separator)
        .from_reader(header.as_slice().chain(source));
    let headers = reader.headers().map_err(|error| malformed(file, error))?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| TraceError::NoColumn {
                file: file.to_owned(),
                column: name.to_owned(),
                present: headers.iter().collect::<Vec<_>>().join(", "),
                hint: if headers.iter().any(|name| name.contains([',', ';', '\t', '|'])) {
                    "; --trace-separator says what stands between columns"
                } else {
                    ""
                },
            })
    };
    let time_index = column(&format.time_column)?;
    let demand_index = match &format.demand {
        Some((name, unit)) => Some((column(name)?, name, *unit)),
        None => None,
    };

    let mut times = Times::new(&format.time_column, format.time_unit, format.time_zone.as_ref());
    let mut rows: Vec<(i128, Option<Duration>)> = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| malformed(file, error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |index: usize, column: &str, reason: Cow<'static, str>| TraceError::Field {
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
        let nanos = times
            .read(text)
            .map_err(|reason| field(time_index, &format.time_column, reason))?;
        let demand = match demand_index {
            None => None,
            Some((index, name, unit)) => {
                let text = record.get(index).unwrap_or_default();
                let demand = parse_demand(text, unit)
                    .ok_or_else(|| field(index, name, "is not a number from 0 that stays within 1h".into()))?;
                Some(demand)
            }
        };
        rows.push((nanos, demand));
    }
    let assumed = times.unit_is_assumed();
    let rows = replayed(rows, file, format.speed)?;
    let length = rows.last().map_or(Duration::ZERO, |row| row.at);
    let note = (assumed && !length.is_zero()).then(|| {
        let seconds = (length.as_secs_f64() * 1e3).round() / 1e3;
        format!("trace {file}: times are read as seconds, so it lasts {seconds} s (--trace-time-unit)")
    });
    Ok(Recording { rows, note })
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

/// The separator between the columns of this header: a comma if there is one or if nothing else is certain, otherwise
/// the only other separator that the header has.
fn separator_of(header: &[u8], column: &str) -> u8 {
    let line = header
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    let mut others = SEPARATORS.into_iter().filter(|separator| line.contains(separator));
    match (others.next(), others.next()) {
        _ if line.contains(&b',') || line.trim_ascii() == column.as_bytes() => b',',
        (Some(only), None) => only,
        _ => b',',
    }
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
