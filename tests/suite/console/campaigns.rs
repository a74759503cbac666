//! Marketing plans a campaign: lessons, where, when; tries it; saves it; it goes out.

use super::{Office, Program};
use serde_json::{Value, json};

/// An edition for winter with a schedule, as a program sends it.
fn winter(schedule: &Value) -> Value {
    json!({
        "series": "winter", "series_name": "冬季宣传", "edition": "2026", "name": "2026 年冬季宣传",
        "from": "2026-12-01", "until": "2027-02-28",
        "lessons": ["telecom-fraud", "personal-info"], "schedule": schedule,
    })
}

async fn plan(program: &Program, schedule: &Value) -> (u16, Value) {
    let answer = program.post("/api/v1/campaigns/plan", &winter(schedule)).await;
    (answer.status.as_u16(), serde_json::from_str(&answer.text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_goes_out_is_said_in_peoples_words() {
    let office = Office::new().await;
    let program = office.program("publisher", &["campaigns.change"]).await;
    let time = "09:30";
    let weekly = json!({"rhythm": "weekly", "weekdays": ["WED", "MON"], "time": time});
    let once = json!({"rhythm": "once", "day": "2027-01-04", "time": time});
    let monthly = json!({"rhythm": "monthly", "month_days": "15, 1", "time": time});
    let daily = json!({"rhythm": "daily", "time": "08:00", "workdays_only": true});
    let rule = json!({"rhythm": "rule", "rule": " 0  8 * * MON#1 "});
    // What is typed, the rule that it becomes, the first slot, and lessons of a slot.
    for (typed, expected, first, lessons) in [
        (weekly, "30 9 * * MON,WED", "2026-12-02T01:30:00Z", 1),
        (once, "30 9 4 1 *", "2027-01-04T01:30:00Z", 2),
        (monthly, "30 9 1,15 * *", "2026-12-01T01:30:00Z", 1),
        (daily, "0 8 * * *", "2026-12-01T00:00:00Z", 1),
        (rule, "0 8 * * MON#1", "2026-12-07T00:00:00Z", 1),
    ] {
        let (status, plan) = plan(&program, &typed).await;
        assert_eq!(status, 200, "{typed}: {plan}");
        let text = plan["text"].as_str().unwrap();
        assert!(text.contains(&format!("rule = \"{expected}\"")), "{typed}: {text}");
        let part = &plan["parts"][0];
        assert_eq!(part["schedule"], "winter-2026", "{typed}: {plan}");
        assert_eq!(part["slots"][0]["due"], first, "{typed}: {plan}");
        assert_eq!(part["slots"][0]["lessons"].as_array().unwrap().len(), lessons, "{plan}");
    }
    let (_, plan) = plan(&program, &json!({"rhythm": "none"})).await;
    assert_eq!(plan["parts"][0]["schedule"], Value::Null, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_schedule_is_said_at_once() {
    let office = Office::new().await;
    let program = office.program("publisher", &["campaigns.change"]).await;
    for (typed, faults) in [
        (json!({"rhythm": "weekly", "time": "9 点"}), vec!["“9 点”读不懂", "勾上星期几"]),
        (json!({"rhythm": "once", "time": "08:00", "day": "2027-03-15"}), vec!["不在活动的"]),
        (json!({"rhythm": "once", "time": "08:00", "day": "soon"}), vec!["哪一天“soon”读不懂"]),
        (json!({"rhythm": "monthly", "time": "08:00", "month_days": "32"}), vec!["日子“32”读不懂"]),
        (json!({"rhythm": "rule", "rule": "0 8 31 2 *"}), vec!["永远不会到"]),
        (json!({"rhythm": "hourly", "time": "08:00"}), vec!["节奏“hourly”不认识"]),
        (
            json!({"id": "Weekly!", "rhythm": "daily", "time": "08:00", "lessons_per_slot": "51"}),
            vec!["代号“Weekly!”不合格", "每次几课“51”读不懂"],
        ),
        // Of the same name as one in channels.toml.
        (json!({"id": "weekly", "rhythm": "daily", "time": "08:00"}), vec!["同名的排期已经有了"]),
    ] {
        let (status, answer) = plan(&program, &typed).await;
        assert_eq!(status, 422, "{typed}: {answer}");
        for fault in faults {
            assert!(answer.to_string().contains(fault), "{typed}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_with_a_schedule_goes_out_by_itself() {
    let mut office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let mut fields = vec![
        ("series", ""),
        ("new_series", "winter"),
        ("series_name", "冬季宣传"),
        ("edition", "2026"),
        ("name", "2026 年冬季宣传"),
        ("from", "2026-12-01"),
        ("until", "2027-02-28"),
        ("lesson", "telecom-fraud"),
        ("order", "1"),
        ("lesson", "personal-info"),
        ("order", "2"),
        ("channel", "intranet"),
        ("rhythm", "weekly"),
        ("weekday", "WED"),
        ("time", "09:30"),
    ];
    let tried = publisher.post("/console/campaigns/plan", &fields).await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    assert!(tried.text.contains("按排期 winter-2026") && tried.text.contains("排得成"));
    let saved = publisher.post("/console/campaigns/save", &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let list = publisher.get("/console/campaigns").await.text;
    assert!(list.contains("winter-2026：每周三 09:30"), "{list}");
    let week = publisher.get("/console/week?week=2026-12-02").await.text;
    assert!(week.contains("<strong>09:30</strong>") && week.contains("winter-2026"), "{week}");

    // What was saved is what the form shows, and saving it again changes nothing.
    let file = office.town.path("content/campaigns/winter.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let form = publisher.get("/console/campaigns/edit?id=winter/2026").await.text;
    assert!(form.contains("value=\"weekly\" selected") && form.contains("value=\"WED\" checked"));
    let seen = form.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
    fields.extend([("seen", seen), ("schedule", "winter-2026"), ("lessons_per_slot", "1")]);
    fields.push(("edits", "winter/2026"));
    fields[0] = ("series", "winter");
    fields[1] = ("new_series", "");
    let again = publisher.post("/console/campaigns/save", &fields).await;
    assert_eq!(again.status, 303, "{}", again.text);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);

    // Whoever has the form of before is told what somebody else made of the schedule.
    let other = text.replace("30 9 * * WED", "0 8 * * WED");
    std::fs::write(&file, &other).unwrap();
    let stale = publisher.post("/console/campaigns/save", &fields).await;
    assert_eq!(stale.status, 409, "{}", stale.text);
    let told = "什么时候发：文件里现在是“winter-2026：每周三 08:00，每次 1 课”，\
                你写的是“winter-2026：每周三 09:30";
    assert!(stale.text.contains(told), "{}", stale.text);
    std::fs::write(&file, &text).unwrap();
    office.desk.content_changed();
    goes_out(&mut office).await;
}

/// The first slot of the winter's schedule is submitted, signed and fires by itself.
async fn goes_out(office: &mut Office) {
    let content = office.town.read();
    let subject = office.town.publisher.subject(&content, "winter-2026").unwrap();
    let lessons = subject.lessons_at("2026-12-02T01:30:00Z".parse().unwrap());
    let outline = subject.outline(&content, &lessons).unwrap();
    let author = office.town.author.id.clone();
    let submitted = office.town.publisher.submit(&content, &outline, &author, &|_, _| {}).await;
    let (review, _) = submitted.unwrap();
    let mut departments = review.steps.iter().filter_map(|step| step.department.clone());
    office.town.co_reviewer.department = departments.next();
    office.town.approve(&review).await;
    office.town.tick().await;
    office.town.set_clock("2026-12-02T01:30:01Z").await;
    office.town.tick().await;
    office.town.work().await;
    let rows = office.town.deliveries().await;
    let own: Vec<_> = rows.iter().filter(|row| row.campaign.to_string() == "winter/2026").collect();
    assert_eq!(own.len(), 1, "{rows:?}");
    assert_eq!(own[0].channel.as_str(), "intranet");
    assert_eq!(own[0].state, caishi::model::DeliveryState::Confirmed, "{}", own[0].message);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_written_by_hand_are_kept_and_faults_are_named() {
    let office = Office::new().await;
    let file = office.town.path("content/campaigns/winter.toml");
    let head = "id = \"winter\"\nname = \"冬季\"\n\n[[edition]]\nid = \"2026\"\nname = \"冬\"\n\
                from = 2026-12-01\nuntil = 2027-02-28\nlessons = [\"telecom-fraud\"]\n\n";
    let hand = "[[edition.schedule]]\nid = \"winter-early\"\nrule = \"0 7 * * TUE\"\n\
                channels = [\"intranet\"]\ngrace = \"1h30m\"\nmisfire = \"hold\"\n\n\
                [[edition.schedule]]\nid = \"winter-late\"\nrule = \"0 20 * * TUE\"\nenabled = false\n";
    std::fs::write(&file, format!("{head}{hand}")).unwrap();
    office.desk.content_changed();
    let publisher = office.browser("publisher").await;
    let form = publisher.get("/console/campaigns/edit?id=winter/2026").await.text;
    assert!(form.contains("winter-late：每周二 20:00，暂停"), "{form}");
    let program = office.program("publisher", &["campaigns.change", "schedule.read"]).await;
    let all = program.get("/api/v1/campaigns").await;
    let all: Value = serde_json::from_str(&all.text).unwrap();
    let mut own =
        all.as_array().unwrap().iter().find(|one| one["series"] == "winter").unwrap().clone();
    own["schedule"]["time"] = json!("07:30");
    let saved = program.post("/api/v1/campaigns", &own).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    let text = std::fs::read_to_string(&file).unwrap();
    for kept in
        ["grace = \"1h 30m\"", "misfire = \"hold\"", "rule = \"30 7 * * TUE\"", "winter-late"]
    {
        assert!(text.contains(kept), "{kept}: {text}");
    }

    // A fault in the file has its line; a channel that is not there is told by the service.
    let wrong = hand.replace("0 7 * * TUE", "0 7 * *").replace("\"hold\"", "\"wait\"");
    std::fs::write(&file, format!("{head}{wrong}")).unwrap();
    let told: Vec<String> = office
        .town
        .read()
        .diagnostics
        .iter()
        .map(|one| format!("{}：{}", one.reason, one.help))
        .collect();
    assert!(told.iter().any(|one| one.contains("有 4 段，应有 5 段")), "{told:?}");
    assert!(told.iter().any(|one| one.contains("不能是“wait”")), "{told:?}");
    std::fs::write(&file, format!("{head}{}", hand.replace("\"intranet\"", "\"intarnet\"")))
        .unwrap();
    let content = office.town.read();
    let faults = &content.schedule_faults;
    assert!(faults.len() == 1 && faults[0].contains("没有渠道 intarnet"), "{faults:?}");
    office.desk.content_changed();
    let page = publisher.get("/console").await.text;
    assert!(page.contains("没有渠道 intarnet") && page.contains("它不会发"), "{page}");
    let told = office.town.publisher.overview(Some(&content), None, 9).await.unwrap().alerts;
    assert!(told.iter().any(|alert| alert.what.contains("intarnet")), "{told:?}");
    assert!(content.schedule("winter-late").is_ok() && content.schedule("winter-early").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn last_years_campaign_is_copied_tried_and_saved() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let list = publisher.get("/console/campaigns").await.text;
    assert!(list.contains("2027年3·15教育宣传"), "{list}");
    let copy = publisher.get("/console/campaigns/edit?copy=rights-day/2027").await.text;
    assert!(copy.contains("value=\"2028\"") && copy.contains("2028-03-09"), "{copy}");
    let seen = copy.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let fields = |name: &'static str, until: &'static str| {
        vec![
            ("series", "rights-day"),
            ("edition", "2028"),
            ("name", name),
            ("from", "2027-03-09"),
            ("until", until),
            ("lesson", "telecom-fraud"),
            ("order", "2"),
            ("lesson", "personal-info"),
            ("order", "1"),
            ("lesson", "credit-record"),
            ("order", ""),
            ("channel", "intranet"),
            ("seen", seen),
        ]
    };
    let bad = publisher.post("/console/campaigns/plan", &fields("", "soon")).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text.contains("名字没有写") && bad.text.contains("“soon”"), "{}", bad.text);
    let name = "</textarea><script>alert(1)</script>\"]]\n[[edition]]";
    let plan = publisher.post("/console/campaigns/plan", &fields(name, "2027-03-15")).await;
    assert_eq!(plan.status, 200, "{}", plan.text);
    assert!(plan.text.contains("排得成") && !plan.text.contains("<script>alert"), "{}", plan.text);
    let saved = publisher.post("/console/campaigns/save", &fields(name, "2027-03-15")).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let content = office.town.read();
    let edition = content.edition("rights-day/2028").unwrap();
    let lessons: Vec<&str> = edition.lessons.iter().map(caishi::model::LessonId::as_str).collect();
    assert_eq!(lessons, ["personal-info", "telecom-fraud"], "in the order written");
    assert!(content.diagnostics.iter().all(|one| !one.file.path.ends_with("rights-day.toml")));
    // There is one of that code now: the same form again is told so, and keeps what was typed.
    let twice = publisher.post("/console/campaigns/save", &fields("晚了", "2027-03-15")).await;
    assert_eq!(twice.status, 422, "{}", twice.text);
    assert!(twice.text.contains("已经有了") && twice.text.contains("晚了"), "{}", twice.text);
    let auditor = office.browser("auditor").await;
    assert_eq!(
        auditor.post("/console/campaigns/save", &fields("x", "2027-03-15")).await.status,
        403
    );
}
