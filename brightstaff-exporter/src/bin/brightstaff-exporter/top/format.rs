//! Numbers for people, as the live page writes them.

use super::quantile::Quantile;

/// What stands where nothing was measured.
pub(super) const NOTHING: &str = "–";

/// A whole number, such as 1,234.
pub(super) fn count(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let digits = format!("{:.0}", (value.abs() + 0.5).floor());
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 && digits != "0" {
        "-"
    } else {
        ""
    };
    format!("{sign}{grouped}")
}

/// Three digits, such as 0.0123, 12.3, 1,230 and 1.23 M.
pub(super) fn decimal(value: f64) -> String {
    match value {
        value if !value.is_finite() => NOTHING.to_owned(),
        value if value >= 1e9 => format!("{} G", short(value / 1e9)),
        value if value >= 1e6 => format!("{} M", short(value / 1e6)),
        value if value >= 1000.0 => count(value),
        value => short(value),
    }
}

pub(super) fn rate(value: f64) -> String {
    format!("{}/s", decimal(value))
}

pub(super) fn share(part: f64, whole: f64) -> String {
    if whole > 0.0 {
        format!("{} %", short(part / whole * 100.0))
    } else {
        NOTHING.to_owned()
    }
}

/// A time in its own unit.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if !seconds.is_finite() => NOTHING.to_owned(),
        seconds if seconds >= 1.0 || seconds == 0.0 => format!("{} s", short(seconds)),
        seconds if seconds >= 0.001 => format!("{} ms", short(seconds * 1e3)),
        seconds => format!("{} µs", short(seconds * 1e6)),
    }
}

pub(super) fn quantile(quantile: Quantile) -> String {
    match quantile {
        Quantile::None => NOTHING.to_owned(),
        Quantile::At(value) => duration(value),
        Quantile::Below(value) => format!("< {}", duration(value)),
        Quantile::Above(value) => format!("> {}", duration(value)),
    }
}

/// A long time, in its two largest units.
pub(super) fn age(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NOTHING.to_owned();
    }
    let whole = seconds.max(0.0).floor();
    let [days, hours, minutes] = [86400.0, 3600.0, 60.0].map(|unit| (whole / unit).floor());
    let (hours, minutes) = (hours % 24.0, minutes % 60.0);
    if days > 0.0 {
        format!("{days} d {hours} h")
    } else if whole >= 3600.0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0.0 {
        format!("{minutes} min {} s", whole % 60.0)
    } else {
        format!("{whole} s")
    }
}

/// Three digits. Halves go up, as in a browser; what `format!` rounds goes to even.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    // Neighbouring numbers of 64 bits differ in the seventeenth digit: what is no half has another digit before the last.
    let exact = format!("{:.20e}", value.abs());
    let (digits, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(10)).collect();
    let three = digits[..3].iter().fold(0, |all, digit| all * 10 + digit);
    let rounded = three + u32::from(digits[3] >= 5);
    let exponent = exponent.parse::<i32>().unwrap_or_default() - 2;
    let rounded: f64 = format!("{rounded}e{exponent}")
        .parse()
        .unwrap_or(value.abs());
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{rounded}")
}
