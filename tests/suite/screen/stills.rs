//! Each profile shows its poster, pixel for pixel; one of another shape is shown whole.

use super::{
    browser::{SETTLED, keep, with_browser},
    house::{House, Serving},
    pictures::{difference, poster},
};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const PROFILES: [(&str, u32, u32); 5] = [
    ("portrait-fhd", 1080, 1920),
    ("landscape-fhd", 1920, 1080),
    ("bar", 1920, 360),
    ("xga", 1024, 768),
    ("pad", 480, 320),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_profile_shows_its_own_poster_pixel_for_pixel() {
    with_browser(true, |browser| async move {
        let house = House::new(&PROFILES);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        for (number, (name, width, height)) in (0..).zip(PROFILES) {
            let poster = poster(number, width, height);
            house.play(name, &[(&poster, 10, HOUR)]);
            browser.resize(width, height).await;
            browser.open_page(&serving.url(&format!("/screen/{name}"))).await;
            browser.until(SETTLED, Duration::from_secs(10)).await;
            let seen = browser.look().await;
            let difference = difference(&seen, &poster.image);
            assert!(difference < 0.5, "{name}: {difference} of 255");
        }
        let foreign = browser.requests().await.into_iter().find(|url| {
            !["data:", "blob:"].iter().any(|own| url.starts_with(own))
                && !url.starts_with(&serving.url("/"))
        });
        assert_eq!(foreign, None, "the page asks nobody but its server");
        assert_eq!(browser.console().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poster_of_another_shape_is_shown_whole_between_bars_of_its_own_colour() {
    with_browser(true, |browser| async move {
        let house = House::new(&[("s1", 1024, 768)]);
        let serving = tokio::task::block_in_place(|| Serving::start(&house));
        let poster = poster(2, 960, 540);
        house.play("s1", &[(&poster, 10, HOUR)]);
        browser.resize(1024, 768).await;
        browser.open_page(&serving.url("/screen/s1")).await;
        browser.until(SETTLED, Duration::from_secs(10)).await;
        let seen = browser.look().await;
        keep("letterbox", &seen);
        // 1024 × 576 in the middle of 1024 × 768: 96 rows above and below.
        let scaled = image::imageops::resize(
            &poster.image,
            1024,
            576,
            image::imageops::FilterType::Triangle,
        );
        let middle = image::imageops::crop_imm(&seen, 0, 96, 1024, 576).to_image();
        let difference = difference(&middle, &scaled);
        assert!(difference < 3.0, "the poster is whole: {difference} of 255");
        for y in [2, 50, 94, 674, 720, 765] {
            let pixel = seen.get_pixel(512, y).0;
            let apart = pixel.iter().zip([148, 42, 16]).map(|(a, b): (&u8, u8)| a.abs_diff(b));
            assert!(apart.max().unwrap() <= 3, "row {y} has the poster's edge colour: {pixel:?}");
        }
    })
    .await;
}
