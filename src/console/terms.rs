//! The field's own terms in English, for pages in English: who it is for, what is made of a lesson,
//! how far something is. What people wrote is not translated.

/// A term in English, where it is one.
#[must_use]
pub(super) fn english(term: &str) -> Option<&'static str> {
    let state = crate::model::DeliveryState::ALL.iter().find(|state| state.label() == term);
    if let Some(state) = state {
        return Some(super::deliveries::english_of(*state));
    }
    Some(match term {
        "通用版" => "general",
        "老年版" => "older customers",
        "学生版" => "students",
        "微信文章" => "WeChat article",
        "图片消息" => "picture message",
        "屏幕海报" => "screen poster",
        "印刷海报" => "print poster",
        "三折页" => "leaflet",
        "上网认证页" => "portal page",
        "短文" => "short text",
        "滚动字幕" => "ticker",
        "横幅" => "banner",
        "短信" => "text message",
        "厅堂话术卡" => "staff card",
        "晨会页" => "morning sheet",
        "展台页" => "booth sheet",
        "投诉电话公示" => "complaints notice",
        "已投放" => "Sent",
        "等人决定" => "Held",
        "已跳过" => "Skipped",
        "没有发全" => "Incomplete",
        "已给" => "given",
        "待换" => "to come",
        "在放" => "playing",
        "备好" => "ready",
        "没取到" => "not fetched",
        "网点表" => "table of branches",
        "屏幕表" => "table of screens",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::english;
    use crate::model::{Audience, DeliveryState, OutputKind};

    #[test]
    fn every_term_of_the_field_has_its_english() {
        let labels = Audience::ALL.iter().map(|one| one.label());
        let labels = labels.chain(OutputKind::ALL.iter().map(|one| one.label()));
        for label in labels.chain(DeliveryState::ALL.iter().map(|one| one.label())) {
            assert!(english(label).is_some_and(str::is_ascii), "{label}");
        }
    }
}
