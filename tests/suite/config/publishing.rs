//! The tables about publishing.

use super::{BANK, load, load_with, refused};
use caishi::{
    config::{BlobConfig, PublishMode, SecretReference},
    model::{Audience, Misfire, OnBlackout, OutputKind, Priority},
};
use jiff::SignedDuration;

const CHANNEL: &str = "[channel.portal]\nkind = \"folder\"\noutputs = [\"portal\"]\n";
const SCHEDULE: &str = "[schedule.weekly]\ncampaign = \"routine/weekly\"\nrule = \"0 8 * * MON\"\nchannels = [\"portal\"]\n";

#[test]
fn what_is_left_out_has_careful_defaults() {
    let config = load(&format!("{BANK}{CHANNEL}{SCHEDULE}")).unwrap();
    let channel = &config.channels[0];
    assert_eq!(channel.mode, PublishMode::Draft, "nobody said that it may publish by itself");
    assert!(!channel.sandbox && channel.settings.is_empty());
    assert_eq!(channel.audiences, Audience::ALL);
    let schedule = &config.schedules[0];
    assert_eq!(schedule.time_zone.iana_name(), Some("Asia/Shanghai"));
    assert_eq!((schedule.misfire, schedule.on_blackout), (Misfire::RunLatest, OnBlackout::Skip));
    assert_eq!((schedule.grace, schedule.lessons_per_slot), (SignedDuration::from_hours(2), 1));
    assert!(schedule.enabled && !schedule.workdays_only);
    assert_eq!(config.review.steps.len(), 1, "nothing goes out without somebody's yes");
    assert_eq!((config.review.valid_days, config.review.warn_days), (180, 3));
    assert_eq!(config.storage.database, "sqlite:data/caishi.db");
    assert_eq!(config.storage.blobs, BlobConfig::Folder { path: "data/blobs".into() });
    assert!(config.server.listen.ip().is_loopback() && config.server.metrics.is_none());
}

#[test]
fn every_key_is_read() {
    let text = format!(
        "{BANK}[channel.b]\nkind = \"wechat\"\nsandbox = true\nmode = \"publish\"\noutputs = [\"article\", \"newspic\"]\naudiences = [\"elder\"]\napp_id = \"wx5a0d0000demo0001\"\nsecret = {{ env = \"WX\" }}\n{CHANNEL}{SCHEDULE}{}",
        "time_zone = \"Asia/Urumqi\"\nmisfire = \"run_all\"\ngrace = \"1h30m\"\nlessons_per_slot = 2\non_blackout = \"next_day\"\nworkdays_only = true\nenabled = false\n[review]\nvalid_days = 90\nwarn_days = 5\nnumber = \"{year}-{seq}\"\n[[review.step]]\nname = \"委员会\"\nrole = \"committee\"\ntopics = [\"telecom-fraud\"]\npriority = \"high\"\n[[review.step]]\nname = \"会签\"\nrole = \"co-reviewer\"\ntopic_department = true\n[server]\nlisten = \"0.0.0.0:80\"\nmetrics = \"127.0.0.1:81\"\n",
    );
    let config = load(&text).unwrap();
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.id.as_str()).collect();
    assert_eq!(names, ["b", "portal"], "in the order of the file");
    let channel = &config.channels[0];
    assert_eq!((channel.mode, channel.sandbox), (PublishMode::Publish, true));
    assert_eq!(channel.outputs, [OutputKind::Article, OutputKind::Newspic]);
    assert_eq!(channel.audiences, [Audience::Elder]);
    let rest: Vec<&String> = channel.settings.keys().collect();
    assert_eq!(rest, ["app_id", "secret"], "the rest is the adapter's");
    let schedule = &config.schedules[0];
    assert_eq!(schedule.time_zone.iana_name(), Some("Asia/Urumqi"));
    assert_eq!((schedule.misfire, schedule.on_blackout), (Misfire::RunAll, OnBlackout::NextDay));
    assert_eq!((schedule.grace, schedule.lessons_per_slot), (SignedDuration::from_mins(90), 2));
    assert!(!schedule.enabled && schedule.workdays_only);
    assert_eq!(config.review.steps[0].priority, Some(Priority::High));
    assert_eq!(config.review.steps[0].topics[0].as_str(), "telecom-fraud");
    assert!(config.review.steps[1].topic_department);
    assert_eq!((config.review.valid_days, config.review.number.as_str()), (90, "{year}-{seq}"));
    assert_eq!(config.server.metrics.unwrap().port(), 81);
}

