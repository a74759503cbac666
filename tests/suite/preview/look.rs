//! The pages in a real browser: accessible, by keyboard alone, and calm when something changes.

use super::Desk;
use crate::{
    screen::browser::{Browser, keep_in, with_browser},
    servers::skip_unless_required,
};
use serde_json::json;
use std::{fs, path::PathBuf, time::Duration};

const SOON: Duration = Duration::from_mins(1);

/// axe-core, where it is installed.
fn axe() -> Option<String> {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let path = home.join(".cache/caishi/node/portal/node_modules/axe-core/axe.min.js");
    fs::read_to_string(path).ok()
}

/// What axe finds, in light and dark, at a desk and on a phone.
async fn judge(browser: &Browser, axe: &str, name: &str) {
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        browser.resize(width, 900).await;
        browser.run(axe).await;
        let run = "window.found = null; axe.run(document, { iframes: false }).then(r => { \
             window.found = r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')) })";
        browser.run(run).await;
        browser.until("window.found !== null", SOON).await;
        let found = browser.run("return window.found").await;
        assert_eq!(found, json!([]), "{name} {scheme} {width}");
        let sideways = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(browser.run(sideways).await, true, "{name} {width}: no sideways scrolling");
        keep_in("preview", &format!("{name}-{scheme}-{width}"), &browser.look().await);
    }
    browser.command("Emulation.setEmulatedMedia", json!({ "features": [] })).await;
    browser.resize(1280, 900).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_accessible_and_stay_where_they_are_when_something_is_saved() {
    let Some(axe) = axe() else {
        skip_unless_required("chromium", "找不到 axe-core（npm ci，见 .ci/run）");
        return;
    };
    with_browser(true, async move |browser| {
        let desk = Desk::new().await;
        desk.finished("audience=general").await;
        let url = format!("{}/lesson/telecom-fraud", desk.origin);
        browser.resize(1280, 900).await;
        browser.open_page(&url).await;
        browser.until("document.getElementById('link').textContent !== ''", SOON).await;
        judge(&browser, &axe, "lesson").await;

        // In the middle of the page and of the article, and the article's fold open.
        let frame = "document.querySelector('[data-keep=article]')";
        let text = format!("({frame}.contentDocument?.body?.textContent ?? '')");
        let scrolled = format!("scrollTo(0, 300); {frame}.contentWindow.scrollTo(0, 500)");
        browser.until(&format!("{text}.includes('谁在电话里让你')"), SOON).await;
        browser.run(&scrolled).await;
        let top = format!("return Math.round({frame}.getBoundingClientRect().top)");
        let before = browser.run(&top).await.as_i64().unwrap();
        desk.edit("谁在电话里让你", "谁在电话里叫你");
        browser.until(&format!("{text}.includes('谁在电话里叫你')"), SOON).await;
        browser.until(&format!("{frame}.contentWindow.scrollY === 500"), SOON).await;
        let after = browser.run(&top).await.as_i64().unwrap();
        assert!((after - before).abs() <= 2, "the page does not jump: {before} became {after}");

        desk.edit("priority: normal", "priorty: normal");
        browser.until("document.querySelector('#banner [role=alert]')", SOON).await;
        judge(&browser, &axe, "broken").await;
        desk.edit("priorty: normal", "priority: normal");
        browser.until("!document.querySelector('#banner [role=alert]')", SOON).await;

        // By keyboard: to the elders' version, which is swapped in.
        browser.run("[...document.querySelectorAll('nav a')].find(a => a.textContent === '老年版').focus()").await;
        browser.press("\u{E007}").await;
        browser.until("location.search.includes('audience=elder')", SOON).await;
        browser.until("document.activeElement.textContent === '老年版'", SOON).await;
        browser.until("document.querySelector('h1').textContent.includes('客服')", SOON).await;
        browser.open_page(&format!("{}/", desk.origin)).await;
        judge(&browser, &axe, "list").await;

        let strange: Vec<String> = browser.requests().await;
        let strange: Vec<&String> = strange
            .iter()
            .filter(|address| address.starts_with("http") && !address.starts_with(&desk.origin))
            .collect();
        assert_eq!(strange, Vec::<&String>::new(), "no request leaves this machine");
        let console = browser.console().await;
        assert_eq!(console, Vec::<String>::new(), "nothing breaks the policy");
    })
    .await;
}
