//! The same story at the command line, by named people with their tokens.

use super::town::content;
use caishi::model::Digest;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

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

#[test]
fn a_week_at_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    content(folder.path());
    let mut table = TABLE.to_owned();
    for (id, roles, variable) in PEOPLE {
        table += &format!(
            "\n[[people]]\nid = \"{id}\"\nname = \"{id}\"\nroles = {roles}\ntoken_env = \"{variable}\"\n\
             token_sha256 = \"{}\"\n",
            Digest::of(token(variable).as_bytes())
        );
    }
    fs::write(folder.path().join("channels.toml"), table).unwrap();
    // Words, exit code, what is said.
    let story: &[(&[&str], i32, &str)] = &[
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
    for (words, code, said) in story {
        let output = caishi(folder.path(), words);
        let told = text(&output);
        assert_eq!(output.status.code(), Some(*code), "caishi {}\n{told}", words.join(" "));
        assert!(told.contains(said), "caishi {} does not say “{said}”:\n{told}", words.join(" "));
    }
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
