//! What references in running text stand for, and text as plain characters.

use super::Scene;
use crate::model::{HotlineId, Inline, InlineKind, Source, plain_text};
use jiff::civil::Date;

impl Scene<'_> {
    /// The number of a registry entry as shown in this scene: the branch's own number takes the
    /// place of the bank's.
    #[must_use]
    pub fn number(&self, id: &HotlineId) -> &str {
        let own = self.branch.and_then(|branch| branch.hotline.as_deref());
        match own {
            Some(number) if *id == self.bank.hotline => number,
            _ => self.library.hotline(id).map_or("", |hotline| hotline.number.as_str()),
        }
    }

    /// What a reference stands for.
    #[must_use]
    pub fn resolve(&self, reference: &InlineKind) -> String {
        match reference {
            InlineKind::Hotline(id) => self.number(id).to_owned(),
            InlineKind::BankName => self.bank.name.clone(),
            InlineKind::BranchName => {
                self.branch.map_or_else(|| self.bank.name.clone(), |branch| branch.name.clone())
            }
            _ => String::new(),
        }
    }

    /// The characters of running text, references resolved, without markup.
    #[must_use]
    pub fn plain(&self, inlines: &[Inline]) -> String {
        plain_text(inlines, &|reference| self.resolve(reference))
    }
}

/// Where a fact comes from, in one line: title, publisher, date.
pub(super) fn source_line(source: &Source) -> String {
    let (title, publisher) = (&source.title, &source.publisher);
    match source.date {
        Some(date) => format!("{title}（{publisher}，{}）", chinese_date(date)),
        None => format!("{title}（{publisher}）"),
    }
}

/// `2027年2月28日`
pub(super) fn chinese_date(date: Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

/// `2027年2月`
pub(super) fn chinese_month(date: Date) -> String {
    format!("{}年{}月", date.year(), date.month())
}

/// The citation `反电信网络诈骗法/31` as it is printed: `《反电信网络诈骗法》第三十一条`.
pub(super) fn law_name(cite: &str) -> String {
    match cite.split_once('/') {
        None => format!("《{cite}》"),
        Some((law, article)) => match article.parse::<u16>() {
            Ok(number) => format!("《{law}》第{}条", chinese_number(number)),
            Err(_) => format!("《{law}》{article}"),
        },
    }
}

/// A number below ten thousand as the law writes it: 670 is 六百七十.
pub(super) fn chinese_number(number: u16) -> String {
    const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    if !(1..10_000).contains(&number) {
        return number.to_string();
    }
    let mut text = String::new();
    let mut gap = false;
    for (power, unit) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = usize::from(number / power % 10);
        if digit == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push_str(DIGITS[0]);
            gap = false;
        }
        // 十五, not 一十五, where it begins the number.
        if !(digit == 1 && power == 10 && text.is_empty()) {
            text.push_str(DIGITS[digit]);
        }
        text.push_str(unit);
    }
    text
}

/// An expression in the signs people write by hand: `470 * 12` is 470 × 12.
pub(super) fn arithmetic(expression: &str) -> String {
    expression.replace('*', "×").replace('/', "÷")
}
