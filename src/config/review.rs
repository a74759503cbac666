//! `[review]`: who must agree, for how long, and how approvals are numbered.

use super::{
    ReviewConfig, ReviewRule,
    table::{Table, shorten},
};
use crate::model::{Priority, TopicId, suggest};

/// The roles whose people can sign a step.
pub(super) const REVIEW_ROLES: [&str; 3] = ["reviewer", "co-reviewer", "committee"];

const DEFAULT_NUMBER: &str = "宣教审〔{year}〕{seq}号";

pub(super) fn read(root: &Table<'_>) -> ReviewConfig {
    let mut review = ReviewConfig {
        steps: Vec::new(),
        valid_days: 180,
        warn_days: 3,
        number: DEFAULT_NUMBER.into(),
    };
    if let Some(table) = root.table("review") {
        review.valid_days = table.number("valid_days", 1, 730).unwrap_or(review.valid_days);
        review.warn_days = table.number("warn_days", 0, 60).unwrap_or(review.warn_days);
        review.number = table.parsed("number", number).unwrap_or(review.number);
        for step in table.tables("step") {
            let rule = read_step(&step);
            if let Some(rule) = rule {
                if review.steps.iter().any(|other| other.name == rule.name) {
                    step.fault("name", format!("“{}”写了两次；换一个名字", shorten(&rule.name)));
                }
                review.steps.push(rule);
            }
        }
        table.finish();
    }
    // Nothing goes out without somebody's yes.
    if review.steps.is_empty() {
        review.steps.push(ReviewRule {
            name: "消保审查".into(),
            role: "reviewer".into(),
            topics: Vec::new(),
            priority: None,
            topic_department: false,
        });
    }
    review
}

fn read_step(table: &Table<'_>) -> Option<ReviewRule> {
    let name =
        table.required_parsed("name", "写这一步的名字，例如 消保审查", |name| {
            let fits = name.chars().count() <= 20 && !name.contains(['（', '）', '\n']);
            if fits { Ok(name.to_owned()) } else { Err("至多 20 个字，不带括号".into()) }
        });
    let role = table.required_parsed("role", "写 reviewer、co-reviewer 或 committee", |text| {
        if REVIEW_ROLES.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("不能是“{}”；{}", shorten(text), suggest::known(text, REVIEW_ROLES)))
        }
    });
    let topics = table.list("topics", |text| {
        TopicId::new(text)
            .map_err(|_| format!("“{}”不是主题的代号；写 topics.toml 里的 id", shorten(text)))
    });
    let priority = table.parsed("priority", |text| match text {
        "normal" => Ok(Priority::Normal),
        "high" => Ok(Priority::High),
        other => Err(format!(
            "不能是“{}”；{}",
            shorten(other),
            suggest::known(other, ["normal", "high"])
        )),
    });
    let topic_department = table.flag("topic_department").unwrap_or_default();
    table.finish();
    Some(ReviewRule {
        name: name?,
        role: role?,
        topics: topics.unwrap_or_default(),
        priority,
        topic_department,
    })
}

fn number(text: &str) -> Result<String, String> {
    let rest = text.replacen("{year}", "", 1).replacen("{seq}", "", 1);
    let both = text.contains("{year}") && text.contains("{seq}");
    if !both || rest.contains(['{', '}']) {
        return Err(format!(
            "“{}”应各有一个 {{year}} 和 {{seq}}，例如 {DEFAULT_NUMBER}",
            shorten(text)
        ));
    }
    if rest.chars().count() > 20 || rest.chars().any(char::is_control) {
        return Err("除 {year} 和 {seq} 外至多 20 个字，一行写完：它要印在页脚".into());
    }
    Ok(text.to_owned())
}
