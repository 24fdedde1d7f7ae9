//! Erlang's formulas (A. K. Erlang, 1917): the share of lost calls without a line, and the share of calls that wait with an
//! endless one.

/// Erlang B: the share of requests that find all workers busy and are rejected, without a line. `offered` is the arrival
/// rate times the mean service time. Exact for Poisson arrivals and *any* distribution of the service time.
///
/// The recursion has no factorials, so it neither overflows nor loses digits.
pub fn erlang_b(offered: f64, workers: u32) -> f64 {
    (1..=workers).fold(1.0, |lost, worker| {
        offered * lost / (f64::from(worker) + offered * lost)
    })
}

/// Erlang C: the share of requests that have to wait, in an endless line. Exact for Poisson arrivals and exponential service
/// times. 1 from an offered load of `workers` on, where the line grows for ever.
pub fn erlang_c(offered: f64, workers: u32) -> f64 {
    let places = f64::from(workers);
    if offered >= places {
        return 1.0;
    }
    let lost = erlang_b(offered, workers);
    places * lost / (places - offered * (1.0 - lost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close;

    #[test]
    fn erlang_b_has_the_published_values() {
        for (offered, workers, expected) in [
            (1.0, 1, 0.5),
            (2.0, 2, 0.4),
            (10.0, 10, 0.214_582_343_1),
            (20.0, 30, 0.008_457_498_3),
            (100.0, 100, 0.075_700_452_7),
            (1000.0, 1000, 0.024_811_917_6),
        ] {
            close(erlang_b(offered, workers), expected, 1e-8);
        }
    }

    #[test]
    fn erlang_c_has_the_published_values_and_is_never_less_than_erlang_b() {
        for (offered, workers, expected) in [
            (1.0, 2, 0.333_333_333_3),
            (15.2, 16, 0.780_192_462_2),
            (95.0, 100, 0.506_456_853_9),
            (990.0, 1000, 0.659_080_421_9),
            (4.5, 5, 0.762_493_22),
            (18.0, 20, 0.550_769),
            (8.0, 10, 0.409_180_15),
        ] {
            close(erlang_c(offered, workers), expected, 1e-6);
            assert!(erlang_c(offered, workers) > erlang_b(offered, workers));
        }
        assert!((erlang_c(2.0, 2) - 1.0).abs() < f64::EPSILON);
    }
}
