//! `caishi check` and `caishi explain`

use super::{
    Exit,
    findings::{self, Format},
};
use crate::{
    check::{Catalogue, Checker, Rule, Subject, blocks, fix},
    config::Config,
    model::{Finding, Severity},
    read,
};
use anyhow::Context as _;
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Arguments of `caishi check`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of a command line")]
pub struct CheckArguments {
    /// 只看这些文件或文件夹；不写就看全部内容
    #[arg(value_name = "路径")]
    paths: Vec<PathBuf>,
    /// 结果写成什么样：text 给人看，json、sarif 给程序，github 给流水线
    #[arg(long, value_name = "样式", default_value = "text")]
    format: Format,
    /// 自动改正不会变意思的写法（半角标点、写死的电话）
    #[arg(long)]
    fix: bool,
    /// 和 --fix 一起：只看会改什么，不动文件
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// 只看文字，不看版面：写的时候用，快
    #[arg(long)]
    text_only: bool,
    /// 版面和成品放在哪个输出文件夹里；build 生成过的直接用
    #[arg(long, value_name = "文件夹", default_value = "out")]
    out: PathBuf,
    /// 按哪一天检查，如 2027-03-01；默认今天
    #[arg(long, value_name = "日期")]
    today: Option<jiff::civil::Date>,
    /// 已豁免的也列出来
    #[arg(long)]
    waived: bool,
}

/// Arguments of `caishi explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// 规则编号，如 B201；不写就列出全部
    #[arg(value_name = "规则")]
    rule: Option<String>,
}

pub(super) fn run(arguments: &CheckArguments, config: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    // The rules are compiled while the lessons are read; `Checker::new` says what is wrong with them.
    let (reading, _) = rayon::join(|| read::read_library(&config.content), Catalogue::built_in);
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC);
    let today = arguments.today.unwrap_or_else(|| zone.to_datetime(jiff::Timestamp::now()).date());
    let subject = Subject {
        library: &reading.library,
        diagnostics: &reading.diagnostics,
        bank: &config.bank,
        today,
    };
    let checker = Checker::new(subject)?;
    let mut found = checker.sources();
    if !arguments.text_only {
        found.extend(super::finished::check(&checker, &config, &reading.library, &arguments.out)?);
    }
    let filter = Filter::new(&arguments.paths, &config.content)?;
    found.retain(|finding| filter.admits(finding));
    if arguments.fix {
        return mend(&found, arguments, &config.content);
    }
    let (waived, counted): (Vec<Finding>, Vec<Finding>) =
        found.into_iter().partition(|finding| finding.waiver.is_some());
    let mut printed = counted.clone();
    if arguments.waived || arguments.format == Format::Sarif {
        printed.extend(waived.iter().cloned());
    }
    print!("{}", findings::render(&printed, arguments.format, &config.content));
    if arguments.format == Format::Text {
        summary(&counted, waived.len(), reading.library.lessons.len());
    }
    Ok(if blocks(&counted) { Exit::ContentFaults } else { Exit::Success })
}

fn summary(findings: &[Finding], waived: usize, lessons: usize) {
    let count = |severity| findings.iter().filter(|found| found.counts_as(severity)).count();
    let edits = findings.iter().filter_map(|found| found.fix.as_ref()).map(|fix| fix.edits.len());
    let fixable: usize = edits.sum();
    let errors = count(Severity::Error);
    eprintln!(
        "{lessons} 课：错误 {errors} 处，警告 {} 处，提示 {} 处，已豁免 {waived} 处。",
        count(Severity::Warning),
        count(Severity::Information),
    );
    if fixable > 0 {
        eprintln!(
            "其中 {fixable} 处可以自动改：先看 caishi check --fix --dry-run，再去掉 --dry-run。"
        );
    }
    if let Some(first) = findings.first() {
        eprintln!("想知道为什么：caishi explain {}", first.diagnostic.code);
    }
}

/// Which findings the paths on the command line ask for.
struct Filter {
    paths: Vec<PathBuf>,
    content: PathBuf,
}

