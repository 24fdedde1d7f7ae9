//! Probabilities of the Poisson and the binomial distribution, in logarithms, so that large means do not underflow.

/// The natural logarithm of n!.
fn ln_factorial(n: u32) -> f64 {
    if n < 20 {
        return (2..=n).map(|factor| f64::from(factor).ln()).sum();
    }
    // Stirling's series; the next term is below 1e-12 from here on.
    let n = f64::from(n);
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
        + 1.0 / (1260.0 * n.powi(5))
}

/// P(N = n) for a Poisson variable of this mean.
pub(super) fn probability(mean: f64, n: u32) -> f64 {
    if mean <= 0.0 {
        return if n == 0 { 1.0 } else { 0.0 };
    }
    (f64::from(n) * mean.ln() - mean - ln_factorial(n)).exp()
}

/// P(N ≥ n) for a Poisson variable of this mean. The shorter tail is summed, so that small values keep their digits.
pub(super) fn at_least(mean: f64, n: u32) -> f64 {
    if n == 0 {
        return 1.0;
    }
    if f64::from(n) > mean {
        let mut term = probability(mean, n);
        let (mut sum, mut k) = (0.0, n);
        while term > sum * 1e-17 {
            sum += term;
            k += 1;
            term *= mean / f64::from(k);
        }
        return sum;
    }
    let mut term = probability(mean, n - 1);
    let (mut sum, mut k) = (0.0, n - 1);
    while term > sum * 1e-17 {
        sum += term;
        if k == 0 {
            break;
        }
        term *= f64::from(k) / mean;
        k -= 1;
    }
    1.0 - sum
}

/// P(B = k) for k = 0…n of a binomial variable: n trials, each with chance `p`.
pub(super) fn binomial(n: u32, p: f64) -> Vec<f64> {
    let (yes, no) = (p.ln(), (-p).ln_1p());
    (0..=n)
        .map(|k| {
            let ways = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
            let rest = if k == n { 0.0 } else { f64::from(n - k) * no };
            let hits = if k == 0 { 0.0 } else { f64::from(k) * yes };
            (ways + hits + rest).exp()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close;

    #[test]
    fn the_tails_of_a_poisson_variable_add_up() {
        for mean in [0.3, 2.0, 40.0, 900.0] {
            for n in [1, 2, 35, 41, 890, 905] {
                let below: f64 = (0..n).map(|k| probability(mean, k)).sum();
                assert!((at_least(mean, n) + below - 1.0).abs() < 1e-9, "{mean} {n}");
            }
        }
        close(at_least(2.0, 1), 1.0 - (-2.0_f64).exp(), 1e-12);
    }

    #[test]
    fn the_probabilities_of_a_binomial_variable_add_up() {
        for (n, p) in [(1, 0.5), (64, 0.014), (300, 0.99)] {
            let all = binomial(n, p);
            close(all.iter().sum(), 1.0, 1e-9);
            let mean: f64 = (0..).zip(&all).map(|(k, chance)| f64::from(k) * chance).sum();
            close(mean, f64::from(n) * p, 1e-9);
        }
    }
}
