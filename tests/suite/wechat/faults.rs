//! Crashes at every labelled point, and a network that fails before and after the effect: one
//! publication each time, by the stand-in's own books.

use super::{
    account::{APP_ID, articles},
    stage::Stage,
};
use caishi::deliver::{
    Books as _, Confirmation, ErrorKind, QuotaWindow, Retry, wechat::sandbox_credentials,
};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;

const PUBLISH: &str = "";
const MASS: &str = "send = 'mass'\nto_all = true";

/// Every labelled point of both ways.
const POINTS: [(&str, &[&str]); 2] = [
    (
        PUBLISH,
        &[
            "wechat.token.sent",
            "wechat.uploadimg.sent",
            "wechat.picture.recorded",
            "wechat.material.sent",
            "wechat.draft.sent",
            "wechat.draft.recorded",
            "wechat.submit.sent",
            "wechat.submit.recorded",
        ],
    ),
    (
        MASS,
        &[
            "wechat.token.sent",
            "wechat.draft.sent",
            "wechat.sendall.sent",
            "wechat.sendall.recorded",
        ],
    ),
];

/// Out once, and nothing left over in the draft box.
#[track_caller]
fn assert_once(stage: &Stage, what: &str) {
    let (books, account) = (stage.sandbox.books(), stage.account());
    assert_eq!(account.publishes.len() + account.mass_sends.len(), 1, "{what}");
    assert!(books.duplicates.is_empty(), "{what}: {:?}", books.duplicates);
    assert!(books.limit_errors.is_empty(), "{what}: {:?}", books.limit_errors);
    assert_eq!(account.drafts.len(), 0, "{what}: spare drafts");
}

#[tokio::test]
async fn a_crash_at_any_labelled_point_publishes_once() {
    for (settings, points) in POINTS {
        let stage = Stage::new(settings).await;
        stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
        let reached = stage.books.points();
        let missing: Vec<_> = points.iter().filter(|point| !reached.contains(point)).collect();
        assert!(missing.is_empty(), "{missing:?} are never reached");
        if settings == PUBLISH {
            let unknown: Vec<_> = reached.iter().filter(|point| !points.contains(point)).collect();
            assert!(unknown.is_empty(), "{unknown:?} are not tried");
        }
        for point in points {
            let stage = Stage::new(settings).await;
            stage.books.cut_at(point, 1);
            stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
            assert_once(&stage, point);
        }
    }
}

#[tokio::test]
async fn a_network_that_fails_anywhere_publishes_once() {
    let faults = ["cut-before", "cut-after", "status:503", "garbage", "error:-1", "error-after:-1"];
    for (settings, calls) in [
        (
            PUBLISH,
            &[
                "stable_token",
                "media/uploadimg",
                "material/add_material",
                "draft/add",
                "draft/get",
                "freepublish/submit",
                "freepublish/get",
            ][..],
        ),
        (MASS, &["draft/add", "message/mass/sendall", "message/mass/get"][..]),
    ] {
        for call in calls {
            for fault in faults {
                let stage = Stage::new(settings).await;
                let rule = format!("{call}#1={fault}");
                stage.faults(&[&rule]);
                stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
                assert_once(&stage, &rule);
            }
        }
    }
}

