//! The report as JSON: schema `load-client/report/v1`, in `docs/report.schema.json`.

use std::io::{self, Write};

use crate::report::Report;

/// Writes the report as JSON, indented, with a line break at the end.
pub fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