impl Filter {
    fn new(paths: &[PathBuf], content: &Path) -> anyhow::Result<Self> {
        let canonical = |path: &PathBuf| {
            fs::canonicalize(path).or_else(|_| fs::canonicalize(content.join(path))).with_context(
                || {
                    format!(
                        "找不到 {}，请写 {} 里的文件或文件夹",
                        path.display(),
                        content.display()
                    )
                },
            )
        };
        let paths = paths.iter().map(canonical).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self {
            paths,
            content: fs::canonicalize(content).unwrap_or_else(|_| content.to_owned()),
        })
    }

    fn admits(&self, finding: &Finding) -> bool {
        let path = self.content.join(&finding.diagnostic.file.path);
        self.paths.is_empty() || self.paths.iter().any(|wanted| path.starts_with(wanted))
    }
}

/// Applies the safe fixes, or shows them.
fn mend(found: &[Finding], arguments: &CheckArguments, content: &Path) -> anyhow::Result<Exit> {
    let fixed = fix::apply(found);
    let mut count = 0;
    for file in &fixed {
        let path = content.join(&file.file.path);
        if arguments.dry_run {
            let diff = similar::TextDiff::from_lines(&*file.file.text, &file.text);
            let name = path.display().to_string();
            print!("{}", diff.unified_diff().context_radius(1).header(&name, &name));
        } else {
            let now =
                fs::read_to_string(&path).with_context(|| format!("读不了 {}", path.display()))?;
            anyhow::ensure!(
                now.trim_start_matches('\u{FEFF}') == &*file.file.text,
                "{} 刚刚被改过，没有动它；请再运行一次",
                path.display()
            );
            crate::build::write_whole(&path, file.text.as_bytes())
                .with_context(|| format!("写不了 {}", path.display()))?;
        }
        count += file.count;
    }
    let files = fixed.len();
    if count == 0 {
        eprintln!("没有可以自动改的。");
    } else if arguments.dry_run {
        eprintln!("{files} 个文件、{count} 处可以自动改；去掉 --dry-run 就会改。");
    } else {
        eprintln!("改了 {files} 个文件、{count} 处；请看一遍改动，再运行 caishi check。");
    }
    Ok(Exit::Success)
}

pub(super) fn explain(arguments: &ExplainArguments) -> anyhow::Result<Exit> {
    let catalogue = Catalogue::built_in()?;
    let Some(id) = &arguments.rule else {
        let mut table = super::table::Table::new(["规则", "级别", "说什么", "依据"]);
        for rule in catalogue.rules() {
            let cells = [&rule.id, &rule.severity.to_string(), &rule.name, &rule.basis];
            table.row(cells.map(Clone::clone));
        }
        print!("{table}");
        return Ok(Exit::Success);
    };
    let Some(rule) = catalogue.rule(id) else {
        let known = catalogue.rules().iter().map(|rule| rule.id.as_str());
        anyhow::bail!("没有规则“{id}”。{}", crate::model::suggest::known(id, known));
    };
    print!("{}", explained(rule));
    Ok(Exit::Success)
}

fn explained(rule: &Rule) -> String {
    let list =
        |texts: &[String]| texts.iter().fold(String::new(), |list, text| list + "  " + text + "\n");
    let mut text = format!(
        "{}　{}（{}）\n\n{}。\n依据：{}\n怎么改：{}\n\n会报：\n{}不报：\n{}",
        rule.id,
        rule.name,
        rule.severity,
        rule.reason,
        rule.basis,
        rule.help,
        list(&rule.hit),
        list(&rule.pass),
    );
    if rule.wording.is_some() {
        text.push_str(
            "\n:::scam、:::quote、:::redflag 里的话不报，只要同一输出在旁边留着提醒；\
             标题、摘要、横幅、字幕、短信和认证页单独出现，提醒要写在同一句里。\n",
        );
    }
    text.push_str(&format!(
        "\n这一处确实要这样写，在它上一行写：\n  <!-- lint-allow {} reason=\"理由\" until=年-月-日 -->\n\
         全行都改级别、关掉或加词，写在 content/rules/ 里。\n",
        rule.id
    ));
    text
}