/// The network fails three times running, then once more while the first answer is looked for.
#[tokio::test]
async fn a_network_that_fails_again_and_again_publishes_once() {
    for rules in [
        ["freepublish/submit#1-3=cut-before", "freepublish/batchget#1=cut-before"],
        ["freepublish/submit#1=cut-after", "freepublish/batchget#1-2=status:502"],
        ["freepublish/submit#1-2=status:503", "draft/get#2-4=garbage"],
        ["draft/add#1-2=cut-after", "draft/batchget#1=cut-before"],
    ] {
        let stage = Stage::new(PUBLISH).await;
        stage.faults(&rules);
        stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
        assert_once(&stage, rules[0]);
    }
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_and_no_more() {
    for code in [40001, 40014, 42001] {
        let stage = Stage::new(PUBLISH).await;
        stage.faults(&[&format!("draft/add#1=error:{code}")]);
        let parcel = articles(&stage.books, &["课"]);
        stage.deliver(&parcel).await.unwrap();
        assert_eq!(stage.count("stable_token"), 2, "{code}");
        assert_once(&stage, "one refusal");
        // Refused for good: two tries, one refresh, and a person is asked.
        let stage = Stage::new(PUBLISH).await;
        stage.faults(&[&format!("draft/add=error:{code}")]);
        let error = stage.deliver(&parcel_of(&stage)).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
        assert_eq!(stage.sandbox.books().count("draft/add", code), 2, "{code}");
        assert_eq!(stage.count("stable_token"), 2, "{code}");
        let forced = stage.sandbox.books().tokens.iter().filter(|token| token.forced).count();
        assert_eq!(forced, 0, "never by force");
    }
}

fn parcel_of(stage: &Stage) -> caishi::deliver::Parcel {
    articles(&stage.books, &["课"])
}

/// Another program forces a refresh: our token is worthless, and we get the new one.
#[tokio::test]
async fn a_token_stolen_by_another_program_is_fetched_anew() {
    let stage = Stage::new(PUBLISH).await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    for _ in 0..2 {
        // Two forced refreshes end every older token.
        stage.shift(SignedDuration::from_secs(31));
        let body = serde_json::json!({ "grant_type": "client_credential", "appid": APP_ID,
            "secret": format!("sandbox-{APP_ID}"), "force_refresh": true });
        stage.call("stable_token", "", &body).await;
    }
    stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap();
    let books = stage.sandbox.books();
    assert_eq!(
        books.count("freepublish/submit", 40001) + books.count("freepublish/submit", 42001),
        1
    );
    assert_eq!(stage.account().publishes.len(), 1);
}

#[tokio::test]
async fn two_processes_share_one_token() {
    let stage = Stage::new(PUBLISH).await;
    // While another process holds the lease, this one is told to come back.
    assert!(stage.books.lease_token(APP_ID, std::time::Duration::from_secs(20)).await.unwrap());
    let parcel = articles(&stage.books, &["课"]);
    let error = stage.prepare(&parcel).await.unwrap_err();
    assert_eq!(error.retry, Retry::After(std::time::Duration::from_secs(2)));
    assert_eq!(stage.sandbox.books().calls.len(), 0);
    stage.deliver(&parcel).await.unwrap();
    // Eight more deliveries at once, on eight handles: nobody fetches another.
    let parcels: Vec<_> = (0..8)
        .map(|number| {
            let mut parcel = articles(&stage.books, &[&format!("第 {number} 课")]);
            parcel.delivery = format!("d-{}", number + 2);
            parcel
        })
        .collect();
    let all = parcels.iter().map(|parcel| async {
        let books = stage.books.of_delivery(&parcel.delivery);
        stage.channel.prepare(parcel, &books).await
    });
    for prepared in futures_util::future::join_all(all).await {
        prepared.unwrap();
    }
    assert_eq!(stage.count("stable_token"), 1);
    // Two hours later it has ended, and one more is enough for everybody.
    stage.shift(SignedDuration::from_hours(2));
    for parcel in &parcels {
        let books = stage.books.of_delivery(&parcel.delivery);
        stage.channel.prepare(parcel, &books).await.unwrap();
    }
    assert_eq!(stage.count("stable_token"), 2);
}

/// Nothing listens at the first address; the second is the platform's.
#[tokio::test]
async fn the_second_address_is_tried_when_the_first_cannot_be_reached() {
    let stage = Stage::new(PUBLISH).await;
    let second = format!("{}wechat", stage.sandbox.url());
    let hosts = format!("hosts = ['http://127.0.0.1:1/wechat', '{second}']");
    let channel =
        super::stage::channel(&hosts, caishi::config::PublishMode::Publish, &stage.sandbox);
    let stage = Stage { channel, ..stage };
    stage.deliver(&articles(&stage.books, &["课"])).await.unwrap();
    assert_once(&stage, "failover");
    // Where neither can be reached, nothing was sent, and it is said so.
    let hosts = "hosts = ['http://127.0.0.1:1/wechat']";
    let channel =
        super::stage::channel(hosts, caishi::config::PublishMode::Publish, &stage.sandbox);
    let other = stage.books.of_delivery("d-2");
    let error = channel.prepare(&articles(&stage.books, &["二"]), &other).await.unwrap_err();
    assert!(matches!(error.retry, Retry::After(_)), "{error:?}");
    assert!(error.message.contains("什么也没有发出"), "{}", error.message);
}

/// Whoever took the delivery over must not be written over, and what was sent is not sent again.
#[tokio::test]
async fn a_fenced_worker_stops() {
    let stage = Stage::new(PUBLISH).await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    stage.books.fence(true);
    let error = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Fenced, Retry::Never));
    assert_eq!(stage.account().publishes.len(), 0);
}

