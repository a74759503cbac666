//! A takeover is on the glass within a second, and what was before comes back after it.

use super::{
    browser::{SETTLED, with_browser},
    house::{House, Serving},
    pictures::{difference, poster},
};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_replaces_at_once_and_gives_back() {
    with_browser(false, |browser| async move {
        let house = House::new(&[("s1", 1080, 1920)]);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        let (usual, urgent) = (poster(0, 1080, 1920), poster(1, 1080, 1920));
        // It would stay for an hour.
        house.play("s1", &[(&usual, 3600, HOUR)]);
        browser.resize(1080, 1920).await;
        browser.open_page(&serving.url("/screen/s1")).await;
        browser.until(SETTLED, Duration::from_secs(10)).await;
        assert!(difference(&browser.look().await, &usual.image) < 0.5);

        for (next, takeover) in [(&urgent, true), (&usual, false)] {
            let told = Instant::now();
            if takeover {
                house.take_over("s1", next);
            } else {
                house.play("s1", &[(next, 3600, HOUR)]);
            }
            let seen = loop {
                let asked = told.elapsed();
                if difference(&browser.look().await, &next.image) < 0.5 {
                    break asked;
                }
                assert!(asked < Duration::from_secs(10), "takeover {takeover}: it never came");
            };
            // Coming back may fade.
            let at_most = Duration::from_secs(if takeover { 1 } else { 3 });
            assert!(seen <= at_most, "takeover {takeover}: {seen:?}");
        }
    })
    .await;
}
