//! Removes possible credentials from values before errors show them.

use clap::{Arg, ValueHint};

/// The text that replaces left-out parts.
const LEFT_OUT: &str = "…";
/// URL schemes that may be shown, because a known scheme is no secret. `dns` and `unix` are valid without slashes, too.
const SCHEMES: [&str; 10] = [
    "http", "https", "dns", "unix", "nats", "tls", "tcp", "grpc", "grpcs", "ftp",
];
/// The RPC part of a load client's target, as in `NAME=process:URL`.
const RPCS: [&str; 2] = ["enqueue:", "process:"];

/// The part of a flag's value that an error may show.
///
/// A URL or a host (by `value_hint`), and any value with an `@`, is reduced by [`without_credentials`]. Of other values that
/// `--help` hides (`hide_env_values`) nothing is shown, because they may be credentials. If the flag takes one of several
/// words, a word is always shown.
pub fn shown(arg: &Arg, value: &str) -> String {
    let is_word = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_address = matches!(arg.get_value_hint(), ValueHint::Url | ValueHint::Hostname);
    if is_word && !arg.get_possible_values().is_empty() {
        value.to_owned()
    } else if is_address {
        without_credentials(value)
    } else if arg.is_hide_env_values_set() {
        LEFT_OUT.to_owned()
    } else {
        without_user(value)
    }
}

/// The part that an error may show of a typed word that belongs to no flag.
pub(crate) fn without_user(word: &str) -> String {
    if word.contains('@') || word.contains("://") {
        without_credentials(word)
    } else {
        word.to_owned()
    }
}

/// The text of a value that is or should be a URL or an address, with three dots in place of everything that may be a
/// credential.
///
/// These parts stay: the `NAME=RPC:` of a target, a known scheme, and hosts with their ports. A host without a port stays only
/// after a scheme or a user: alone, it may be a token.
pub fn without_credentials(text: &str) -> String {
    let (front, rest) = text.split_at(front(text));
    let (user, hosts) = match rest.rsplit_once('@') {
        Some((_, hosts)) => ("…@", hosts),
        None => ("", rest),
    };
    if hosts.is_empty() {
        return format!("{front}{user}");
    }
    let may_stand_alone = !front.is_empty() || !user.is_empty();
    let hosts = hosts.split(',').map(|host| host_and_port(host, may_stand_alone));
    format!("{front}{user}{}", hosts.collect::<Vec<_>>().join(","))
}

/// The index after `NAME=RPC:`, the scheme and its slashes; 0 if there is neither an RPC nor a scheme.
fn front(text: &str) -> usize {
    let in_names = |c: char| c.is_ascii_alphanumeric() || "._- ".contains(c);
    let named = text.split_once('=').filter(|(name, _)| name.chars().all(in_names));
    let start = named.map_or(0, |(name, _)| name.len() + 1);
    let rpc = RPCS.iter().find(|rpc| text[start..].starts_with(**rpc));
    let after_rpc = start + rpc.map_or(0, |rpc| rpc.len());
    let scheme = text[after_rpc..].split_once(':').and_then(|(scheme, rest)| {
        let known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let slashes = rest.len() - rest.trim_start_matches('/').len();
        let alone = matches!(scheme, "dns" | "unix");
        (known && (alone || slashes > 1)).then(|| scheme.len() + 1 + slashes)
    });
    match scheme {
        Some(length) => after_rpc + length,
        None if rpc.is_some() => after_rpc,
        None => 0,
    }
}

/// HOST or HOST:PORT at the start of `text`; a path or query after it is shown as `/…`.
fn host_and_port(text: &str, may_stand_alone: bool) -> String {
    let end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (address, after) = text.split_at(end);
    let after = if matches!(after, "" | "/") { after } else { "/…" };
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !address.ends_with(']') => (host, Some(port)),
        _ => (address, None),
    };
    let is_name = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_ip = in_brackets.is_some_and(|ip| ip.chars().all(|c| c.is_ascii_alphanumeric() || ":.%".contains(c)));
    let is_shown = match port {
        Some(port) => (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit()),
        None => may_stand_alone,
    };
    if is_shown && (is_name || is_ip) {
        format!("{address}{after}")
    } else {
        LEFT_OUT.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::builder::PossibleValuesParser;

    #[test]
    fn everything_that_may_be_a_credential_is_left_out() {
        for (text, shown) in [
            ("http://me:s3cret@host:1", "http://…@host:1"),
            ("http://s3cret@host:1", "http://…@host:1"),
            ("http://a:s3cr@et@host", "http://…@host"),
            ("me:s3cret@host:1", "…@host:1"),
            ("s3cret@h", "…@h"),
            ("s3cret%@h", "…@h"),
            ("me:s3 cret@h", "…@h"),
            ("me:s3'cret=@h", "…@h"),
            ("s3cret=@h", "…@h"),
            ("s3cret=a=@h", "…@h"),
            ("me:s3cret://@h", "…@h"),
            ("http://me:s3/cret@h", "http://…@h"),
            ("http://me:s3cret", "http://…"),
            ("http://h/s3cret", "http://h/…"),
            ("http://h:1?token=s3cret", "http://h:1/…"),
            ("s3cret", "…"),
            ("s3.cr.et", "…"),
            ("token=s3cret", "…"),
            ("Bearer s3cret", "…"),
            ("a=process:https://me:s3cret@host", "a=process:https://…@host"),
            ("a=https://me:s3cret@host", "a=https://…@host"),
            ("a=process:s3cret@h", "a=process:…@h"),
            ("dns:///me:s3cret@h", "dns:///…@h"),
            ("nats://me:s3cret@a,b:1", "nats://…@a,b:1"),
            ("nats://a:1,me:s3cret", "nats://a:1,…"),
            ("nats://a,me:s3cret@b", "nats://…@b"),
        ] {
            assert_eq!(without_credentials(text), shown, "{text}");
        }
    }

    #[test]
    fn an_address_stays() {
        for text in [
            "",
            "http://host:1",
            "HTTPS://host/",
            "dns:///host",
            "dns:host:1",
            "localhost:50051",
            ":50051",
            "[::1]:1",
            "http://[fe80::1%25eth0]:1",
            "nats://a:1,b,[::1]",
            "sync=process:http://h:1",
        ] {
            assert_eq!(without_credentials(text), text);
        }
    }

    #[test]
    fn the_flag_decides_how_much_is_shown() {
        let plain = Arg::new("plain").long("plain");
        let header = plain.clone().hide_env_values(true);
        let url = header.clone().value_hint(ValueHint::Url);
        let queue = url.clone().value_parser(PossibleValuesParser::new(["bounded"]));
        for (arg, value, said) in [
            (&plain, "10 ms", "10 ms"),
            (&plain, "me:s3cret@h", "…@h"),
            (&header, "pin:12345", "…"),
            (&header, "http://h:1", "…"),
            (&url, "http://h:x", "http://…"),
            (&url, "h:1", "h:1"),
            (&plain.clone().value_hint(ValueHint::Hostname), "me:s3cret", "…"),
            (&queue, "bonded", "bonded"),
            (&queue, "nats:me:s3cret", "…"),
        ] {
            assert_eq!(shown(arg, value), said, "{value}");
        }
    }
}
