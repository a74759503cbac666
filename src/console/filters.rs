//! What templates say the same everywhere: moments, days, sizes.
//!
//! Askama looks filters up in a module of this name.

#![allow(
    clippy::inline_always,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "askama's macro wants it so"
)]

use super::language::say;
use crate::work::clock::shanghai;
use askama::{Result, Values};
use jiff::Timestamp;

/// A moment in Shanghai to the minute, such as `2026-03-15 08:00`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn moment(at: &Timestamp, _: &dyn Values) -> Result<String> {
    Ok(shanghai(*at).strftime("%Y-%m-%d %H:%M").to_string())
}

/// The same without the year, with the weekday: `03-15 周日 08:00`, `03-15 Sun 08:00`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn soon(at: &Timestamp, _: &dyn Values) -> Result<String> {
    let at = shanghai(*at);
    let (chinese, english) = [
        ("周一", "Mon"),
        ("周二", "Tue"),
        ("周三", "Wed"),
        ("周四", "Thu"),
        ("周五", "Fri"),
        ("周六", "Sat"),
        ("周日", "Sun"),
    ][usize::from(at.weekday().to_monday_zero_offset().unsigned_abs())];
    let day = say(chinese, english);
    Ok(format!("{} {day} {}", at.strftime("%m-%d"), at.strftime("%H:%M")))
}

/// The time of day in Shanghai, such as `08:00`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn clock(at: &Timestamp, _: &dyn Values) -> Result<String> {
    Ok(shanghai(*at).strftime("%H:%M").to_string())
}

/// The day in Shanghai, such as `2026-03-15`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn day(at: &Timestamp, _: &dyn Values) -> Result<String> {
    Ok(shanghai(*at).date().to_string())
}

/// The first twelve digits of a digest.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn short(digest: impl std::fmt::Display, _: &dyn Values) -> Result<String> {
    Ok(digest.to_string().chars().take(12).collect())
}

/// Bytes for people, such as `12.5 KB`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn bytes(count: &u64, _: &dyn Values) -> Result<String> {
    let count = *count as f64;
    Ok(if count < 1024.0 {
        format!("{count} B")
    } else if count < 1024.0 * 1024.0 {
        format!("{:.1} KB", count / 1024.0)
    } else {
        format!("{:.1} MB", count / 1024.0 / 1024.0)
    })
}

/// What people call a media type: `PDF`, `PNG`.
///
/// # Errors
/// Never.
#[askama::filter_fn]
pub fn kind(media_type: &str, _: &dyn Values) -> Result<String> {
    let kind = media_type.split([';', '+']).next().unwrap_or(media_type);
    let kind = kind.rsplit('/').next().unwrap_or(kind);
    Ok(if kind == "plain" { "TXT".to_owned() } else { kind.to_ascii_uppercase() })
}
