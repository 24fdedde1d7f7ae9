//! The `/metrics` page of a program, as Prometheus would read it.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

/// The series of one page: a name with its labels as they stand there, and its value.
#[derive(Debug)]
pub(crate) struct Page {
    series: BTreeMap<String, String>,
    /// As it came.
    pub(crate) text: String,
}

/// Asks for a path at host:port; returns the status line's code and the body.
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

    /// Scrapes again and again until the page is as wanted.
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

    /// The value of a series that must be there.
    pub(crate) fn value(&self, series: &str) -> &str {
        let value = self.series.get(series);
        value.unwrap_or_else(|| panic!("there is no {series} in {}", self.text))
    }

    /// The same, of one that counts something.
    pub(crate) fn count(&self, series: &str) -> u64 {
        self.value(series).parse().unwrap()
    }

    /// The sum of all series of that name, whatever their labels.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let of_name = |series: &&String| series.split('{').next() == Some(name);
        self.series
            .keys()
            .filter(of_name)
            .map(|series| self.count(series))
            .sum()
    }

    /// Whether there is such a series.
    pub(crate) fn has(&self, series: &str) -> bool {
        self.series.contains_key(series)
    }
}
