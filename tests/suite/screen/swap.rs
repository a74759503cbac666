//! From one poster to the next: nothing blank in between, and in step with the screen beside it.

use super::{
    browser::{SETTLED, with_browser},
    house::{House, Serving},
    pictures::{difference, poster, share, spread},
};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_of_a_swap_is_a_mix_of_the_two_posters() {
    with_browser(false, |browser| async move {
        let house = House::new(&[("s1", 320, 480)]);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        let (one, other) = (poster(0, 320, 480), poster(1, 320, 480));
        let plain = spread(&one.image).min(spread(&other.image));
        house.play("s1", &[(&one, 2, HOUR), (&other, 2, HOUR)]);
        browser.resize(320, 480).await;
        browser.open_page(&serving.url("/screen/s1")).await;
        browser.until(SETTLED, Duration::from_secs(10)).await;
        let started = Instant::now();
        let (mut frames, mut between, mut turns, mut last) = (0, 0, 0, None);
        while started.elapsed() < Duration::from_secs(7) {
            let seen = browser.look().await;
            frames += 1;
            // Opaque below and fading above: the frame lies on the line between the two posters.
            let share = share(&seen, &other.image, &one.image);
            let mixed = image::RgbImage::from_fn(320, 480, |x, y| {
                let (a, b) = (other.image.get_pixel(x, y).0, one.image.get_pixel(x, y).0);
                let part = |i: usize| {
                    (share * f64::from(a[i]) + (1.0 - share) * f64::from(b[i])).round() as u8
                };
                image::Rgb([part(0), part(1), part(2)])
            });
            let off = difference(&seen, &mixed);
            assert!(off < 2.0, "frame {frames} is no mix of the two posters: {off}");
            assert!(spread(&seen) > plain / 2.0, "frame {frames} is nearly blank");
            if share > 0.02 && share < 0.98 {
                between += 1;
            } else {
                let now = share > 0.5;
                turns += u32::from(last.is_some_and(|last| last != now));
                last = Some(now);
            }
        }
        assert!(frames >= 30 && between >= 3, "{frames} frames, {between} within a fade");
        assert!((2..=4).contains(&turns), "{turns} turns in seven seconds of two-second posters");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_turn_it_is_follows_from_the_time_not_from_when_the_page_was_opened() {
    with_browser(true, |browser| async move {
        let house = House::new(&[("s1", 320, 240)]);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        let posters = [poster(0, 320, 240), poster(1, 320, 240), poster(2, 320, 240)];
        let listed: Vec<_> = posters.iter().map(|poster| (poster, 1, HOUR)).collect();
        house.play("s1", &listed);
        browser.resize(320, 240).await;
        for wait_ms in [3000, 3700] {
            browser.open_page(&serving.url("/screen/s1")).await;
            browser.until(SETTLED, Duration::from_secs(10)).await;
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        // Those that began with their turn, not in the middle of it as the page was opened.
        let spans = house.displayed();
        let mut turns = 0;
        for span in spans.iter().filter(|span| (800..).contains(&length_ms(span))) {
            let second = span.from.as_millisecond().div_euclid(1000);
            let late = span.from.as_millisecond().rem_euclid(1000);
            let whose = &posters[usize::try_from(second.rem_euclid(3)).unwrap()];
            assert_eq!(span.sha256, whose.sha256, "{spans:?}");
            assert!(late < 400, "{late} ms after its turn began");
            turns += 1;
        }
        assert!(turns >= 3, "{spans:?}");
    })
    .await;
}

fn length_ms(span: &caishi::branch::receipts::Displayed) -> i64 {
    span.until.as_millisecond() - span.from.as_millisecond()
}