#[test]
fn a_typo_in_a_channel_or_schedule_is_named() {
    for (from, to, expected) in [
        ("kind =", "kidn =", "[channel.portal] kidn：没有这个键；是不是想写 kind"),
        ("kind = \"folder\"", "kind = 3", "[channel.portal] kind：应为一段文字，现在是数"),
        ("outputs =", "output =", "outputs：没有写"),
        ("\"portal\"]\n[s", "\"portl\"]\n[s", "没有输出“portl”；是不是想写 portal"),
        ("[\"portal\"]\n[s", "[]\n[s", "[channel.portal] outputs：是空的"),
        ("[\"portal\"]\n[s", "\"portal\"\n[s", "outputs：应为列表"),
        ("kind =", "mode = \"publsh\"\nkind =", "是不是想写 publish"),
        ("kind =", "sandbox = \"true\"\nkind =", "sandbox：应为 true 或 false，不带引号"),
        ("kind =", "audiences = [\"elders\"]\nkind =", "没有读者“elders”；是不是想写 elder"),
        ("kind =", "secret = \"canary-7f3a\"\nkind =", "密钥不能直接写在配置里"),
        ("channel.portal", "channel.Portal", "“Portal”不是合格的标识"),
        ("routine/weekly", "routine", "[schedule.weekly] campaign：“routine”不是活动"),
        ("campaign =", "campain =", "是不是想写 campaign"),
        ("0 8 * * MON", "0 8 * *", "第 11 行 [schedule.weekly] rule：“0 8 * *”有 4 段"),
        ("0 8 * * MON", "0 8 * * MONTAG", "读不懂"),
        ("0 8 * * MON", "0 0 8 * * MON", "有 6 段"),
        ("0 8 * * MON", "0 25 * * *", "读不懂"),
        ("0 8 * * MON", "0 8 31 2 *", "永远不会到"),
        ("0 8 * * MON", "@weekly", "有 1 段"),
        (
            "channels = [\"portal\"]",
            "channels = [\"portel\"]",
            "没有渠道“portel”；是不是想写 portal",
        ),
        ("channels = [\"portal\"]", "channels = [\"portal\", \"portal\"]", "写了两次"),
        ("channels = [\"portal\"]", "chanels = [\"portal\"]", "channels：没有写"),
        ("rule =", "time_zone = \"Asia/Chongqing2\"\nrule =", "没有时区“Asia/Chongqing2”"),
        ("rule =", "misfire = \"runlatest\"\nrule =", "是不是想写 run_latest"),
        ("rule =", "grace = \"2 Stunden\"\nrule =", "不是时长；写 2h"),
        ("rule =", "grace = \"-2h\"\nrule =", "[schedule.weekly] grace"),
        ("rule =", "grace = \"200h\"\nrule =", "168h"),
        ("rule =", "lessons_per_slot = 0\nrule =", "应为 1 到 50 的整数"),
        ("rule =", "on_blackout = \"nextday\"\nrule =", "是不是想写 next_day"),
        ("rule =", "workdays_only = 1\nrule =", "workdays_only：应为 true 或 false"),
        ("rule =", "enable = true\nrule =", "是不是想写 enabled"),
    ] {
        let text = format!("{BANK}{CHANNEL}{SCHEDULE}");
        assert!(text.contains(from), "{from}");
        refused(&text.replacen(from, to, 1), &[expected]);
    }
}

