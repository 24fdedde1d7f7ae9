//! The report as JSON: schema `load-client/report/v1`, in `docs/report.schema.json`.

use std::io::{self, Write};

use crate::report::Report;

/// Writes the report.
pub fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
