//! `/packs` over real HTTP: files, ranges, tags, the nudge, enrolment and reports.

use super::{Town, branch};
use base64::Engine as _;
use caishi::{
    config::Config,
    deliver::{BuildContext, Egress},
    model::Digest,
    packs::{
        SigningKey, index_name, root_digest, target_file,
        wire::{
            BRANCH_HEADER, Confirmed, ConfirmedWhat, EnrolAnswer, EnrolRequest, ReceiptLine,
            Report, ReportAnswer, SIGNATURE_HEADER, Status, chain_start,
        },
    },
    work::Publisher,
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{Client, StatusCode, header};
use std::{fs, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub struct Office {
    pub town: Town,
    pub publisher: Publisher,
    pub url: String,
    client: Client,
    stop: CancellationToken,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Office {
    pub async fn open() -> Self {
        let town = Town::new();
        let folder = town.folder.path();
        let content = concat!(env!("CARGO_MANIFEST_DIR"), "/content");
        let toml = format!(
            "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.shancheng.example\"\n\
             hotline = \"bank\"\ndisclaimer = \"金融知识普及。\"\n[content]\nfolder = {content:?}\n\
             [channel.screens]\nkind = \"packs\"\noutputs = [\"screen\"]\npath = \"outbox\"\n\
             keys = \"keys\"\n[server]\nxibo_key = {{ command = [\"echo\", \"shared-key\"] }}\n"
        );
        fs::write(folder.join("channels.toml"), toml).unwrap();
        let config = Arc::new(Config::load(&folder.join("channels.toml")).unwrap());
        let context = BuildContext {
            folder: folder.to_owned(),
            egress: Egress::Public { allowed: Vec::new() },
            sandbox: None,
            rehearsal: None,
        };
        let publisher = Publisher::open(config, &context, folder.join("rendered")).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/packs", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let router = caishi::web::router(publisher.clone());
        tokio::spawn(caishi::web::serve(listener, router, stop.clone()));
        // Two providers are compiled in, and reqwest chooses none by itself.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { town, publisher, url, client, stop }
    }

    async fn get(&self, path: &str, headers: &[(header::HeaderName, &str)]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}/{path}", self.url));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.send().await.unwrap()
    }

    async fn enrol(&self, code: &str, key: &SigningKey) -> reqwest::Response {
        let request = EnrolRequest {
            code: code.to_owned(),
            public_key: key.public_hex(),
            machine: "青石坡播放机".to_owned(),
            version: "0.1.0".to_owned(),
        };
        self.client.post(format!("{}/enrol", self.url)).json(&request).send().await.unwrap()
    }

    async fn report(&self, report: &Report, key: &SigningKey) -> reqwest::Response {
        let body = serde_json::to_vec(report).unwrap();
        let signature = base64::engine::general_purpose::STANDARD.encode(key.sign(&body));
        let request = self.client.post(format!("{}/report", self.url));
        request
            .header(BRANCH_HEADER, report.branch.as_str())
            .header(SIGNATURE_HEADER, signature)
            .body(body)
            .send()
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn files_are_served_with_tags_and_ranges() {
    let office = Office::open().await;
    office.town.publish(&office.town.week(1, 0)).await;
    let whole = office.get("metadata/timestamp.json", &[]).await;
    let tag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(whole.headers()[header::CACHE_CONTROL], "no-cache");
    let again = office.get("metadata/timestamp.json", &[(header::IF_NONE_MATCH, &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.bytes().await.unwrap().len(), 0);

    let index = office.town.index("b001").await;
    let entry = &index.releases[0].entries[0];
    let path = format!("targets/{}", target_file(&entry.sha256, &entry.name));
    let whole = office.get(&path, &[]).await;
    assert!(whole.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    let tag = whole.headers()[header::ETAG].to_str().unwrap().to_owned();
    let bytes = whole.bytes().await.unwrap();
    assert_eq!(Digest::of(&bytes), entry.sha256);
    let n = bytes.len();
    for (range, expected) in
        [("bytes=0-0", 0..1), ("bytes=5-", 5..n), ("bytes=-3", n - 3..n), ("bytes=2-9999999", 2..n)]
    {
        let part = office.get(&path, &[(header::RANGE, range), (header::IF_RANGE, &tag)]).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(part.bytes().await.unwrap(), bytes.slice(expected), "{range}");
    }
    let part = office.get(&path, &[(header::RANGE, "bytes=5-"), (header::IF_RANGE, "\"x\"")]).await;
    assert_eq!(part.status(), StatusCode::OK, "another file by now: whole");
    let outside = office.get(&path, &[(header::RANGE, "bytes=999999-")]).await;
    assert_eq!(outside.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    for path in [
        "targets/..%2f..%2fkeys%2ftargets.der",
        "metadata/.lock",
        "keys/targets.der",
        "targets/%2e%2e",
        "metadata/absent.json",
    ] {
        assert_eq!(office.get(path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_publication_is_told_within_seconds() {
    let office = Office::open().await;
    office.town.publish(&office.town.week(1, 0)).await;
    let mut stream = office.get("events?branch=b001", &[]).await.bytes_stream();
    let mut heard = String::new();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    office.town.publish(&office.town.week(2, 24)).await;
    let hear = async {
        while let Some(part) = stream.next().await {
            heard.push_str(std::str::from_utf8(&part.unwrap()).unwrap());
            if heard.contains("event: changed") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), hear).await.unwrap();
}

fn status() -> Status {
    Status {
        at: Timestamp::now(),
        version: "0.1.0".to_owned(),
        timestamp_version: 1,
        expires: None,
        playing: Vec::new(),
        staged: Vec::new(),
        missing: (0, 0),
        free_bytes: 1 << 30,
        screens: vec![("s1".to_owned(), None)],
        clock_behind_s: 0,
        alarms: Vec::new(),
    }
}

/// Receipts number `from` to `to` after what stands before them.
fn chain(from: u64, to: u64, mut prev: Digest) -> Vec<String> {
    let mut lines = Vec::new();
    for seq in from..=to {
        let line = ReceiptLine {
            seq,
            prev: prev.to_string(),
            branch: "b001".to_owned(),
            screen: "s1".to_owned(),
            sha256: Digest::of(b"poster").to_string(),
            from: Timestamp::from_second(1_800_000_000 + i64::try_from(seq).unwrap() * 60).unwrap(),
            until: Timestamp::from_second(1_800_000_060 + i64::try_from(seq).unwrap() * 60)
                .unwrap(),
            count: 4,
            seconds: 60,
            clock: "ok".to_owned(),
        };
        let text = serde_json::to_string(&line).unwrap();
        prev = Digest::of(text.as_bytes());
        lines.push(text);
    }
    lines
}

#[tokio::test]
async fn a_machine_enrols_once_and_its_reports_are_taken_once() {
    let office = Office::open().await;
    office.town.publish(&office.town.week(1, 0)).await;
    let b001 = branch("b001");
    let (code, _) = office.publisher.enrol_code(&b001, "author-a").await.unwrap();
    let key = SigningKey::generate().unwrap();
    let wrong = office.enrol(&code.replace("b001", "b002"), &key).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN, "the code is for one branch");
    let answer: EnrolAnswer = office.enrol(&code, &key).await.json().await.unwrap();
    let root = base64::engine::general_purpose::STANDARD.decode(&answer.root).unwrap();
    assert_eq!(answer.branch, b001);
    assert!(code.ends_with(&root_digest(&root).to_string()[..16]), "the code vouches for the root");
    assert_eq!(office.enrol(&code, &key).await.status(), StatusCode::FORBIDDEN, "used up");

    let lines = chain(1, 3, chain_start());
    let confirmed = Confirmed {
        number: 1,
        key: Digest::of(b"release"),
        lesson: None,
        what: ConfirmedWhat::Posted,
        by: "大堂经理".to_owned(),
        at: Timestamp::now(),
    };
    let mut report = Report {
        branch: b001.clone(),
        status: status(),
        receipts: lines.clone(),
        confirmations: vec![confirmed],
    };
    let stranger = SigningKey::generate().unwrap();
    assert_eq!(office.report(&report, &stranger).await.status(), StatusCode::FORBIDDEN);
    for _ in 0..2 {
        let answer: ReportAnswer = office.report(&report, &key).await.json().await.unwrap();
        assert_eq!((answer.receipts, answer.confirmations), (3, 1), "the same twice is one");
    }
    let store = &office.publisher.store;
    let all = store.displays(&b001, Timestamp::UNIX_EPOCH, Timestamp::MAX).await.unwrap();
    let kept: Vec<&str> = all.iter().map(|display| display.line.as_str()).collect();
    assert_eq!(kept, lines, "the exact lines");
    assert_eq!(store.confirmations(&Digest::of(b"release")).await.unwrap().len(), 1);

    report.receipts = chain(5, 5, Digest::of(lines[2].as_bytes()));
    assert_eq!(office.report(&report, &key).await.status(), StatusCode::CONFLICT, "a gap");
    report.receipts = chain(4, 4, Digest::of(b"forged"));
    assert_eq!(office.report(&report, &key).await.status(), StatusCode::CONFLICT, "a break");
    report.receipts = chain(4, 4, Digest::of(lines[2].as_bytes()));
    let answer: ReportAnswer = office.report(&report, &key).await.json().await.unwrap();
    assert_eq!(answer.receipts, 4);

    let standings = office.publisher.branch_standings(None).await.unwrap();
    let troubles: Vec<(&str, bool)> = standings
        .iter()
        .map(|standing| (standing.branch.as_str(), standing.troubles.is_empty()))
        .collect();
    assert_eq!(troubles, [("b001", true), ("b002", false)], "b002 has no machine");
}

#[tokio::test]
async fn another_machine_takes_the_place_of_the_first() {
    let office = Office::open().await;
    let b001 = branch("b001");
    let keys = [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()];
    for key in &keys {
        let (code, _) = office.publisher.enrol_code(&b001, "author-a").await.unwrap();
        assert_eq!(office.enrol(&code, key).await.status(), StatusCode::OK);
    }
    let report = Report {
        branch: b001,
        status: status(),
        receipts: chain(1, 1, chain_start()),
        confirmations: Vec::new(),
    };
    assert_eq!(office.report(&report, &keys[0]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(office.report(&report, &keys[1]).await.status(), StatusCode::OK);
    let _ = index_name(&report.branch);
}

/// One call of a Xibo player.
async fn soap(office: &Office, operation: &str, server_key: &str) -> String {
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:t=\"urn:xmds\">\
         <s:Body><t:{operation}><serverKey>{server_key}</serverKey><hardwareKey>player-1\
         </hardwareKey><displayName>大厅</displayName></t:{operation}></s:Body></s:Envelope>"
    );
    let url = office.url.replace("/packs", "/xmds/xmds.php?v=5");
    office.client.post(url).body(envelope).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_xibo_player_gets_the_branch_that_somebody_gave_it() {
    let office = Office::open().await;
    office.town.publish(&office.town.week(1, 0)).await;
    let refused = soap(&office, "RequiredFiles", "wrong-key").await;
    assert!(refused.contains("密钥不对"), "{refused}");
    assert!(soap(&office, "RegisterDisplay", "shared-key").await.contains("WAITING"));
    let players = office.publisher.store.xibo_players().await.unwrap();
    assert_eq!((players[0].hardware_key.as_str(), players[0].name.as_str()), ("player-1", "大厅"));
    assert!(soap(&office, "RequiredFiles", "shared-key").await.contains("还没有分配"));
    let place = (&branch("b001"), "s1");
    let store = &office.publisher.store;
    assert!(store.assign_xibo_player("player-1", Some(place), "author-a").await.unwrap());
    assert!(!store.assign_xibo_player("nobody", Some(place), "author-a").await.unwrap());
    assert!(soap(&office, "RegisterDisplay", "shared-key").await.contains("READY"));
    let files = soap(&office, "RequiredFiles", "shared-key").await;
    let media =
        files.matches("type=&quot;media&quot;").count() + files.matches("type=\"media\"").count();
    assert_eq!(media, office.town.index("b001").await.releases[0].entries.len(), "{files}");
    store.assign_xibo_player("player-1", None, "author-a").await.unwrap();
    assert!(soap(&office, "Schedule", "shared-key").await.contains("还没有分配"), "taken back");
}