#[test]
fn a_faulty_channel_is_not_blamed_on_the_schedule_as_well() {
    let text = format!("{BANK}{CHANNEL}{SCHEDULE}").replace("kind", "kinds");
    let error = load(&text).unwrap_err();
    assert!(!error.contains("没有渠道"), "{error}");
}

#[test]
fn a_typo_in_the_other_tables_is_named() {
    let step = "[review]\n[[review.step]]\nname = \"审\"\nrole = \"reviewer\"\n";
    for (table, expected) in [
        ("[review]\nvalid_days = 0\n".to_owned(), "[review] valid_days：应为 1 到 730"),
        ("[review]\nnumber = \"{year}\"\n".into(), "应各有一个 {year} 和 {seq}"),
        ("[review]\nnumber = \"{year}{seq}{seq}\"\n".into(), "[review] number"),
        (format!("[review]\nnumber = \"{{year}}{{seq}}{}\"\n", "长".repeat(21)), "20 个字"),
        ("[review]\nsteps = []\n".into(), "是不是想写 step"),
        (
            step.replace("reviewer", "reviewr"),
            "[[review.step]] role：不能是“reviewr”；是不是想写 reviewer",
        ),
        (step.replace("name = \"审\"", ""), "[[review.step]] name：没有写"),
        (format!("{step}priority = \"hihg\"\n"), "是不是想写 high"),
        (format!("{step}topics = [\"Fraud!\"]\n"), "“Fraud!”不是主题的代号"),
        (format!("{step}topic_departement = true\n"), "是不是想写 topic_department"),
        (format!("{step}[[review.step]]\nname = \"审\"\nrole = \"committee\"\n"), "“审”写了两次"),
        ("[review.step]\nname = \"审\"\n".into(), "应为 [[review.step]]"),
        ("[database]\nurl = \"mysql://x/y\"\n".into(), "应为 sqlite:文件 或 postgres://"),
        ("[database]\nurl = \"sqlite:\"\n".into(), "没有写文件"),
        ("[database]\nurl = \"postgres://u:canary-7f3a@h/d\"\n".into(), "password = { env"),
        ("[database]\nurl = \"postgres://u@h/d?password=canary-7f3a\"\n".into(), "里有密码"),
        ("[database]\npassword = \"canary-7f3a\"\n".into(), "[database] password：密钥不能直接写"),
        ("[database]\npassword = { evn = \"X\" }\n".into(), "[database] password"),
        ("[database]\npath = \"x\"\n".into(), "[database] path：没有这个键"),
        ("[blobs]\nkind = \"s4\"\n".into(), "是不是想写 s3"),
        ("[blobs]\npath = \"x\"\n".into(), "[blobs] kind：没有写"),
        ("[blobs]\nkind = \"folder\"\nbucket = \"x\"\n".into(), "[blobs] bucket：没有这个键"),
        ("[blobs]\nkind = \"s3\"\nendpoint = \"http://minio.example\"\n".into(), "不加密"),
        ("[blobs]\nkind = \"s3\"\nsecret_key = \"canary-7f3a\"\n".into(), "[blobs] secret_key"),
        ("[blobs]\nkind = \"s3\"\n".into(), "[blobs] access_key：没有写"),
        (
            "[blobs]\nkind = \"webdav\"\nendpoint = \"https://u:canary-7f3a@h/\"\n".into(),
            "网址里有用户名或密码",
        ),
        ("[blobs]\nkind = \"sftp\"\nendpoint = \"sftp://h\"\n".into(), "应为 ssh://主机:端口"),
        ("[blobs]\nkind = \"sftp\"\nknown_hosts = \"any\"\n".into(), "写 strict"),
        (
            "[server]\nlisten = \"localhost\"\n".into(),
            "[server] listen：“localhost”应为 IP 地址和端口",
        ),
        ("[server]\nmetrics = \"127.0.0.1:8780\"\n".into(), "和 listen 一样"),
        ("[server]\nlisen = \"x\"\n".into(), "是不是想写 listen"),
        ("[channel]\nportal = 3\n".into(), "[channel.portal]"),
        ("[people]\nid = \"a\"\n".into(), "应为 [[people]]"),
    ] {
        refused(&format!("{BANK}{table}"), &[expected]);
        let error = load(&format!("{BANK}{table}")).unwrap_err();
        assert!(!error.contains("canary"), "what may be a secret is not shown back: {error}");
    }
}

