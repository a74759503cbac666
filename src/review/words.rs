//! A review's standing for people, in Chinese.

use super::Standing;
use crate::model::ReviewStep;
use jiff::{Timestamp, tz::TimeZone};
use std::fmt;

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approved { until } => write!(f, "已批准，有效到 {}", shown(*until)),
            Self::Rejected { by, note } => write!(f, "{by} 退回：{note}"),
            Self::Expired { step, at } => {
                write!(f, "“{}”的签字 {} 到期了", step_name(step), shown(*at))
            }
            Self::Missing(steps) if steps.is_empty() => f.write_str("这份内容没有送审"),
            Self::Missing(steps) => {
                let names: Vec<String> = steps.iter().map(step_name).collect();
                write!(f, "还差签字：{}", names.join("、"))
            }
        }
    }
}

impl Standing {
    /// Why the manifest may not go out; empty where it may.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Approved { .. } => String::new(),
            other => other.to_string(),
        }
    }

    /// What to do next; empty where nothing is to be done.
    #[must_use]
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Approved { .. } => "",
            Self::Missing(steps) if steps.is_empty() => "请先送审：caishi submit",
            Self::Missing(_) => "请有权签的人批准：caishi approve",
            Self::Rejected { .. } => "请按意见修改后重新送审：caishi submit",
            Self::Expired { .. } => "请重新签：caishi approve",
        }
    }
}

/// The step's name and department; most names have it already.
#[must_use]
pub fn step_name(step: &ReviewStep) -> String {
    match &step.department {
        Some(department) if !step.name.contains(department) => {
            format!("{}（{department}）", step.name)
        }
        _ => step.name.clone(),
    }
}

fn shown(at: Timestamp) -> String {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}
