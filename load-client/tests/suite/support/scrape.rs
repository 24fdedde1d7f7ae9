//! Fetches and parses the `/metrics` page of a program, as Prometheus does.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

/// The series of one page: for each name with labels, as text, the value.
#[derive(Debug)]
pub(crate) struct Page {
    series: BTreeMap<String, String>,
    /// The unparsed text of the page.
    pub(crate) text: String,
}

/// Sends a GET for a path to host:port. Returns the status code and the body.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, body.to_owned())
}

impl Page {
    pub(crate) fn scrape(address: &str) -> Self {
        let (code, text) = get(address, "/metrics");
        assert_eq!(code, 200);
        let series = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        Self { series, text }
    }

    /// Fetches the page again and again until `wanted` returns true for it. Returns that page.
    pub(crate) fn wait_for(address: &str, what: &str, wanted: impl Fn(&Self) -> bool) -> Self {
        for _ in 0..600 {
            let page = Self::scrape(address);
            if wanted(&page) {
                return page;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{what} did not come about: {}", Self::scrape(address).text);
    }

    /// The value of a series. Panics if the page does not have it.
    pub(crate) fn value(&self, series: &str) -> &str {
        let value = self.series.get(series);
        value.unwrap_or_else(|| panic!("there is no {series} in {}", self.text))
    }

    /// The value of a series as a whole number. Panics if the page does not have it.
    pub(crate) fn count(&self, series: &str) -> u64 {
        self.value(series).parse().unwrap()
    }

    /// The sum of all series with this name and any labels.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let of_name = |series: &&String| series.split('{').next() == Some(name);
        self.series
            .keys()
            .filter(of_name)
            .map(|series| self.count(series))
            .sum()
    }

    /// Whether the page has a series.
    pub(crate) fn has(&self, series: &str) -> bool {
        self.series.contains_key(series)
    }
}
