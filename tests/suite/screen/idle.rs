//! The card of a screen with nothing to show.

use super::{
    browser::{Browser, CARD, keep, with_browser},
    house::{House, Serving},
    pictures::spread,
};
use std::time::Duration;

const SHAPES: [(&str, u32, u32); 8] = [
    ("portrait", 1080, 1920),
    ("landscape", 1920, 1080),
    ("bar", 1920, 360),
    ("bar-tall", 1920, 540),
    ("bar-thin", 1920, 258),
    ("xga", 1024, 768),
    ("pad", 480, 320),
    ("portrait-wxga", 768, 1366),
];

/// Words of the card that leave the screen, are cut, or touch each other.
const FAULTS: &str = r"
const boxes = ['bank', 'time', 'date', 'branch', 'hotline', 'welcome'].map((name) => {
  const element = document.getElementById(name) ?? document.querySelector('.' + name);
  const range = document.createRange();
  range.selectNodeContents(element);
  const visible = element.getClientRects().length > 0;
  const box = range.getBoundingClientRect().toJSON();
  // The ink: Han characters fill 0.92 em, digits 0.75 em, wherever the line's box ends.
  const ink = parseFloat(getComputedStyle(element).fontSize) * (name === 'time' ? 0.75 : 0.92);
  const by = Math.max(0, (range.getClientRects()[0]?.height ?? 0) - ink) / 2;
  Object.assign(box, { top: box.top + by, bottom: box.bottom - by });
  return { name, visible, box, text: element.textContent };
}).filter((one) => one.visible);
const faults = [];
for (const { name, box, text } of boxes) {
  if (text.trim() === '') faults.push(name + ' is empty');
  if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) faults.push(name + ' leaves the screen');
}
for (const one of boxes) for (const other of boxes) {
  if (one.name >= other.name) continue;
  const [a, b] = [one.box, other.box];
  if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) faults.push(one.name + ' touches ' + other.name);
}
const strip = document.querySelector('.strip').getBoundingClientRect();
for (const { name, box } of boxes) {
  const inside = ['branch', 'hotline'].includes(name);
  if (inside ? box.top < strip.top : box.bottom > strip.top) faults.push(name + ' crosses the edge of the strip');
}
if (![...document.fonts].every((face) => face.status === 'loaded')) faults.push('faces are not loaded');
return faults;";

async fn check(browser: &Browser, serving: &Serving, name: &str, query: &str) -> Vec<String> {
    browser.open_page(&serving.url(&format!("/screen/{name}{query}"))).await;
    browser.until(CARD, Duration::from_secs(5)).await;
    let faces = "document.fonts.status === 'loaded' && \
                 [...document.fonts].every((face) => face.status === 'loaded') && \
                 document.getElementById('time').textContent === '09:30'";
    browser.until(faces, Duration::from_secs(10)).await;
    let faults = browser.run(FAULTS).await;
    let seen = browser.look().await;
    keep(&format!("idle-{name}{}", query.replace(['?', '='], "-")), &seen);
    assert!(spread(&seen) > 10.0, "{name}{query} is not blank");
    let faults = faults.as_array().unwrap().iter();
    faults.map(|fault| format!("{name}{query}: {fault}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_fits_every_shape_in_both_looks_with_the_longest_names() {
    with_browser(true, |browser| async move {
        let house = House::new(&SHAPES);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        let mut faults = Vec::new();
        for (name, width, height) in SHAPES {
            browser.resize(width, height).await;
            faults.extend(check(&browser, &serving, name, "?look=light").await);
        }
        house.set_card(
            "石柱土家族自治县山城示范农村商业银行股份有限公司",
            "石柱土家族自治县黄水森林公园旅游度假区支行营业部",
            "023-12345678 转 8",
        );
        for (name, width, height) in SHAPES {
            browser.resize(width, height).await;
            faults.extend(check(&browser, &serving, name, "?look=dark").await);
        }
        assert_eq!(faults, Vec::<String>::new());
    })
    .await;
}
