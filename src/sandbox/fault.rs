//! Faults by rule: which calls are struck, and by what.
//!
//! On the command line a rule is `path[#which]=kind`:
//!
//! ```text
//! freepublish/submit#1=cut-after        the first submit takes effect, its answer is lost
//! draft/*#2-4=error:45011               the second to fourth draft call are refused
//! media/uploadimg#3+=latency:1500       every upload from the third on is slow
//! callback/*=duplicate-callback         every callback comes twice
//! ```

use std::{fmt, str::FromStr};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which calls: the path below `cgi-bin/` (`draft/add`, `datacube/getarticleread`) or
    /// `callback/<event>`; `*` stands for anything, and a path that ends in `/` for all below it.
    pub path: String,
    /// Which of those.
    pub nth: Occurrence,
    /// What happens to them.
    pub kind: FaultKind,
}

/// Which of the calls that match, counted from 1 since the rule was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The first that is struck.
    pub first: u32,
    /// The last that is struck; `None` for no end.
    pub last: Option<u32>,
}

impl Occurrence {
    /// Every call.
    pub const EVERY: Self = Self { first: 1, last: None };

    /// One call only.
    #[must_use]
    pub fn only(nth: u32) -> Self {
        Self { first: nth, last: Some(nth) }
    }

    fn holds(self, nth: u32) -> bool {
        self.first <= nth && self.last.is_none_or(|last| nth <= last)
    }
}

/// What strikes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Refused with this `errcode`, without effect.
    ErrorCode(i64),
    /// Takes effect, and is answered with this `errcode` all the same.
    ErrorAfter(i64),
    /// Carried out so many milliseconds later; a caller that hangs up does not stop it.
    Latency(u64),
    /// The connection is cut before the effect.
    CutBefore,
    /// The connection is cut after the effect.
    CutAfter,
    /// The callback comes twice.
    DuplicateCallback,
    /// The callback comes after the one that follows it.
    ReorderCallbacks,
    /// The callback never comes.
    LoseCallback,
    /// Refused as from an address that is not on the whitelist: 40164.
    RefuseIp,
    /// Carried out by a clock that is so many seconds ahead.
    ClockSkew(i64),
    /// Answered with this HTTP status and no JSON, without effect.
    Status(u16),
    /// Takes effect, and is answered with something that is no JSON.
    Garbage,
}

/// Why a rule could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("故障规则“{rule}”看不懂：{reason}。写法如 freepublish/submit#1=cut-after")]
pub struct FaultError {
    /// The rule.
    pub rule: String,
    /// What about it.
    pub reason: String,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(rule: &str) -> Result<Self, FaultError> {
        let failed = |reason: &str| FaultError { rule: rule.to_owned(), reason: reason.to_owned() };
        let (target, kind) = rule.split_once('=').ok_or_else(|| failed("缺少等号"))?;
        let (path, nth) = match target.split_once('#') {
            Some((path, nth)) => {
                (path, occurrence(nth).ok_or_else(|| failed("# 后应为 1、2-4、3+ 或 *"))?)
            }
            None => (target, Occurrence::EVERY),
        };
        if path.trim().is_empty() {
            return Err(failed("缺少接口路径"));
        }
        let kind = kind.parse().map_err(|reason: String| failed(&reason))?;
        Ok(Self { path: path.trim().to_owned(), nth, kind })
    }
}

fn occurrence(text: &str) -> Option<Occurrence> {
    if text == "*" {
        return Some(Occurrence::EVERY);
    }
    if let Some(first) = text.strip_suffix('+') {
        return Some(Occurrence { first: positive(first)?, last: None });
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (positive(first)?, positive(last)?);
        return (first <= last).then_some(Occurrence { first, last: Some(last) });
    }
    Some(Occurrence::only(positive(text)?))
}

fn positive(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        fn number<T: FromStr>(name: &str, value: Option<&str>) -> Result<T, String> {
            value
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| format!("{name} 之后应有冒号和数字"))
        }
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let kind = match name {
            "error" => return Ok(Self::ErrorCode(number(name, value)?)),
            "error-after" => return Ok(Self::ErrorAfter(number(name, value)?)),
            "latency" => return Ok(Self::Latency(number(name, value)?)),
            "clock-skew" => return Ok(Self::ClockSkew(number(name, value)?)),
            "status" => {
                let status: u16 = number(name, value)?;
                return if (200..600).contains(&status) {
                    Ok(Self::Status(status))
                } else {
                    Err(format!("{status} 不是 200–599 的 HTTP 状态"))
                };
            }
            "cut-before" => Self::CutBefore,
            "cut-after" => Self::CutAfter,
            "duplicate-callback" => Self::DuplicateCallback,
            "reorder-callbacks" => Self::ReorderCallbacks,
            "lose-callback" => Self::LoseCallback,
            "refuse-ip" => Self::RefuseIp,
            "garbage" => Self::Garbage,
            _ => return Err(format!("没有“{name}”这种故障")),
        };
        if value.is_some() {
            return Err(format!("{name} 之后不带数字"));
        }
        Ok(kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match self.nth {
            Occurrence { first: 1, last: None } => {}
            Occurrence { first, last: None } => write!(f, "#{first}+")?,
            Occurrence { first, last: Some(last) } if first == last => write!(f, "#{first}")?,
            Occurrence { first, last: Some(last) } => write!(f, "#{first}-{last}")?,
        }
        write!(f, "={}", self.kind)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ErrorCode(code) => write!(f, "error:{code}"),
            Self::ErrorAfter(code) => write!(f, "error-after:{code}"),
            Self::Latency(milliseconds) => write!(f, "latency:{milliseconds}"),
            Self::CutBefore => f.write_str("cut-before"),
            Self::CutAfter => f.write_str("cut-after"),
            Self::DuplicateCallback => f.write_str("duplicate-callback"),
            Self::ReorderCallbacks => f.write_str("reorder-callbacks"),
            Self::LoseCallback => f.write_str("lose-callback"),
            Self::RefuseIp => f.write_str("refuse-ip"),
            Self::ClockSkew(seconds) => write!(f, "clock-skew:{seconds}"),
            Self::Status(status) => write!(f, "status:{status}"),
            Self::Garbage => f.write_str("garbage"),
        }
    }
}

/// The rules in force, each with how many calls it has met.
#[derive(Debug, Default)]
pub(super) struct FaultBoard {
    rules: Vec<(Fault, u32)>,
}

impl FaultBoard {
    /// Replaces the rules.
    pub(super) fn set(&mut self, faults: Vec<Fault>) {
        self.rules = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// The rules as text.
    pub(super) fn list(&self) -> Vec<String> {
        self.rules.iter().map(|(fault, _)| fault.to_string()).collect()
    }

    /// Counts one call and says what strikes it, in the order of the rules.
    pub(super) fn strike(&mut self, path: &str) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        for (fault, met) in &mut self.rules {
            if matches(&fault.path, path) {
                *met += 1;
                if fault.nth.holds(*met) {
                    struck.push(fault.kind);
                }
            }
        }
        struck
    }
}

/// Whether the rule's path means this call.
fn matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches('/').trim_start_matches("cgi-bin/");
    if pattern.ends_with('/') { path.starts_with(pattern) } else { is_glob_of(pattern, path) }
}

/// Whether a pattern with `*` stands for the whole path.
fn is_glob_of(pattern: &str, path: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == path };
    path.strip_prefix(head).is_some_and(|rest| {
        rest.char_indices()
            .map(|(index, _)| index)
            .chain([rest.len()])
            .any(|index| is_glob_of(tail, &rest[index..]))
    })
}
