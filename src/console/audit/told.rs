//! A row of the audit chain for people: what was done and to what in words, its content as labelled
//! facts, moments in Beijing time.

use super::chain::Row;
use crate::{console::language::say, model::DeliveryState, work::clock::shanghai};
use jiff::Timestamp;
use serde_json::Value;

/// A row as the page shows it.
pub(super) struct Told {
    pub(super) row: Row,
    /// What was done, in words; its name in the chain where there are none.
    pub(super) action: String,
    /// Where the subject can be seen.
    pub(super) href: Option<String>,
    /// What it was before.
    pub(super) was: Vec<Fact>,
    /// What it became.
    pub(super) became: Vec<Fact>,
}

/// A labelled fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
}

pub(super) fn told(row: Row) -> Told {
    Told {
        action: action(&row.action).unwrap_or(&row.action).to_owned(),
        href: href(&row),
        was: facts(&row.before),
        became: facts(&row.after),
        row,
    }
}

/// Where what a row is about can be seen: a submission or a delivery.
fn href(row: &Row) -> Option<String> {
    let number = match row.action.as_str() {
        "submit" => Some(row.subject.clone()),
        "approve" | "reject" => serde_json::from_str::<Value>(&row.after)
            .ok()
            .and_then(|after| Some(after.get("number")?.as_str()?.to_owned())),
        "delivery.state" => return Some(format!("/console/deliveries/{}", row.subject)),
        _ => row.subject.strip_prefix("review/").map(str::to_owned),
    };
    let encoded = |number: String| {
        let bytes = url::form_urlencoded::byte_serialize(number.as_bytes());
        format!("/console/reviews/{}", bytes.collect::<String>())
    };
    number.map(encoded)
}

/// The facts of a row's content: one for each of its fields.
fn facts(json: &str) -> Vec<Fact> {
    match serde_json::from_str::<Value>(json) {
        Ok(Value::Object(fields)) => {
            let fact = |(name, value): (String, Value)| Fact {
                value: text(&name, &value),
                label: label(&name).map_or(name, str::to_owned),
            };
            fields.into_iter().map(fact).collect()
        }
        Ok(Value::Null) | Err(_) if json.is_empty() => Vec::new(),
        Ok(other) => vec![Fact { label: String::new(), value: text("", &other) }],
        Err(_) => vec![Fact { label: String::new(), value: json.to_owned() }],
    }
}

/// A value as people read it.
fn text(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::Bool(value) => if *value { say("是", "yes") } else { say("否", "no") }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => match (DeliveryState::from_name(text), text.parse::<Timestamp>()) {
            (Some(state), _) if name == "state" => state.label().to_owned(),
            (_, Ok(at)) => shanghai(at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            _ if text.is_empty() => "—".to_owned(),
            _ => text.clone(),
        },
        Value::Array(list) if list.is_empty() => "—".to_owned(),
        Value::Array(list) => {
            list.iter().map(|one| text("", one)).collect::<Vec<_>>().join(say("、", ", "))
        }
        Value::Object(fields) => {
            let pair = |(name, value): (&String, &Value)| {
                format!("{}{}{}", label(name).unwrap_or(name), say("：", ": "), text(name, value))
            };
            fields.iter().map(pair).collect::<Vec<_>>().join(say("；", "; "))
        }
    }
}

