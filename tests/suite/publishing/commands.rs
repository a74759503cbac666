//! The same story at the command line, by named people with their tokens.

use super::town::{content, open};
use caishi::{
    model::Digest,
    sandbox::{Sandbox, SandboxOptions},
};
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const TABLE: &str = r#"
[bank]
name = "山城示范银行"
base_url = "https://edu.shancheng.example"
hotline = "bank"
disclaimer = "本文为金融知识普及，不构成投资建议。"

[channel.branches]
kind = "folder"
mode = "publish"
path = "published"
outputs = ["screen", "post"]
audiences = ["general"]

[schedule.weekly]
campaign = "routine/weekly"
rule = "0 8 * * MON"
channels = ["branches"]

[[review.step]]
name = "消保审查"
role = "reviewer"
"#;

const PEOPLE: [(&str, &str, &str); 2] = [
    ("author-a", "[\"author\", \"reviewer\", \"administrator\"]", "TOKEN_A"),
    ("reviewer-b", "[\"reviewer\"]", "TOKEN_B"),
];

fn token(variable: &str) -> String {
    format!("{variable}-0123456789abcdef0123456789abcdef")
}

fn caishi(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caishi"));
    command.args(words).current_dir(folder);
    for (_, _, variable) in PEOPLE {
        command.env(variable, token(variable));
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n")
}

/// A folder with content, and a configuration whose people have tokens.
fn office(table: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let mut table = table.to_owned();
    for (id, roles, variable) in PEOPLE {
        table += &format!(
            "\n[[people]]\nid = \"{id}\"\nname = \"{id}\"\nroles = {roles}\ntoken_env = \"{variable}\"\n\
             token_sha256 = \"{}\"\n",
            Digest::of(token(variable).as_bytes())
        );
    }
    fs::write(folder.path().join("channels.toml"), table).unwrap();
    folder
}

/// Words, exit code, what is said.
type Line<'a> = (&'a [&'a str], i32, &'a str);

fn tell(folder: &Path, story: &[Line<'_>]) {
    for (words, code, said) in story {
        let output = caishi(folder, words);
        let told = text(&output);
        assert_eq!(output.status.code(), Some(*code), "caishi {}\n{told}", words.join(" "));
        assert!(told.contains(said), "caishi {} does not say “{said}”:\n{told}", words.join(" "));
    }
}

#[test]
fn a_week_at_the_command_line() {
    let folder = office(TABLE);
    let story: &[Line<'_>] = &[
        (&["status"], 0, "还没有投放过"),
        (&["plan", "weekly"], 0, "什么都没有发出去"),
        (&["plan", "nothing"], 2, "weekly"),
        (&["publish", "weekly", "--as", "author-a"], 2, "还没有送审"),
        (&["submit", "weekly", "--as", "nobody"], 2, "nobody"),
        (&["submit", "weekly", "--as", "author-a"], 0, "要签：消保审查"),
        (&["approve", "weekly", "--as", "author-a"], 2, "A104"),
        (&["publish", "weekly", "--as", "author-a"], 2, "还差签字"),
        (&["status"], 0, "待签"),
        (&["approve", "weekly", "--as", "reviewer-b"], 0, "已批准"),
        (&["publish", "weekly", "--dry-run", "--as", "author-a"], 0, "什么都没有发出去"),
        (&["hold", "哀悼日", "--as", "author-a"], 0, "已停发"),
        (&["status"], 1, "已停发：哀悼日"),
        (&["release", "--as", "author-a"], 0, "已恢复"),
        (&["publish", "weekly", "--as", "author-a"], 0, "已送达"),
        (&["publish", "weekly", "--as", "author-a"], 2, "--again"),
        (&["status", "weekly"], 0, "已送达"),
        (&["slots"], 0, "将要"),
        (&["recall", "routine/weekly", "--note", "数字有误", "--as", "author-a"], 0, "已撤"),
        (&["audit", "verify"], 0, "首尾相接"),
        (&["audit", "list"], 0, "submit"),
        (&["doctor"], 0, "渠道 branches"),
        (&["backup", "b.zip"], 0, "已备份"),
        (&["backup", "b.zip"], 2, "已经有了"),
    ];
    tell(folder.path(), story);
    // Restored elsewhere, it starts held and says why.
    let elsewhere = tempfile::tempdir().unwrap();
    content(elsewhere.path());
    for name in ["channels.toml", "b.zip"] {
        fs::copy(folder.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let restored = caishi(elsewhere.path(), &["restore", "b.zip"]);
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored));
    let status = caishi(elsewhere.path(), &["status"]);
    assert_eq!(status.status.code(), Some(1), "{}", text(&status));
    assert!(text(&status).contains("已停发"), "{}", text(&status));
}

/// Test readers see it before it is signed; how many read it afterwards is one command away.
#[tokio::test(flavor = "multi_thread")]
async fn previews_and_numbers_at_the_command_line() {
    let options = SandboxOptions { publish_seconds: 0.0, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let wechat = format!(
        "[channel.wechat]\nkind = \"wechat\"\nsandbox = true\nmode = \"publish\"\n\
         app_id = \"wx5a0d0000demo0001\"\nhosts = [\"{}wechat\"]\noutputs = [\"article\"]\n\
         audiences = [\"general\"]\ntest_readers = [\"lin_edu\"]\n\n[schedule.weekly]",
        sandbox.url()
    );
    let table = TABLE.replace("[schedule.weekly]", &wechat);
    let folder = office(&table.replace("[\"branches\"]", "[\"branches\", \"wechat\"]"));
    let early: &[Line<'_>] = &[
        (&["send-preview", "weekly", "--as", "author-a"], 2, "没有“weekly”的送审记录"),
        (&["statistics"], 0, "没有可统计的投递"),
        (&["submit", "weekly", "--as", "author-a"], 0, "要签：消保审查"),
        (&["send-preview", "weekly", "--as", "author-a"], 0, "预览已发到 lin_edu 的微信"),
        (&["send-preview", "weekly", "--to", "nobody_x", "--as", "author-a"], 2, "现有：lin_edu"),
        (
            &["send-preview", "weekly", "--channel", "branches", "--as", "author-a"],
            2,
            "test_readers",
        ),
        (&["approve", "weekly", "--as", "reviewer-b"], 0, "已批准"),
        (&["publish", "weekly", "--as", "author-a"], 0, "已送达"),
        (&["audit", "list"], 0, "preview.send"),
    ];
    tell(folder.path(), early);
    assert_eq!(sandbox.books().account("wx5a0d0000demo0001").unwrap().previews, 1);
    // The platform has taken it; a worker asks for its last word some seconds later.
    let mut worker = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .arg("worker")
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let confirmed = (0..60).any(|_| {
        std::thread::sleep(Duration::from_millis(500));
        text(&caishi(folder.path(), &["status", "weekly"])).matches("已送达").count() == 2
    });
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert!(confirmed, "{}", text(&caishi(folder.path(), &["status", "weekly"])));
    let late: &[Line<'_>] = &[
        (&["statistics"], 0, "平台还没有数：发布后第二天才有"),
        (&["statistics", "nothing"], 2, "台账里没有“nothing”的投递"),
        (&["recall", "routine/weekly", "--note", "数字有误", "--as", "author-a"], 0, "已撤"),
    ];
    tell(folder.path(), late);
}

/// Whoever signs with a command is told of what others remarked in the console, and says that it
/// was read.
#[tokio::test(flavor = "multi_thread")]
async fn open_remarks_are_told_before_they_are_signed_away() {
    let folder = office(TABLE);
    tell(folder.path(), &[(&["submit", "weekly", "--as", "author-a"], 0, "要签：消保审查")]);
    let publisher = open(folder.path(), "http://127.0.0.1:9/".parse().unwrap()).await;
    let review = publisher.find_review("weekly").await.unwrap();
    let path = format!("lessons/{}/lesson.md", review.lessons[0]);
    let by = caishi::model::PersonId::new("reviewer-b").unwrap();
    publisher.store.add_remark(&review.number, &path, 3, &by, "金额要核对").await.unwrap();
    let told = format!("还有 1 条批注没有了结（{path}:3 金额要核对）");
    let story: &[Line<'_>] = &[
        (&["approve", "weekly", "--as", "reviewer-b"], 2, &told),
        (&["approve", "weekly", "--as", "reviewer-b"], 2, "--despite-remarks"),
        (&["approve", "weekly", "--despite-remarks", "--as", "reviewer-b"], 0, "已批准"),
    ];
    tell(folder.path(), story);
}

/// Whoever signs with a command an older submission is led to the one that replaced it.
#[test]
fn what_was_submitted_again_is_not_approved_with_a_command() {
    let folder = office(TABLE);
    tell(folder.path(), &[(&["submit", "weekly", "--as", "author-a"], 0, "宣教审〔2026〕0001号")]);
    let lesson = folder.path().join("content/lessons/telecom-fraud/lesson.md");
    let text = fs::read_to_string(&lesson).unwrap();
    fs::write(&lesson, text.replacen("version: 1", "version: 2", 1)).unwrap();
    let (first, second) = ("宣教审〔2026〕0001号", "宣教审〔2026〕0002号");
    let story: &[Line<'_>] = &[
        (&["submit", "weekly", "--as", "author-a"], 0, second),
        (&["approve", first, "--as", "reviewer-b"], 2, &format!("请看 {second}")),
        (&["approve", second, "--as", "reviewer-b"], 0, "已签"),
    ];
    tell(folder.path(), story);
}
