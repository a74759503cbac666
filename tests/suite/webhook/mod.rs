//! The webhook channel, against the strict receiver of the sandbox.

mod tables;

use crate::behaviour::{self, Cut, Fixture, books::MemoryBooks, parcel};
use async_trait::async_trait;
use caishi::{
    config::{ChannelEntry, PublishMode},
    deliver::{
        BuildContext, Channel, Commit, Deduplication, Egress, ErrorKind, Parcel, Probe, Retry,
        build,
        webhook::{Answer, SANDBOX_SECRET, judge},
    },
    model::ChannelId,
    sandbox::webhook::{WebhookFault, WebhookReceiver},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use url::Url;

const CANARY_TOKEN: &str = "canary-bearer-token";
/// The base64 of `canary-webhook-signing-secret-1234`.
const CANARY_SECRET: &str = "whsec_Y2FuYXJ5LXdlYmhvb2stc2lnbmluZy1zZWNyZXQtMTIzNA==";

fn entry(settings: &str, sandbox: bool) -> ChannelEntry {
    ChannelEntry {
        id: ChannelId::new("notice-board").unwrap(),
        kind: "webhook".to_owned(),
        sandbox,
        mode: PublishMode::Publish,
        outputs: Vec::new(),
        audiences: Vec::new(),
        settings: toml::from_str(settings).unwrap(),
    }
}

fn context(folder: &Path) -> BuildContext {
    BuildContext {
        folder: folder.to_owned(),
        egress: Egress::Public { allowed: Vec::new() },
        sandbox: None,
        rehearsal: None,
    }
}

struct NoticeBoard {
    channel: Arc<dyn Channel>,
    receiver: WebhookReceiver,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

async fn serve(receiver: &WebhookReceiver) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = receiver.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

impl NoticeBoard {
    /// With a secret and a token of its own, over plain HTTP to this machine.
    async fn new(more: &str) -> Self {
        let receiver = WebhookReceiver::new(CANARY_SECRET).unwrap();
        let address = serve(&receiver).await;
        let folder = tempfile::tempdir().unwrap();
        for (name, secret) in [("secret", CANARY_SECRET), ("token", CANARY_TOKEN)] {
            use std::os::unix::fs::PermissionsExt as _;
            fs::write(folder.path().join(name), secret).unwrap();
            let mode = fs::Permissions::from_mode(0o600);
            fs::set_permissions(folder.path().join(name), mode).unwrap();
        }
        let settings = format!(
            "url = \"http://{address}/webhook/notice-board\"\nsecret = {{ file = \"secret\" }}\n\
             allow = [\"127.0.0.0/8\"]\ntimeout_seconds = 5\n\
             headers = {{ Authorization = {{ file = \"token\" }} }}\n{more}"
        );
        let channel = build(&entry(&settings, false), &context(folder.path())).unwrap();
        Self { channel, receiver, address, _folder: folder }
    }

    /// Prepares and commits.
    async fn send(
        &self,
        parcel: &Parcel,
        books: &MemoryBooks,
    ) -> Result<Commit, caishi::deliver::DeliverError> {
        let prepared = self.channel.prepare(parcel, books).await?;
        self.channel.commit(parcel, &prepared, books).await
    }
}

#[async_trait]
impl Fixture for NoticeBoard {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::clone(&self.channel)
    }

    /// By the real clock, which the receiver holds timestamps against.
    fn books(&self) -> MemoryBooks {
        MemoryBooks::new(Timestamp::now())
    }

    fn parcel(&self, books: &MemoryBooks, number: u32) -> Parcel {
        parcel(books, self.channel.id(), &self.channel.targets()[0], number)
    }

    fn refused(&self, books: &MemoryBooks) -> Vec<(&'static str, Parcel)> {
        let mut empty = self.parcel(books, 900);
        empty.files.clear();
        empty.messages.clear();
        vec![("a parcel with nothing in it", empty)]
    }

    async fn shown(&self, parcel: &Parcel) -> usize {
        let key = parcel.key.digest().to_string();
        let count = |wanted: &str| {
            self.receiver.received().iter().filter(|received| received.key == wanted).count()
        };
        count(&key).saturating_sub(count(&format!("{key}-recalled")))
    }

    async fn costs(&self, _books: &MemoryBooks) -> usize {
        self.receiver.received().len()
    }

    async fn cut_next(&self, cut: Cut) -> bool {
        self.receiver.inject(match cut {
            Cut::Before => WebhookFault::CutBefore,
            Cut::After => WebhookFault::CutAfter,
        });
        true
    }

    fn canaries(&self) -> Vec<String> {
        let secret = CANARY_SECRET.trim_start_matches("whsec_").to_owned();
        vec![CANARY_TOKEN.to_owned(), secret, "canary-webhook".to_owned()]
    }
}

#[tokio::test]
async fn a_receiver_that_drops_repeated_keys_passes_the_behaviour_suite() {
    let board = NoticeBoard::new("recall = true").await;
    behaviour::run(&board).await;
    assert_eq!(board.receiver.refused(), [], "the strict receiver had nothing to object to");
    assert!(!board.receiver.duplicates().is_empty(), "it dropped the repetitions");
}

#[tokio::test]
async fn a_receiver_that_drops_nothing_passes_the_behaviour_suite() {
    let board = NoticeBoard::new("idempotent = false").await;
    assert_eq!(board.channel.capability().deduplication, Deduplication::None);
    behaviour::run(&board).await;
    assert_eq!(board.receiver.duplicates(), Vec::<String>::new(), "nothing was sent twice");
}

#[tokio::test]
async fn every_attempt_says_the_same_and_is_signed_afresh() {
    let board = NoticeBoard::new("").await;
    let books = board.books();
    let parcel = parcel(&books, board.channel.id(), "t", 1);
    board.receiver.inject(WebhookFault::CutAfter);
    assert_eq!(board.send(&parcel, &books).await.unwrap_err().retry, Retry::Ask);
    books.advance(SignedDuration::from_mins(3));
    board.send(&parcel, &books).await.unwrap();
    let received = board.receiver.received();
    assert_eq!((received.len(), board.receiver.duplicates().len()), (1, 1));
    assert_eq!(received[0].id, format!("msg_{}", parcel.key.short()));
    assert_eq!(received[0].kind.as_deref(), Some("campaign.published"));
    let body: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(body["data"]["campaign"], "weekly-1/2026");
    assert_eq!(body["data"]["lessons"][0]["title"], "正规客服不会要你“共享屏幕”");
    assert_eq!(body["data"]["files"][0]["sha256"], parcel.files[0].sha256.to_string().as_str());
    assert_eq!(body["data"]["window"]["until"], "2026-12-06");
}

#[tokio::test]
async fn an_unknown_end_is_not_resent_once_the_receiver_has_forgotten_the_key() {
    let board = NoticeBoard::new("").await;
    let books = board.books();
    let parcel = parcel(&books, board.channel.id(), "t", 1);
    let prepared = board.channel.prepare(&parcel, &books).await.unwrap();
    board.receiver.inject(WebhookFault::CutAfter);
    board.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
    let probe = board.channel.probe(&parcel, &prepared, &books).await.unwrap();
    assert_eq!(probe, Probe::NotPublished, "the same key may be sent again");
    books.advance(SignedDuration::from_hours(24));
    let probe = board.channel.probe(&parcel, &prepared, &books).await.unwrap();
    assert!(matches!(&probe, Probe::Unknown(reason) if reason.contains("24 小时")), "{probe:?}");
    let error = board.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
    assert_eq!(error.retry, Retry::Ask);
    assert_eq!(board.receiver.received().len() + board.receiver.duplicates().len(), 1);
}

#[tokio::test]
async fn a_refusal_may_be_retried_for_days() {
    let board = NoticeBoard::new("").await;
    let books = board.books();
    let parcel = parcel(&books, board.channel.id(), "t", 1);
    let retry_after = Some("120".to_owned());
    board.receiver.inject(WebhookFault::Status { status: 503, retry_after });
    let error = board.send(&parcel, &books).await.unwrap_err();
    assert_eq!(error.retry, Retry::After(Duration::from_mins(2)));
    books.advance(SignedDuration::from_hours(48));
    board.receiver.skew_clock(SignedDuration::from_hours(48));
    board.send(&parcel, &books).await.unwrap();
    assert_eq!(board.receiver.received().len(), 1);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_refused_by_the_signature() {
    let board = NoticeBoard::new("").await;
    let books = board.books();
    books.advance(SignedDuration::from_hours(-1));
    let parcel = parcel(&books, board.channel.id(), "t", 1);
    let error = board.send(&parcel, &books).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
    assert!(board.receiver.refused()[0].reason.contains("5 分钟"));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_leaves_the_end_unknown() {
    let board = NoticeBoard::new("").await;
    let books = board.books();
    let parcel = parcel(&books, board.channel.id(), "t", 1);
    board.receiver.inject(WebhookFault::Latency(Duration::from_secs(20)));
    let error = board.send(&parcel, &books).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Network, Retry::Ask));
    assert!(error.message.contains("没有等到回答"), "{error}");
}

#[tokio::test]
async fn an_error_code_inside_a_200_is_an_error() {
    let board = NoticeBoard::new("success = { pointer = \"/errcode\", equals = 0 }").await;
    let books = board.books();
    for (number, body, expected) in [
        (1, r#"{"errcode":0}"#, None),
        (2, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some((Retry::Never, "93000"))),
        (3, r#"{"ok":true}"#, Some((Retry::Ask, "没有 /errcode"))),
        (4, "<html>", Some((Retry::Ask, "不是 JSON"))),
    ] {
        let parcel = parcel(&books, board.channel.id(), "t", number);
        let books = books.of_delivery(&parcel.delivery);
        board.receiver.inject(WebhookFault::Body(body.to_owned()));
        match (board.send(&parcel, &books).await, expected) {
            (Ok(_), None) => {}
            (Err(error), Some((retry, part))) => {
                assert_eq!(error.retry, retry, "{body}");
                assert!(error.message.contains(part), "{body}: {error}");
            }
            (answer, _) => panic!("{body}: {answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_template_writes_what_a_robot_wants() {
    let template = r#"
body = '''{"msgtype":"markdown","markdown":{"content":"{{#each data.lessons}}> {{title}}\n{{/each}}{{#if data.number}}{{data.number}}{{else}}无{{/if}}{{#unless data.files}}无{{/unless}}"},"files":{{json data.files.[0].bytes}}}'''
"#;
    let board = NoticeBoard::new(template).await;
    let books = board.books();
    let mut parcel = parcel(&books, board.channel.id(), "t", 1);
    parcel.messages[0].title = "他说\"共享\"\n<b>屏幕</b>\\".to_owned();
    board.send(&parcel, &books).await.unwrap();
    let body: Value = serde_json::from_str(&board.receiver.received()[0].body).unwrap();
    let expected = "> 他说\"共享\"\n<b>屏幕</b>\\\n消保审〔2026〕1 号";
    assert_eq!(body["markdown"]["content"], expected);
    assert_eq!(body["files"], parcel.files[0].bytes);
}

#[tokio::test]
async fn a_template_that_cannot_be_filled_in_is_refused_before_sending() {
    let books = MemoryBooks::new(Timestamp::now());
    for (template, expected) in [
        (r#"{"text":"{{data.nummer}}"}"#, "data.nummer"),
        (r#"{"text":{{data.number}}}"#, "不是 JSON"),
        (r#"{"text":{{json data.nummer}}}"#, "data.nummer"),
        (r#"{"text":"{{#if data.nummer}}a{{/if}}"}"#, "data.nummer"),
        (r#"{"text":"{{#unless data.nummer}}a{{/unless}}"}"#, "data.nummer"),
        (r#"{"text":"{{#each data.leson}}a{{/each}}"}"#, "data.leson"),
    ] {
        let board = NoticeBoard::new(&format!("body = '''{template}'''")).await;
        let parcel = parcel(&books, board.channel.id(), "t", 1);
        let faults = board.channel.preflight(&parcel).join("；");
        assert!(faults.contains(expected), "{template}: {faults}");
        let error = board.send(&parcel, &books).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Content, Retry::Never));
    }
}

#[tokio::test]
async fn a_rehearsal_speaks_to_the_stand_in_only_and_needs_no_secret() {
    let board = NoticeBoard::new("").await;
    let settings = "url = { env = \"CAISHI_TEST_UNSET\" }\nsecret = { env = \"CAISHI_TEST_UNSET\" }\n\
                    headers = { Authorization = { env = \"CAISHI_TEST_UNSET\" } }";
    let receiver = WebhookReceiver::new(SANDBOX_SECRET).unwrap();
    let address = serve(&receiver).await;
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Some(Url::parse(&format!("http://{address}")).unwrap());
    let rehearsal = BuildContext {
        rehearsal: Some(folder.path().to_owned()),
        egress: Egress::LoopbackOnly,
        sandbox: sandbox.clone(),
        ..context(folder.path())
    };
    let sandboxed = BuildContext { sandbox, ..context(folder.path()) };
    let books = board.books();
    for (number, (flag, context)) in [(false, rehearsal), (true, sandboxed)].iter().enumerate() {
        let channel = build(&entry(settings, *flag), context).unwrap();
        assert_eq!(channel.targets(), ["webhook:notice-board"], "a secret address is not shown");
        let parcel = parcel(&books, channel.id(), "t", u32::try_from(number).unwrap());
        let prepared = channel.prepare(&parcel, &books).await.unwrap();
        channel.commit(&parcel, &prepared, &books).await.unwrap();
        assert_eq!(receiver.received()[number].channel, "notice-board");
    }
    assert_eq!(board.receiver.received(), [], "{} heard nothing", board.address);
}
