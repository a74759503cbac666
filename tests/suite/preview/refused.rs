//! Who and what is not let in.

use super::{CONFIG, Desk, client, digest_of, options};
use caishi::preview::{Preview, PreviewError};
use reqwest::{StatusCode, header};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn only_this_machine_and_only_its_own_pages_read_it() {
    let desk = Desk::new().await;
    let port = desk.origin.rsplit(':').next().unwrap().to_owned();
    let asked = |name: header::HeaderName, value: String| {
        desk.client.get(format!("{}/", desk.origin)).header(name, value).send()
    };
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.1:1", ""] {
        let answer = asked(header::HOST, host.to_owned()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{host}");
    }
    let local = asked(header::HOST, format!("localhost:{port}")).await.unwrap();
    assert_eq!(local.status(), StatusCode::OK);

    let site = header::HeaderName::from_static("sec-fetch-site");
    for from in ["cross-site", "same-site"] {
        let answer = asked(site.clone(), from.to_owned()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{from}");
    }
    let followed = desk
        .client
        .get(format!("{}/", desk.origin))
        .header(site, "cross-site")
        .header("sec-fetch-dest", "document");
    assert_eq!(followed.send().await.unwrap().status(), StatusCode::OK, "a link is followed");

    let answer = asked(header::ORIGIN, "https://evil.example".to_owned()).await.unwrap();
    assert_eq!(answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    let post = desk.client.post(format!("{}/", desk.origin)).body("x").send().await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_lead_to_outputs_and_nowhere_else() {
    let desk = Desk::new().await;
    let page = desk.finished("audience=general").await;
    let sha256 = digest_of(&page, "portal/index.html");
    let package = digest_of(&page, "portal/index_generic.zip");
    for path in [
        "/lesson/..%2f..%2fchannels.toml".to_owned(),
        "/lesson/nothing".to_owned(),
        "/lesson/telecom-fraud?branch=b999".to_owned(),
        "/bytes/..%2f..%2fchannels.toml/x".to_owned(),
        format!("/bytes/{sha256}/..%2f..%2fchannels.toml"),
        format!("/bytes/{}/index.html", "0".repeat(64)),
        format!("/bytes/{}/index.html", "é".repeat(32)),
        format!("/article/{sha256}"),
        format!("/entry/{package}/..%2f..%2fchannels.toml"),
        format!("/entry/{sha256}/index.html"),
        "/events?lesson=nothing".to_owned(),
        "/preview.css/..%2f..%2fchannels.toml".to_owned(),
    ] {
        assert_eq!(desk.get(&path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for path in [format!("/bytes/{sha256}/index.html"), format!("/entry/{package}/index.html")] {
        let answer = desk.get(&path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("sandbox allow-same-origin") && !policy.contains("allow-scripts"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_lesson_are_words() {
    let desk = Desk::new().await;
    let mut events = desk.listen("audience=general").await;
    let evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    desk.edit(
        "title: 对方让你共享屏幕？请立刻挂断",
        &format!("title: '{}'", evil.replace('\'', "''")),
    );
    desk.edit("谁在电话里让你", "{% raw %} 谁在电话里让你");
    events.until(|event| event["kind"] == "checked").await;
    let mut pages = vec![desk.text("/lesson/telecom-fraud?audience=general").await];
    pages.push(desk.text("/").await);
    if pages[0].contains("/article.html") {
        let article = digest_of(&pages[0], "/article.html");
        pages.push(desk.text(&format!("/article/{article}?lesson=telecom-fraud")).await);
    }
    for page in pages {
        assert!(page.contains("alert(1)"), "the title is shown");
        assert!(!page.contains("<script>alert"), "and inert");
        assert!(!page.contains("<img src=x"), "all of it");
    }
    let query =
        "/lesson/telecom-fraud?audience=%22%3E%3Cscript%3E&look=%3Cb%3E&entry=%3Cb%3E&size=%3Cb%3E";
    let page = desk.text(query).await;
    assert!(!page.contains("<script>") && !page.contains("<b>"), "nothing of a query comes back");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_and_unknown_lessons_are_refused_with_the_next_step() {
    let _client = client();
    let folder = tempfile::tempdir().unwrap();
    crate::publishing::town::content(folder.path());
    let config = folder.path().join("channels.toml");
    fs::write(&config, CONFIG).unwrap();
    for address in ["0.0.0.0:0", "192.0.2.7:80", "[::]:0"] {
        let open =
            caishi::preview::Options { listen: address.parse().unwrap(), ..options(&config, None) };
        let refused = Preview::start(open).await.unwrap_err();
        assert!(matches!(refused, PreviewError::NotLoopback(_)), "{address}");
        assert!(refused.to_string().contains("127.0.0.1"), "{refused}");
    }
    let unknown = Preview::start(options(&config, Some("telecom-frau"))).await.unwrap_err();
    assert!(unknown.to_string().contains("是不是想写 telecom-fraud？"), "{unknown}");
    let preview = Preview::start(options(&config, Some("telecom-fraud"))).await.unwrap();
    assert!(preview.url().ends_with("/lesson/telecom-fraud"));
    let taken = preview.url().split('/').nth(2).unwrap().parse().unwrap();
    let again = caishi::preview::Options { listen: taken, ..options(&config, None) };
    let refused = Preview::start(again).await.unwrap_err();
    assert!(refused.to_string().contains("请换一个端口"), "{refused}");
    preview.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_its_address_and_ends_on_a_signal() {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Command, Stdio},
    };
    let folder = tempfile::tempdir().unwrap();
    crate::publishing::town::content(folder.path());
    fs::write(folder.path().join("channels.toml"), CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_caishi"));
    command.current_dir(folder.path()).args(["preview", "telecom-fraud", "--listen"]);
    let refused = command.arg("0.0.0.0:0").output().unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("预览只在本机看"), "{said}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_caishi"));
    command.current_dir(folder.path()).args(["preview", "telecom-fraud", "--listen"]);
    let mut running =
        command.arg("127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let page = client().get(url.trim()).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("对方让你共享屏幕？请立刻挂断"));
    // An open page does not keep it from ending.
    let origin = url.trim().split("/lesson").next().unwrap();
    let events = client().get(format!("{origin}/events")).send().await.unwrap();
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(running.wait().unwrap().success());
    drop(events);
}
