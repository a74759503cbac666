//! How states of deliveries are told apart, by word and by shape, and what comes next.

use crate::{model::DeliveryState, store::Delivery, work::clock::shanghai};

/// A shape that is not another state's, for eyes that see no colours.
pub(super) fn shape(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::WaitingApproval => "✎",
        DeliveryState::Ready => "○",
        DeliveryState::Preparing | DeliveryState::Prepared => "◔",
        DeliveryState::Sending => "◑",
        DeliveryState::Accepted => "◕",
        DeliveryState::Confirmed => "✓",
        DeliveryState::RetryWait => "↻",
        DeliveryState::Unknown => "？",
        DeliveryState::NeedsHuman => "！",
        DeliveryState::Dead => "✕",
        DeliveryState::Cancelled => "⊘",
        DeliveryState::Expired => "⌛",
        DeliveryState::Recalled => "↩",
    }
}

/// The class of its tag.
pub(super) fn tone(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Confirmed => "good",
        DeliveryState::Unknown | DeliveryState::NeedsHuman | DeliveryState::Dead => "alarm",
        DeliveryState::WaitingApproval | DeliveryState::RetryWait => "wait",
        _ => "",
    }
}

/// In English; the Chinese is [`DeliveryState::label`].
pub(in super::super) fn english(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::WaitingApproval => "Waiting for approval",
        DeliveryState::Ready => "Ready",
        DeliveryState::Preparing => "Preparing",
        DeliveryState::Prepared => "Prepared",
        DeliveryState::Sending => "Sending",
        DeliveryState::Accepted => "Accepted",
        DeliveryState::Confirmed => "Delivered",
        DeliveryState::RetryWait => "Waiting to retry",
        DeliveryState::Unknown => "Outcome unknown",
        DeliveryState::NeedsHuman => "Needs a person",
        DeliveryState::Dead => "Failed",
        DeliveryState::Cancelled => "Cancelled",
        DeliveryState::Expired => "Expired",
        DeliveryState::Recalled => "Recalled",
    }
}

/// What to do next, in Chinese and English: what the ledger says, unless that is a command line,
/// which the page has buttons for.
pub(super) fn next(delivery: &Delivery) -> (String, String) {
    let (chinese, english) = step(delivery);
    if delivery.state != DeliveryState::RetryWait {
        return (chinese, english);
    }
    let at = shanghai(delivery.next_at).strftime("%m-%d %H:%M:%S").to_string();
    let before = |text: String, stop: &str| if text.is_empty() { text } else { text + stop };
    (
        format!("{}下一次再试：{at}", before(chinese, "；")),
        format!("{}next try: {at}", before(english, "; ")),
    )
}

fn step(delivery: &Delivery) -> (String, String) {
    let said = &delivery.next_step;
    if !said.is_empty() && !said.contains("caishi ") {
        return (said.clone(), said.clone());
    }
    let (chinese, english) = match delivery.state {
        DeliveryState::WaitingApproval => ("等审批人签字", "Waits for signatures"),
        DeliveryState::Ready => ("到点自动发", "Goes out at its hour"),
        DeliveryState::Preparing | DeliveryState::Prepared | DeliveryState::Sending => {
            ("正在发，等一会儿", "Under way, wait a moment")
        }
        DeliveryState::Accepted => {
            ("等对方的最后结果，会自动问", "The platform is asked by itself")
        }
        DeliveryState::RetryWait => ("会自动再试", "Tried again by itself"),
        DeliveryState::Unknown => {
            ("先到渠道后台看有没有发出，再在这里认定", "Look at the channel, then settle it here")
        }
        DeliveryState::NeedsHuman => {
            ("先处理原因，再重发或取消", "Mend the cause, then retry or cancel")
        }
        DeliveryState::Dead => ("查明原因，可以重发或取消", "Find the cause; retry or cancel"),
        DeliveryState::Confirmed
        | DeliveryState::Cancelled
        | DeliveryState::Expired
        | DeliveryState::Recalled => ("", ""),
    };
    (chinese.to_owned(), english.to_owned())
}

/// The beginning of a message: a board has no room for all of it.
pub(super) fn brief(message: &str) -> String {
    const LONGEST: usize = 60;
    let mut text: String = message.chars().take(LONGEST).collect();
    if message.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text
}

/// An address that a browser may follow.
pub(super) fn link(url: Option<&str>) -> Option<&str> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}