#[test]
fn the_database_may_be_one_line_and_the_environment_wins() {
    let line = format!("database = \"postgres://caishi@db.example/caishi\"\n{BANK}");
    let config = load(&line).unwrap();
    assert_eq!(config.storage.database, "postgres://caishi@db.example/caishi");
    assert_eq!(config.storage.database_password, None);
    refused(&line.replace("postgres", "redis"), &["第 1 行 database"]);
    refused(&line.replace("caishi@", "caishi:canary-7f3a@"), &["password = { env"]);
    let table = format!(
        "{BANK}[database]\nurl = \"postgres://caishi@db.example/caishi\"\npassword = {{ env = \"PGPASSWORD\" }}\n"
    );
    let config = load_with(&table, &[("CAISHI_DATABASE", "sqlite:elsewhere.db")]).unwrap();
    assert_eq!(config.storage.database, "sqlite:elsewhere.db");
    assert_eq!(
        config.storage.database_password,
        Some(SecretReference::Env("PGPASSWORD".into())),
        "the password stays the file's"
    );
    let config = load_with(&table, &[("CAISHI_DATABASE", "")]).unwrap();
    assert!(config.storage.database.starts_with("postgres://"), "an empty variable says nothing");
    let variable = [("CAISHI_DATABASE", "postgres://u:canary-7f3a@h/d")];
    let error = load_with(BANK, &variable).unwrap_err();
    assert!(error.contains("环境变量 CAISHI_DATABASE") && !error.contains("canary"), "{error}");
}

#[test]
fn every_sort_of_blob_store_is_read() {
    let keys = "access_key = { env = \"A\" }\nsecret_key = { file = \"s\" }\n";
    let s3 =
        format!("kind = \"s3\"\nendpoint = \"http://127.0.0.1:9000/\"\nbucket = \"b\"\n{keys}");
    let webdav = "kind = \"webdav\"\nendpoint = \"https://dav.example\"\nuser = \"u\"\npassword = { command = [\"pass\", \"dav\"] }\n".to_owned();
    let sftp =
        "kind = \"sftp\"\nendpoint = \"ssh://h:22\"\nroot = \"/r\"\nuser = \"u\"\nkey = \"id\"\n"
            .to_owned();
    let blobs = |table: &str| load(&format!("{BANK}[blobs]\n{table}")).unwrap().storage.blobs;
    let BlobConfig::S3 { endpoint, region, secret_key, .. } = blobs(&s3) else { panic!("s3") };
    assert_eq!((endpoint.as_str(), region.as_str()), ("http://127.0.0.1:9000", "us-east-1"));
    assert_eq!(secret_key, SecretReference::File("s".into()));
    let BlobConfig::WebDav { password, .. } = blobs(&webdav) else { panic!("webdav") };
    assert_eq!(password, SecretReference::Command(vec!["pass".into(), "dav".into()]));
    let BlobConfig::Sftp { known_hosts, .. } = blobs(&sftp) else { panic!("sftp") };
    assert_eq!(known_hosts, "strict");
    let folder = blobs("kind = \"folder\"\npath = \"x\"\n");
    assert_eq!(folder, BlobConfig::Folder { path: "x".into() });
}
