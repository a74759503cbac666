//! Reads a table key by key and collects what is wrong with it.

use crate::{
    config::{ChannelEntry, SecretReference},
    model::ChannelId,
};
use std::fmt;
use toml::{Table, Value};

/// A table that is emptied key by key; what is left is unknown.
pub(super) struct Keys {
    channel: ChannelId,
    table: Table,
    known: Vec<&'static str>,
    faults: Vec<String>,
}

impl Keys {
    pub(super) fn new(entry: &ChannelEntry) -> Self {
        Self {
            channel: entry.id.clone(),
            table: entry.settings.clone(),
            known: Vec::new(),
            faults: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, key: &str, what: impl fmt::Display) {
        self.faults.push(format!("[channel.{}] {key} {what}", self.channel));
    }

    pub(super) fn has_fault(&self, key: &str) -> bool {
        let start = format!("[channel.{}] {key} ", self.channel);
        self.faults.iter().any(|fault| fault.starts_with(&start))
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_) => {
                self.fault(key, "是空的");
                None
            }
            other => {
                self.fault(key, format!("是{}，应为文字", type_name(&other)));
                None
            }
        }
    }

    pub(super) fn number(&mut self, key: &'static str, least: i64, most: i64) -> Option<i64> {
        match self.take(key)? {
            Value::Integer(number) if (least..=most).contains(&number) => Some(number),
            Value::Integer(number) => {
                self.fault(key, format!("是 {number}，应在 {least} 到 {most} 之间"));
                None
            }
            other => {
                self.fault(key, format!("是{}，应为 {least} 到 {most} 的整数", type_name(&other)));
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> bool {
        match self.take(key) {
            None => false,
            Some(Value::Boolean(value)) => value,
            Some(other) => {
                self.fault(key, format!("是{}，应为 true 或 false", type_name(&other)));
                false
            }
        }
    }

    pub(super) fn strings(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let list: Option<Vec<String>> = value.as_array().and_then(|list| {
            let word = |value: &Value| value.as_str().map(str::trim).map(str::to_owned);
            list.iter().map(word).collect()
        });
        match list {
            Some(list) if list.iter().all(|word| !word.is_empty()) => list,
            _ => {
                self.fault(key, "应为文字的列表，如 [\"lin_edu\", \"wang_edu\"]，不能有空的");
                Vec::new()
            }
        }
    }

    /// A secret's reference. The value is never shown: it may be a secret written by mistake.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretReference> {
        let value = self.take(key)?;
        self.reference(key, value)
    }

    pub(super) fn reference(&mut self, key: &str, value: Value) -> Option<SecretReference> {
        if let Ok(reference) = value.try_into::<SecretReference>() {
            return Some(reference);
        }
        self.fault(
            key,
            "应为 { env = \"…\" }、{ file = \"…\" } 或 { command = […] } 之一；密钥本身不能写在配置里",
        );
        None
    }

    pub(super) fn finish(mut self) -> Result<(), Vec<String>> {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        let known = self.known.join("、");
        for key in unknown {
            self.fault(&key, format!("不是 wechat 渠道的设置；可用的有 {known}"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "文字",
        Value::Integer(_) => "整数",
        Value::Float(_) => "小数",
        Value::Boolean(_) => "真假值",
        Value::Datetime(_) => "日期",
        Value::Array(_) => "列表",
        Value::Table(_) => "表",
    }
}
