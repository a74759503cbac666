//! Editions that would take each other's place, and plans that say more than that they can go out.

use super::{Answer, Browser, CHANNELS, Office};
use serde_json::{Value, json};

const PAST: &str = "/console/campaigns/past?series=rights-day";

/// What a form of the page sends, as it was shown, with some fields changed.
struct Form(Vec<(String, String)>);

impl Form {
    async fn shown(browser: &Browser, query: &str) -> Self {
        let page = browser.get(&format!("/console/campaigns/edit?{query}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let value = |name: &str| {
            let (_, rest) = page.text.split_once(&format!("name=\"{name}\"")).unwrap();
            let tag = rest.split_once('>').unwrap().0;
            tag.split_once("value=\"").map(|(_, it)| it.split_once('"').unwrap().0.to_owned())
        };
        let plain = ["edition", "name", "theme", "from", "until", "palette", "seen", "edits"];
        let mut fields: Vec<(String, String)> =
            plain.iter().map(|name| ((*name).to_owned(), value(name).unwrap())).collect();
        for part in page.text.split("name=\"lesson\" value=\"").skip(1) {
            let lesson = part.split_once('"').unwrap().0;
            let order = part.split_once("maxlength=\"4\" value=\"").unwrap().1;
            fields.push(("lesson".into(), lesson.into()));
            fields.push(("order".into(), order.split_once('"').unwrap().0.into()));
        }
        let series = page.text.split("<option value=\"").find(|part| part.contains("\" selected>"));
        let series = series.unwrap_or("\"").split_once('"').unwrap().0;
        fields.push(("series".into(), series.into()));
        Self(fields)
    }

    fn with(mut self, changed: &[(&str, &str)]) -> Self {
        for (name, value) in changed {
            self.0.retain(|(own, _)| own != name);
            self.0.push(((*name).to_owned(), (*value).to_owned()));
        }
        self
    }

    async fn post(&self, browser: &Browser, what: &str) -> Answer {
        let fields: Vec<(&str, &str)> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(&format!("/console/campaigns/{what}"), &fields).await
    }
}

fn text_of(office: &Office, series: &str) -> String {
    std::fs::read_to_string(office.town.path(&format!("content/campaigns/{series}.toml"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_new_edition_take_nobodys_place() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let before = text_of(&office, "rights-day");
    let copy = Form::shown(&publisher, "copy=rights-day/2027").await;
    let copy = copy.with(&[("edition", "2026"), ("anyway", "yes")]);
    for what in ["plan", "save", "save", "dry-run"] {
        let answer = copy.post(&publisher, what).await;
        assert_eq!(answer.status, 422, "{what}: {}", answer.text);
        let told = "rights-day/2026 这一期已经有了（2026年3·15教育宣传";
        assert!(
            answer.text.contains(told) && answer.text.contains("换一个代号"),
            "{}",
            answer.text
        );
        assert_eq!(text_of(&office, "rights-day"), before);
    }
    // A new one with a code that is taken, and one in a series that is there already.
    let new = copy.with(&[("seen", ""), ("edits", "")]);
    let answer = new.post(&publisher, "save").await;
    assert!(answer.status == 422 && answer.text.contains("已经有了"), "{}", answer.text);
    assert!(!answer.text.contains("被别人改过"), "{}", answer.text);
    let series = new.with(&[("new_series", "rights-day"), ("series_name", "又一个")]);
    let answer = series.post(&publisher, "plan").await;
    assert!(answer.text.contains("新系列的代号“rights-day”已经有了"), "{}", answer.text);
    let free = series.with(&[("new_series", ""), ("edition", "2029")]);
    let answer = free.post(&publisher, "save").await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(office.town.read().edition("rights-day/2029").unwrap().lessons.len(), 4);

    // A copy takes the next code that is free, and the topics of its own lessons.
    let copy = publisher.get("/console/campaigns/edit?copy=sept-edu/2025").await.text;
    assert!(copy.contains("name=\"edition\" required maxlength=\"40\" value=\"2027\""), "{copy}");
    assert!(copy.contains("value=\"2027-09-"), "{copy}");
    let program = office.program("publisher", &["campaigns.change", "schedule.read"]).await;
    let all: Value = serde_json::from_str(&program.get("/api/v1/campaigns").await.text).unwrap();
    let list = all.as_array().unwrap();
    let found = list.iter().find(|one| one["series"] == "sept-edu" && one["edition"] == "2026");
    let mut own = found.unwrap().clone();
    assert_eq!(own["edits"], "sept-edu/2026");
    own["edition"] = "2025".into();
    own["edits"] = "".into();
    let before = text_of(&office, "sept-edu");
    for path in ["/api/v1/campaigns", "/api/v1/campaigns/plan"] {
        let answer = program.post(path, &own).await;
        assert!(answer.status == 422 && answer.text.contains("已经有了"), "{}", answer.text);
    }
    assert_eq!(text_of(&office, "sept-edu"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_changes_while_nothing_knows_the_edition_by_it() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let edit = Form::shown(&publisher, "id=rights-day/2027").await;
    // Not onto another one, not into another series.
    let onto = edit.with(&[("edition", "2026")]).post(&publisher, "save").await;
    assert!(onto.status == 422 && onto.text.contains("已经有了"), "{}", onto.text);
    let edit = Form::shown(&publisher, "id=rights-day/2027").await;
    let over = edit.with(&[("series", "sept-edu")]).post(&publisher, "save").await;
    assert!(over.status == 422 && over.text.contains("不能挪到系列 sept-edu"), "{}", over.text);
    // Not where a lesson names it.
    let edit = Form::shown(&publisher, "id=rights-day/2027").await.with(&[("edition", "2027b")]);
    let named = edit.post(&publisher, "plan").await;
    let told = "“2027”改不成“2027b”：课件 credit-record 的前言 campaigns 里写着它";
    assert!(named.status == 422 && named.text.contains(told), "{}", named.text);
    // A schedule of its own goes along under its name.
    let daily = [("rhythm", "daily"), ("time", "09:30"), ("edition", "2029")];
    let copy = Form::shown(&publisher, "copy=rights-day/2027").await.with(&daily);
    let answer = copy.with(&[("anyway", "yes")]).post(&publisher, "save").await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let edit = Form::shown(&publisher, "id=rights-day/2029").await.with(&daily);
    let renamed = [("schedule", "rights-day-2029"), ("edition", "2030"), ("anyway", "yes")];
    let answer = edit.with(&renamed).post(&publisher, "save").await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let text = text_of(&office, "rights-day");
    assert!(text.contains("id = \"2030\"") && !text.contains("id = \"2029\""), "{text}");
    assert!(text.contains("id = \"2027\"") && text.contains("id = \"rights-day-2029\""), "{text}");
    // What a schedule of channels.toml names, and what was submitted, keeps its code.
    let edit = Form::shown(&publisher, "id=routine/weekly").await.with(&[("edition", "monthly")]);
    let answer = edit.post(&publisher, "save").await;
    let told = "“weekly”改不成“monthly”：channels.toml 的排期 weekly 指着它";
    assert!(answer.status == 422 && answer.text.contains(told), "{}", answer.text);
    // What cannot be read is said, and kept as it was typed.
    let edit = Form::shown(&publisher, "id=rights-day/2026").await;
    let edit = edit.with(&[("lesson", "aml-card"), ("order", "abc"), ("palette", "rainbow")]);
    let answer = edit.post(&publisher, "plan").await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("“第几个”“abc”读不懂"), "{}", answer.text);
    assert!(answer.text.contains("maxlength=\"4\" value=\"abc\""), "{}", answer.text);
    let edit = Form::shown(&publisher, "id=rights-day/2026").await.with(&[("palette", "rainbow")]);
    let answer = edit.post(&publisher, "plan").await;
    assert!(answer.status == 422 && answer.text.contains("配色“rainbow”没有"), "{}", answer.text);
    assert!(answer.text.contains("elder-scam"), "{}", answer.text);
}

fn winter(changed: &Value) -> Value {
    let mut edition = json!({
        "series": "winter", "series_name": "冬季宣传", "edition": "2026", "name": "2026 年冬季宣传",
        "from": "2026-12-01", "until": "2027-02-28",
        "lessons": ["telecom-fraud", "personal-info"],
    });
    for (name, value) in changed.as_object().unwrap() {
        edition[name] = value.clone();
    }
    edition
}

/// A bank whose service account may send four times a month.
fn sending() -> String {
    let wechat = "[channel.wechat]\nkind = \"wechat\"\nsandbox = true\n\
                  app_id = \"wx5a0d0000demo0001\"\nmode = \"publish\"\nsend = \"mass\"\n\
                  account = \"service\"\nto_all = true\noutputs = [\"article\"]\naudiences = [\"general\"]\n\n\
                  [schedule.weekly]";
    CHANNELS.replace("[schedule.weekly]", wechat).replacen(
        "audiences = [\"general\"]",
        "audiences = [\"general\", \"elder\"]",
        1,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_goes_nowhere_too_often_or_over_the_quota() {
    let office = Office::with(&sending()).await;
    let program = office.program("publisher", &["campaigns.change"]).await;
    let plan = async |changed: Value| {
        let answer = program.post("/api/v1/campaigns/plan", &winter(&changed)).await;
        let plan: Value = serde_json::from_str(&answer.text).unwrap();
        (answer.status.as_u16(), plan)
    };
    let reach = json!({"channels": ["wechat", "branches"], "audiences": ["elder"]});
    let (status, told) = plan(reach.clone()).await;
    let nothing = "渠道 wechat 没有可发的：它只收通用版，这一期只给老年版";
    assert!(status == 200 && told["sound"] == false, "{told}");
    assert!(told["cautions"][0].as_str().unwrap().contains(nothing), "{told}");
    assert!(told["parts"][0]["faults"].as_array().unwrap().is_empty(), "{told}");
    // Unless somebody says that they have seen it.
    let answer = program.post("/api/v1/campaigns", &winter(&reach)).await;
    assert!(answer.status == 422 && answer.text.contains("看清了，就这样存"), "{}", answer.text);
    // Nobody chose the channel: a word is enough.
    let (_, told) = plan(json!({"audiences": ["elder"]})).await;
    assert!(told["sound"] == true, "{told}");
    assert!(told["parts"][0]["warnings"].to_string().contains(nothing), "{told}");

    let rule = |rule: &str| json!({"rhythm": "rule", "rule": rule});
    for dense in ["* * * * *", "*/5 * * * *", "0,30 8 * * MON"] {
        let (status, told) = plan(json!({"schedule": rule(dense)})).await;
        assert_eq!(status, 422, "{dense}: {told}");
        assert!(told.to_string().contains("比每小时一次还密"), "{dense}: {told}");
    }
    let often = json!({"channels": ["intranet"], "schedule": rule("0 8,20 * * *")});
    let (_, told) = plan(often).await;
    assert!(told["sound"] == false, "{told}");
    assert!(told["cautions"].to_string().contains("一天不止发一次"), "{told}");
    let daily = json!({"rhythm": "daily", "time": "08:00"});
    let (_, told) = plan(json!({"channels": ["intranet"], "schedule": daily})).await;
    assert!(told["sound"] == true, "{told}");
    let twice = json!({"rhythm": "weekly", "weekdays": ["TUE", "FRI"], "time": "10:00"});
    let over = json!({"channels": ["wechat"], "schedule": twice});
    let (_, told) = plan(over.clone()).await;
    let quota = "渠道 wechat 在 2026-12 还能群发 4 次，连同别的排期排了 9 次";
    assert!(told["cautions"].to_string().contains(quota), "{told}");
    let mut over = winter(&over);
    over["anyway"] = true.into();
    let saved = program.post("/api/v1/campaigns", &over).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    quotas_of_the_days_shown(&office).await;
}

/// In people's words, for the days that are shown.
async fn quotas_of_the_days_shown(office: &Office) {
    let publisher = office.browser("publisher").await;
    let december = publisher.get("/console/week?view=month&week=2026-12-01").await.text;
    let told = "2026 年 12 月还能群发 4 次（每月 4 次），还排着 9 次：多出来的会往后顺延";
    assert!(december.contains(told), "{december}");
    let today = publisher.get("/console/week?view=month").await.text;
    assert!(today.contains("本月还能群发 4 次（每月 4 次），还排着 0 次"), "{today}");
    // One week has the days of two months.
    let week = publisher.get("/console/week?week=2026-11-30").await.text;
    assert!(week.contains("本月还能群发") && week.contains("12 月还能群发 4 次"), "{week}");
    assert!(!december.contains("sendall"), "no words of an interface: {december}");
    // A campaign over several weeks has its band once on a narrow screen.
    let bands = december.matches("class=\"band again\"").count();
    assert!(bands > 0 && december.contains("class=\"band\""), "{december}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_is_taken_back_and_that_can_be_taken_back_too() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let empty = publisher.get(PAST).await;
    assert!(empty.status == 200 && empty.text.contains("没有旧版"), "{}", empty.text);
    let first = text_of(&office, "rights-day");
    let edit = Form::shown(&publisher, "id=rights-day/2027").await;
    let name = "<b>改名的一期</b>";
    let saved = edit.with(&[("name", name), ("anyway", "yes")]).post(&publisher, "save").await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let second = text_of(&office, "rights-day");
    assert_ne!(first, second);

    // Who, when, which edition; and what would change.
    let program = office.program("publisher", &["schedule.read", "campaigns.change"]).await;
    let saves = async || -> Vec<Value> {
        let answer = program.get("/api/v1/campaigns/past?series=rights-day").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    };
    let all = saves().await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(
        (&all[0]["by"], &all[0]["editions"][0]),
        (&"投放岗丁（publisher）".into(), &"rights-day/2027".into())
    );
    let before = all[0]["before"].as_str().unwrap();
    let path = format!("{PAST}&version={before}");
    let page = publisher.get(&path).await.text;
    assert!(page.contains("恢复这一版") && !page.contains("<b>改名"), "{page}");
    assert!(page.contains("class=\"l added\"") && page.contains("class=\"l removed\""), "{page}");
    let auditor = office.browser("auditor").await;
    let read = auditor.get(&path).await;
    assert!(read.status == 200 && !read.text.contains("恢复这一版"), "{}", read.text);

    let seen = page.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let fields = [("series", "rights-day"), ("version", before), ("seen", seen)];
    let restore = async |by: &Browser| by.post("/console/campaigns/restore", &fields).await;
    assert_eq!(restore(&auditor).await.status, 403);
    // Not over what somebody wrote meanwhile.
    let file = office.town.path("content/campaigns/rights-day.toml");
    std::fs::write(&file, format!("{second}\n# 手改\n")).unwrap();
    let stale = restore(&publisher).await;
    assert!(stale.status == 409 && stale.text.contains("被别人改过"), "{}", stale.text);
    assert!(stale.text.contains("文件被人直接改过"), "{}", stale.text);
    std::fs::write(&file, &second).unwrap();
    let done = restore(&publisher).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(text_of(&office, "rights-day"), first);
    // That was one more save, and whoever did it is known as one who changed the edition.
    let all = saves().await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0]["editions"], json!(["rights-day/2027"]));
    let wish = |version: &Value, seen: &Value| json!({"series": "rights-day", "version": version, "seen": seen});
    let again = wish(&all[0]["before"], &all[0]["after"]);
    let answer = program.post("/api/v1/campaigns/restoration", &again).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(text_of(&office, "rights-day"), second);
    let same = wish(&all[0]["before"], &all[0]["before"]);
    let answer = program.post("/api/v1/campaigns/restoration", &same).await;
    assert!(answer.status == 409 && answer.text.contains("现在就是这一版"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_was_or_does_not_fit_is_not_restored() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let program = office.program("publisher", &["schedule.read", "campaigns.change"]).await;
    let daily = [("rhythm", "daily"), ("time", "09:30"), ("edition", "2029"), ("anyway", "yes")];
    let copy = Form::shown(&publisher, "copy=rights-day/2027").await.with(&daily);
    assert_eq!(copy.post(&publisher, "save").await.status, 303);
    let past = program.get("/api/v1/campaigns/past?series=rights-day").await;
    let past: Value = serde_json::from_str(&past.text).unwrap();
    let (before, after) = (past[0]["before"].clone(), past[0]["after"].clone());
    let version = |series: &str, version: &str| {
        format!("/api/v1/campaigns/version?series={series}&version={version}")
    };
    let hash = before.as_str().unwrap();
    for (series, digest) in [
        ("rights-day", "no digest"),
        ("rights-day", &*"0".repeat(64)),
        ("routine", hash),
        ("..%2F..%2Fchannels", hash),
    ] {
        let answer = program.get(&version(series, digest)).await;
        assert_eq!(answer.status, 404, "{series} {digest}: {}", answer.text);
    }
    let answer = program.get(&version("rights-day", hash)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let unknown = program.get("/api/v1/campaigns/past?series=..%2F..%2Fchannels").await;
    assert_eq!(unknown.status, 404, "{}", unknown.text);

    // A lesson belongs to the edition that would go.
    let lesson = "lessons/credit-record/lesson.md";
    office.town.edit(lesson, "campaigns: [", "campaigns: [rights-day/2029, ");
    office.desk.content_changed();
    let wish = json!({"series": "rights-day", "version": before, "seen": after});
    let answer = program.post("/api/v1/campaigns/restoration", &wish).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let told = "没有 rights-day/2029 这一期，而课件 credit-record 的前言 campaigns 里写着它";
    assert!(answer.text.contains(told), "{}", answer.text);
    assert!(text_of(&office, "rights-day").contains("id = \"2029\""));
}
