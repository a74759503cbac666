//! Looks at everything publishing needs, changes nothing, and says what to do.

use super::{Content, Publisher, books::StoreBooks};
use crate::{
    build::Studio,
    deliver::Finding,
    model::{ChannelId, Severity},
};
use jiff::{SignedDuration, Timestamp};

/// Free space below which a disk is a worry.
const LEAST_FREE: u64 = 1_000_000_000;

/// What a channel's findings stand under.
#[must_use]
pub fn channel_name(id: &ChannelId) -> String {
    format!("渠道 {id}")
}

impl Publisher {
    /// Every finding, by what was looked at. `system_now` is this machine's clock.
    pub async fn doctor(
        &self,
        content: Option<&Content>,
        system_now: Timestamp,
    ) -> Vec<(String, Vec<Finding>)> {
        let mut report = vec![
            ("数据库".to_owned(), self.look_at_database().await),
            ("时钟".to_owned(), self.look_at_clock(system_now).await),
            ("磁盘".to_owned(), self.look_at_disk()),
            ("字体和版式".to_owned(), self.look_at_fonts()),
        ];
        if let Some(content) = content {
            report.push(("内容".to_owned(), look_at_content(content)));
        }
        for entry in &self.config.channels {
            let findings = match self.channel(&entry.id) {
                Ok(channel) => {
                    let books = StoreBooks::of_channel(&self.store, &channel.account(), "doctor");
                    channel.check(&books).await
                }
                Err(error) => {
                    vec![bad(error.to_string(), "改好 channels.toml，再运行 caishi doctor")]
                }
            };
            report.push((channel_name(&entry.id), findings));
        }
        report
    }

    async fn look_at_database(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.store.deployment().await {
            Ok(deployment) => {
                findings.push(good(format!("能读写，第 {} 代", deployment.generation)));
                if let Some(hold) = deployment.hold {
                    let what = format!("已停发：{}（{}）", hold.reason, hold.by);
                    findings.push(bad(what, "查清原因后运行 caishi release --as <代号>"));
                }
            }
            Err(error) => {
                findings.push(bad(error.to_string(), "请检查 channels.toml 的 [database]"));
                return findings;
            }
        }
        findings.push(match self.store.verify_audit().await {
            Ok(Ok(rows)) => good(format!("审计记录 {rows} 条，首尾相接")),
            Ok(Err((row, reason))) => bad(
                format!("审计记录第 {row} 条不对：{reason}"),
                "台账被改过：停发（caishi hold），保留现场，交审计人员",
            ),
            Err(error) => bad(error.to_string(), "请检查数据库"),
        });
        findings
    }

    async fn look_at_clock(&self, system_now: Timestamp) -> Vec<Finding> {
        let Ok(ledger_now) = self.store.now().await else {
            return vec![bad("读不到台账的时钟".to_owned(), "请检查数据库")];
        };
        let apart = system_now.duration_since(ledger_now).abs();
        let shown = super::clock::shanghai(ledger_now).strftime("%Y-%m-%d %H:%M:%S").to_string();
        vec![if apart > SignedDuration::from_secs(30) {
            bad(
                format!("本机时钟和数据库差 {} 秒", apart.as_secs()),
                "请打开时间同步（chrony 或 systemd-timesyncd）",
            )
        } else {
            good(format!("北京时间 {shown}，和数据库一致"))
        }]
    }

    fn look_at_disk(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let folders = [self.store.blob_folder(), Some(self.config.folder.clone())];
        for folder in folders.into_iter().flatten() {
            let folder = if folder.as_os_str().is_empty() { ".".into() } else { folder };
            match rustix::fs::statvfs(&folder) {
                Ok(disk) => {
                    let free = disk.f_bavail * disk.f_frsize;
                    let what = format!(
                        "{} 还有 {:.1} GB",
                        folder.display(),
                        free as f64 / 1_000_000_000.0
                    );
                    findings.push(if free < LEAST_FREE {
                        bad(what, "请清理磁盘，或换一块大的")
                    } else {
                        good(what)
                    });
                }
                Err(error) => findings.push(bad(
                    format!("看不了 {}：{error}", folder.display()),
                    "请确认文件夹存在、可写",
                )),
            }
        }
        findings
    }

    fn look_at_fonts(&self) -> Vec<Finding> {
        let studio = match Studio::load(&self.config) {
            Ok(studio) => studio,
            Err(error) => return vec![bad(error.to_string(), "请检查 [fonts] 和 [templates]")],
        };
        vec![match studio.stage() {
            Ok(_) => good("内置字体和版式可用".to_owned()),
            Err(error) => bad(error.to_string(), "请检查 [fonts] 文件夹里的字体"),
        }]
    }
}

fn look_at_content(content: &Content) -> Vec<Finding> {
    let errors = content.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let count = errors.count();
    vec![if count == 0 {
        good(format!(
            "{} 课、{} 个网点，没有错误",
            content.library.lessons.len(),
            content.library.branches.len()
        ))
    } else {
        bad(format!("有 {count} 处错误"), "运行 caishi build 看每一处")
    }]
}

fn good(what: String) -> Finding {
    Finding { ok: true, what, next_step: None }
}

fn bad(what: String, next_step: &str) -> Finding {
    Finding { ok: false, what, next_step: Some(next_step.to_owned()) }
}
