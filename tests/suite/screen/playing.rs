//! Playing goes on without its server, and ends in time; what was painted is reported.

use super::{
    browser::{Browser, CARD, SETTLED, with_browser},
    house::{House, Serving},
    pictures::{Poster, difference, poster},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

/// A small screen that shows its poster.
async fn showing(browser: &Browser, house: &Arc<House>, poster: &Poster) -> Serving {
    let serving = tokio::task::block_in_place(|| Serving::start(house));
    browser.resize(320, 480).await;
    browser.open_page(&serving.url("/screen/s1")).await;
    browser.until(SETTLED, Duration::from_secs(10)).await;
    let difference = difference(&browser.look().await, &poster.image);
    assert!(difference < 0.5, "it stands there: {difference}");
    serving
}

/// Looks until a poster is gone, and says when it was last seen and when it was no more, counted
/// from a moment.
async fn gone(browser: &Browser, poster: &Poster, since: Instant) -> (Duration, Duration) {
    let mut last = Duration::ZERO;
    loop {
        let asked = since.elapsed();
        let seen = browser.look().await;
        if difference(&seen, &poster.image) > 5.0 {
            return (last, since.elapsed());
        }
        last = asked;
        assert!(asked < Duration::from_secs(30), "it stands there for ever");
    }
}

async fn check_expiry(browser: Browser, killed: bool) {
    let house = House::new(&[("s1", 320, 480)]);
    let only = poster(0, 320, 480);
    let lasts = Duration::from_secs(6);
    let told = Instant::now();
    house.play("s1", &[(&only, 10, lasts)]);
    let serving = showing(&browser, &house, &only).await;
    let kept = if killed {
        // And somebody sets the machine's clock back by a day: that gives it no more time.
        tokio::task::block_in_place(|| serving.kill());
        let back = "const now = Date.now; Date.now = () => now() - 86400000;";
        browser.run(back).await;
        None
    } else {
        Some(serving)
    };
    let (last, none) = gone(&browser, &only, told).await;
    assert!(
        last > lasts.checked_sub(2 * SECOND).unwrap(),
        "killed {killed}: it went early, after {last:?}"
    );
    assert!(none <= lasts + SECOND, "killed {killed}: it went late, after {none:?}");
    browser.until(CARD, SECOND).await;
    let words = browser.run("return document.getElementById('card').innerText").await;
    let words = words.as_str().unwrap().to_owned();
    for word in ["山城示范银行", "青石坡支行", "95XXX"] {
        assert!(words.contains(word), "{word} in {words}");
    }
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_out_is_gone_within_a_second() {
    with_browser(false, |browser| check_expiry(browser, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_run_out_is_gone_within_a_second_without_its_server() {
    with_browser(false, |browser| check_expiry(browser, true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn playing_goes_on_without_the_server_and_is_told_when_it_is_back() {
    with_browser(true, |browser| async move {
        let house = House::new(&[("s1", 320, 480)]);
        let (one, other) = (poster(0, 320, 480), poster(1, 320, 480));
        house.play("s1", &[(&one, 60, HOUR)]);
        let serving = showing(&browser, &house, &one).await;
        house.play("s1", &[(&one, 1, HOUR), (&other, 1, HOUR)]);
        let both = format!(
            "performance.getEntriesByType('resource').some((one) => one.name.includes('{}'))",
            other.sha256
        );
        browser.until(&both, Duration::from_secs(5)).await;
        let port = serving.port;
        tokio::task::block_in_place(|| serving.kill());
        let before = house.displayed().len();
        let (mut first, mut second) = (0, 0);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(4) {
            let seen = browser.look().await;
            first += u32::from(difference(&seen, &one.image) < 0.5);
            second += u32::from(difference(&seen, &other.image) < 0.5);
        }
        assert!(first > 2 && second > 2, "both come round: {first}, {second}");
        assert_eq!(house.displayed().len(), before, "there was nobody to tell");
        // Reloaded without its server it shows its card, not the browser's page of errors.
        let kept = "caches.keys().then((names) => { window.kept = names.includes('caishi-page'); }), window.kept";
        browser.until(kept, Duration::from_secs(5)).await;

        let third = poster(2, 320, 480);
        let _serving = tokio::task::block_in_place(|| Serving::start_at(&house, port));
        let back = Instant::now();
        house.play("s1", &[(&third, 60, HOUR)]);
        while difference(&browser.look().await, &third.image) > 0.5 {
            assert!(back.elapsed() < Duration::from_secs(10), "it does not come back");
        }
        // The posters of the time without a server are none that the new one gave out, and are not
        // believed; what it gave out is.
        tokio::time::sleep(2 * SECOND).await;
        let standing = house.standing().pop().unwrap();
        assert_eq!(standing, ("s1".to_owned(), Some(third.sha256)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_without_the_server_shows_the_card() {
    with_browser(true, |browser| async move {
        let house = House::new(&[("s1", 320, 480)]);
        let only = poster(0, 320, 480);
        house.play("s1", &[(&only, 60, HOUR)]);
        let serving = showing(&browser, &house, &only).await;
        let controlled = "navigator.serviceWorker.controller";
        browser.until(controlled, Duration::from_secs(10)).await;
        browser.run("caches.open('caishi-page').then((shelf) => shelf.keys()).then((all) => { window.kept = all.length; })").await;
        browser.until("window.kept >= 8 || (caches.open('caishi-page').then((shelf) => shelf.keys()).then((all) => { window.kept = all.length; }), false)", Duration::from_secs(10)).await;
        tokio::task::block_in_place(|| serving.kill());
        browser.run("location.reload()").await;
        tokio::time::sleep(SECOND).await;
        browser.until("document.getElementById('card')", Duration::from_secs(10)).await;
        browser.until(CARD, SECOND).await;
        let words = browser.run("return document.getElementById('card').innerText").await;
        assert!(words.as_str().unwrap().contains("青石坡支行"), "{words}");
        assert!(difference(&browser.look().await, &only.image) > 5.0, "no poster came back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_painted_is_reported_and_nothing_else() {
    with_browser(false, |browser| async move {
        let house = House::new(&[("s1", 320, 480)]);
        let (one, other, rotten) = (poster(0, 320, 480), poster(1, 320, 480), poster(2, 320, 480));
        house.play("s1", &[(&one, 1, HOUR), (&rotten, 1, HOUR), (&other, 1, HOUR)]);
        house.rot(&rotten);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        browser.resize(320, 480).await;
        browser.open_page(&serving.url("/screen/s1")).await;
        tokio::time::sleep(Duration::from_secs(8)).await;
        let spans = house.displayed();
        let of = |poster: &Poster| {
            let own = spans.iter().filter(|span| span.sha256 == poster.sha256);
            own.map(|span| span.count).sum::<u32>()
        };
        assert!(of(&one) >= 2 && of(&other) >= 2, "{spans:?}");
        assert_eq!(of(&rotten), 0, "its bytes are not what its digest says: it was never shown");
        let mut ordered = spans.clone();
        ordered.sort_by_key(|span| span.from);
        for pair in ordered.windows(2) {
            assert!(pair[0].until <= pair[1].from, "one poster at a time: {pair:?}");
        }
        assert!(spans.iter().all(|span| span.screen == "s1" && span.from <= span.until));
        // Then nothing: the card stands there, and that is told, too.
        house.play("s1", &[]);
        browser.until(CARD, SECOND).await;
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(house.standing().pop(), Some(("s1".to_owned(), None)));
    })
    .await;
}
