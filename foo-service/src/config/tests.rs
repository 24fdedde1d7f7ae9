//! The defaults of the flags.

use std::time::Duration;

use super::Settings;

#[test]
fn the_defaults_are_the_worked_example() {
    let settings = Settings::default();
    assert_eq!(
        (settings.workers, settings.service_time),
        (1, Duration::from_millis(250))
    );
    assert_eq!(settings.limit(), 1);
}

#[test]
fn the_limit_is_known_unless_it_has_to_be_searched_for() {
    let known = |limit: &str, start| {
        let settings = Settings {
            limit_kind: tower_admission::limit::by_name(limit).unwrap(),
            concurrency_limit: start,
            ..Settings::default()
        };
        settings.limit_is_known()
    };
    assert!(Settings::default().limit_kind.name == "auto" && Settings::default().limit_is_known());
    assert!(known("fixed", Some(3)) && known("fixed", None));
    assert!(!known("auto", Some(3)) && !known("vegas", None));
}