#[tokio::test]
async fn a_full_disk_stops_before_the_irreversible_call() {
    let stage = Stage::new(PUBLISH).await;
    let parcel = articles(&stage.books, &["课"]);
    let prepared = stage.prepare(&parcel).await.unwrap();
    stage.books.break_storage(true);
    let error = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Storage);
    assert!(matches!(error.retry, Retry::After(_)), "nothing was sent: {error:?}");
    stage.books.break_storage(false);
    stage.deliver(&parcel).await.unwrap();
    assert_once(&stage, "disk full");
}

/// A day on which the platform has no questions left: the answer waits, and no call is wasted.
#[tokio::test]
async fn questions_stay_within_their_quota() {
    let stage = Stage::new(PUBLISH).await;
    let parcel = articles(&stage.books, &["课"]);
    for _ in 0..100 {
        stage.books.take_quota("freepublish/get", QuotaWindow::Day, 100).await.unwrap();
    }
    let asked = stage.channel.confirm(&parcel, "2650177669", &stage.books).await.unwrap();
    let Confirmation::Pending(pause) = asked else { panic!("{asked:?}") };
    assert_eq!(pause.as_secs().div_ceil(3600), 14, "until midnight");
    assert_eq!(stage.sandbox.books().calls.len(), 0);
}

/// The token, the secret and the callback's keys are nowhere but where they belong.
#[tokio::test]
async fn no_secret_gets_out() {
    let stage = Stage::new(PUBLISH).await;
    stage.faults(&["draft/get#1=status:500", "freepublish/submit#1=cut-before"]);
    let parcel = articles(&stage.books, &["课"]);
    let mut seen = String::new();
    for _ in 0..3 {
        match stage.prepare(&parcel).await {
            Ok(prepared) => {
                let commit = stage.channel.commit(&parcel, &prepared, &stage.books).await;
                seen += &format!("{prepared:?} {commit:?}");
            }
            Err(error) => seen += &format!("{error:?} {error}"),
        }
    }
    let hosts = "hosts = ['http://127.0.0.1:1/wechat']";
    let away = super::stage::channel(hosts, caishi::config::PublishMode::Publish, &stage.sandbox);
    seen += &format!("{:?}", away.prepare(&parcel, &stage.books).await.unwrap_err());
    seen += &format!("{:?} {}", stage.channel, stage.books.dump());
    assert!(seen.contains("HTTP 500") && seen.contains("不会盲目重发"), "the failures are in it");
    let credentials = sandbox_credentials(APP_ID);
    let token = stage.token().await;
    for secret in [
        token.as_str(),
        credentials.secret.expose_secret(),
        credentials.callback_token.expose_secret(),
        credentials.encoding_aes_key.expose_secret(),
    ] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
