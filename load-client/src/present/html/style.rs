//! The style of the page, in light and in dark, on paper, wide and narrow; and the policy by which a browser blocks
//! everything but this style sheet.

/// The content security policy: nothing may be loaded, run or sent; one style sheet may be used, known by its SHA-256.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-T+zAaTVz84tDP14qh5aFYbbwrxFX5k8sNAMzq28aw24='; base-uri 'none'; form-action 'none'";

/// The style sheet. Colours differ in lightness too, and every look has dashes of its own: no reader needs to tell two by
/// hue alone.
pub(super) const SHEET: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use rustls::crypto::{hash::HashAlgorithm, ring};

    use super::*;

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let chunk = |chunk: &[u8]| {
            let bits = (0..3).fold(0_usize, |bits, at| {
                bits << 8 | usize::from(chunk.get(at).copied().unwrap_or(0))
            });
            let digit = |at: usize| {
                if at <= chunk.len() {
                    char::from(DIGITS[bits >> (18 - 6 * at) & 63])
                } else {
                    '='
                }
            };
            [0, 1, 2, 3].map(digit)
        };
        bytes.chunks(3).flat_map(chunk).collect()
    }

    #[test]
    fn the_policy_allows_this_style_sheet_and_no_other() {
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
        let suites = ring::default_provider().cipher_suites;
        let hashes = suites
            .iter()
            .filter_map(|suite| Some(suite.tls13()?.common.hash_provider));
        let sha256 = hashes
            .into_iter()
            .find(|hash| hash.algorithm() == HashAlgorithm::SHA256);
        let hash = base64(sha256.unwrap().hash(SHEET.as_bytes()).as_ref());
        assert!(
            POLICY.contains(&format!("'sha256-{hash}'")),
            "the style sheet has the hash {hash}"
        );
    }

    #[test]
    fn the_style_sheet_loads_nothing_and_stays_within_its_element() {
        for loads in ["url(", "@import", "@font-face", "http", "<", "&"] {
            assert!(!SHEET.contains(loads), "{loads}");
        }
    }
}
