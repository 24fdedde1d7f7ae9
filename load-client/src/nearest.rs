//! Suggests the known name that is most like a mistyped one.

/// The least Jaro-Winkler similarity at which a name is suggested (arbitrary: the value that clap uses for flags).
const LEAST: f64 = 0.8;

/// The known name that is most like the given one, if any is similar enough. A name that differs only in case is the
/// nearest.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&given, &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > LEAST)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_another_word_none() {
        let known = ["name", "age", "tags", "SayHello"];
        for (given, meant) in [
            ("nme", Some("name")),
            ("Name", Some("name")),
            ("sayhelo", Some("SayHello")),
            ("tag", Some("tags")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
    }
}
