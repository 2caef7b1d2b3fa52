//! How long to wait before trying again.

/// The first wait after a failure, in milliseconds.
const FIRST_MS: i64 = 1_000;

/// The longest wait between tries, in milliseconds.
const LONGEST_MS: i64 = 5 * 60 * 1_000;

/// The wait after the n-th failure in a row (the first is 1): doubled each time, between half of
/// it and all of it by `chance` (0 to 1), so that many lanes do not come back at once.
pub(crate) fn delay_ms(failures: i64, chance: f64) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let full = FIRST_MS.saturating_mul(1_i64 << doublings).min(LONGEST_MS);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "at most five minutes in milliseconds: far inside what f64 holds exactly"
    )]
    let part = (full as f64 * (0.5 + 0.5 * chance.clamp(0.0, 1.0))) as i64;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_stays_bounded() {
        for (failures, chance, expected) in [
            (1, 1.0, 1_000),
            (1, 0.0, 500),
            (2, 1.0, 2_000),
            (5, 1.0, 16_000),
            (50, 1.0, 300_000),
            (0, 1.0, 1_000),
            (i64::MAX, 7.0, 300_000),
        ] {
            assert_eq!(delay_ms(failures, chance), expected, "{failures} {chance}");
        }
    }
}