/// What was done, in words.
fn action(name: &str) -> Option<&'static str> {
    Some(match name {
        "submit" => say("送审", "Submitted"),
        "approve" => say("批准", "Approved"),
        "reject" => say("退回", "Returned"),
        "remark" => say("批注", "Remark"),
        "remark.answer" => say("答复批注", "Remark answered"),
        "remark.settle" => say("了结批注", "Remark settled"),
        "delivery.state" => say("投递变化", "Delivery changed"),
        "occurrence.open" => say("排期到点", "Slot came"),
        "occurrence.decide" => say("决定补发或跳过", "Slot decided"),
        "slot.move" => say("改期", "Slot moved"),
        "recall.begin" => say("开始撤回", "Recall begun"),
        "hold" => say("停发", "Held"),
        "release" => say("恢复投放", "Resumed"),
        "restore" => say("从备份恢复", "Restored"),
        "deployment.create" => say("建台账", "Ledger made"),
        "preview.send" => say("发给试读的人", "Sent to test readers"),
        "campaign.save" => say("保存活动", "Campaign saved"),
        "campaign.save.failed" => say("活动没有存成", "Campaign not saved"),
        "register.import" => say("换名录", "Register replaced"),
        "register.failed" => say("名录没有换成", "Register not replaced"),
        "hotline.change" => say("改热线", "Number changed"),
        "hotline.written" => say("热线写进内容", "Number written"),
        "hotline.failed" | "hotline.stuck" => say("热线变更停住了", "Number stuck"),
        "branch.code" => say("发登记码", "Code for a branch"),
        "branch.enrol" => say("登记播放机", "Machine enrolled"),
        "branch.confirm" => say("网点确认", "Branch confirmed"),
        "branch.withdraw" => say("网点撤销确认", "Confirmation taken back"),
        "branch.event" => say("活动数字", "Event reported"),
        "account.save" => say("改人员", "Account changed"),
        "account.invite" => say("邀请", "Invited"),
        "account.password" => say("改口令", "Password changed"),
        "account.unlock" => say("解锁", "Unlocked"),
        "session.start" => say("登录", "Signed in"),
        "session.end" | "session.end-all" => say("退出", "Signed out"),
        "session.refuse" => say("登录被拒", "Sign-in refused"),
        "token.create" => say("发接口口令", "Token made"),
        "token.revoke" => say("收回接口口令", "Token withdrawn"),
        "audit.render-again" => say("重新生成比对", "Rendered again"),
        "xibo.assign" => say("认领屏幕", "Screen assigned"),
        _ => return None,
    })
}

/// What a field of a row's content is.
fn label(name: &str) -> Option<&'static str> {
    Some(match name {
        "active" => say("启用", "Active"),
        "at" | "made_at" => say("时间", "At"),
        "attempt" => say("第几次发送", "Attempt"),
        "author" => say("送审人", "Author"),
        "branch" => say("网点", "Branch"),
        "by" => say("谁", "By"),
        "campaign" => say("活动", "Campaign"),
        "channel" => say("渠道", "Channel"),
        "day" => say("日期", "Day"),
        "deliveries" => say("投递", "Deliveries"),
        "department" => say("部门", "Department"),
        "different" => say("不同的文件", "Files that differ"),
        "due" => say("应发", "Due"),
        "epoch" => say("第几次改动", "Change no."),
        "error_class" => say("错误种类", "Kind of error"),
        "error" => say("出错", "Error"),
        "excluded" => say("不能签的人", "May not sign"),
        "expires_at" | "until" => say("有效到", "Until"),
        "failures" => say("失败次数", "Failures"),
        "generation" => say("第几代", "Generation"),
        "groups" => say("标签", "Groups"),
        "hold" => say("停发", "Hold"),
        "key" => say("投递键", "Delivery key"),
        "lesson" | "lessons" => say("课件", "Lesson"),
        "line" => say("行", "Line"),
        "locked_until" => say("锁到", "Locked until"),
        "machine" => say("机器", "Machine"),
        "manifests" => say("清单", "Manifests"),
        "means" => say("方式", "Means"),
        "message" | "note" => say("说明", "Note"),
        "moved_to" => say("改到", "Moved to"),
        "name" | "title" => say("名称", "Name"),
        "number" => say("编号", "Number"),
        "numbers" => say("六个数", "Six numbers"),
        "path" | "file" => say("文件", "File"),
        "person" => say("人", "Person"),
        "reason" => say("原因", "Reason"),
        "remark" => say("批注", "Remark"),
        "remote_ref" => say("对方编号", "Remote reference"),
        "roles" => say("角色", "Roles"),
        "same" => say("相同的文件", "Files that match"),
        "scopes" => say("范围", "Scopes"),
        "screen" => say("屏幕", "Screen"),
        "state" => say("状态", "State"),
        "step" | "steps" => say("步骤", "Step"),
        "text" => say("内容", "Text"),
        "verified_by" => say("核实人", "Verified by"),
        "verified_on" => say("核实日期", "Verified on"),
        "what" => say("什么", "What"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Fact, facts};

    fn fact(label: &str, value: &str) -> Fact {
        Fact { label: label.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn content_becomes_labelled_facts_in_beijing_time() {
        let json = r#"{"expires_at":"2026-11-30T00:00:00Z","odd":[1,"b"],"state":"confirmed"}"#;
        let told =
            [fact("有效到", "2026-11-30 08:00:00"), fact("odd", "1、b"), fact("状态", "已送达")];
        assert_eq!(facts(json), told);
        assert_eq!(facts(""), []);
        assert_eq!(facts("一句话"), [fact("", "一句话")]);
    }
}
