//! Windows, hours, pauses and pictures: what is counted and how.

use super::account::{moment, picture};
use caishi::deliver::{
    QuotaWindow,
    wechat::{
        picture::{BODY_BYTES, compose, fit},
        poll,
        quota::{self, SendHours},
    },
};
use image::{GenericImageView as _, ImageFormat};

#[test]
fn windows_turn_when_it_is_midnight_in_shanghai() {
    let table = [
        (QuotaWindow::Day, "2026-09-07T15:59:59.999Z", "2026-09-07T16:00:00Z"),
        (QuotaWindow::Day, "2026-09-07T16:00:00Z", "2026-09-08T16:00:00Z"),
        (QuotaWindow::Day, "2026-12-31T16:00:00Z", "2027-01-01T16:00:00Z"),
        (QuotaWindow::Month, "2026-08-31T15:59:59Z", "2026-08-31T16:00:00Z"),
        (QuotaWindow::Month, "2026-08-31T16:00:00Z", "2026-09-30T16:00:00Z"),
        (QuotaWindow::Month, "2026-12-15T00:00:00Z", "2026-12-31T16:00:00Z"),
        (QuotaWindow::Month, "2028-02-10T00:00:00Z", "2028-02-29T16:00:00Z"),
        (QuotaWindow::Minute, "2026-09-07T10:20:30.5Z", "2026-09-07T10:21:00Z"),
    ];
    for (window, now, next) in table {
        assert_eq!(quota::next(window, moment(now)), moment(next), "{window:?} after {now}");
    }
}

#[test]
fn a_send_window_says_when_it_opens_next() {
    let hours = SendHours::parse("08:00-22:00").unwrap();
    let table = [
        ("2026-09-06T23:59:59Z", Some("2026-09-07T00:00:00Z")),
        ("2026-09-07T00:00:00Z", None),
        ("2026-09-07T13:59:59Z", None),
        ("2026-09-07T14:00:00Z", Some("2026-09-08T00:00:00Z")),
        ("2026-12-31T15:00:00Z", Some("2027-01-01T00:00:00Z")),
    ];
    for (now, opening) in table {
        assert_eq!(hours.next_opening(moment(now)), opening.map(moment), "{now}");
    }
    for bad in ["22:00-08:00", "08:00-08:00", "8点-22点", "08:00", "25:00-26:00", ""] {
        assert_eq!(SendHours::parse(bad), None, "{bad}");
    }
}

/// A whole day of asking must leave room for others: 100 questions a day for the account.
#[test]
fn a_day_of_asking_stays_far_below_the_limit() {
    let pauses: Vec<u64> = (1..=7).map(|asked| poll::pause(asked).as_secs()).collect();
    assert_eq!(pauses, [30, 120, 600, 1800, 3600, 7200, 7200]);
    let mut seconds = 0;
    let asked = (1..).take_while(|asked| {
        seconds += poll::pause(*asked).as_secs();
        seconds < 86_400
    });
    assert!(asked.count() < 20);
}

#[test]
fn a_picture_that_fits_stays_as_it_is() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let bytes = picture(60, 40, false, format);
        let fitted = fit(&bytes, BODY_BYTES).unwrap();
        assert_eq!((fitted.bytes, fitted.note), (bytes, None), "{format:?}");
    }
}

#[test]
fn other_pictures_are_brought_within_the_limits_the_same_way_every_time() {
    let table = [
        (picture(60, 40, false, ImageFormat::WebP), "由 WEBP", (60, 40)),
        (picture(60, 40, false, ImageFormat::Gif), "动图只留第一帧", (60, 40)),
        (picture(60, 40, false, ImageFormat::Bmp), "由 BMP", (60, 40)),
        // Noise does not compress: a big PNG becomes a JPEG of the same size.
        (picture(760, 760, true, ImageFormat::Png), "转为 JPEG，质量", (760, 760)),
    ];
    for (bytes, note, size) in table {
        let fitted = fit(&bytes, BODY_BYTES).unwrap();
        assert!(fitted.bytes.len() < BODY_BYTES);
        assert!(fitted.note.as_ref().unwrap().contains(note), "{:?}", fitted.note);
        assert_eq!(image::load_from_memory(&fitted.bytes).unwrap().dimensions(), size);
        assert_eq!(fit(&bytes, BODY_BYTES).unwrap(), fitted);
    }
    // So much noise that quality alone does not do it: made smaller too.
    let small = fit(&picture(700, 700, true, ImageFormat::Png), 100_000).unwrap();
    assert!(small.bytes.len() < 100_000);
    let size = image::load_from_memory(&small.bytes).unwrap().dimensions();
    assert!(size.0 < 700 && size.0 == size.1, "{size:?}");
    for broken in [b"<svg/>".to_vec(), picture(60, 40, true, ImageFormat::Png)[..90].to_vec()] {
        assert!(fit(&broken, BODY_BYTES).is_err());
    }
}

/// Transparent pixels become white, not black.
#[test]
fn transparency_is_laid_on_white() {
    let clear = image::RgbaImage::from_pixel(900, 900, image::Rgba([0, 0, 0, 0]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgba8(clear).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let cover = compose(Some(bytes.get_ref()), Some(bytes.get_ref())).unwrap();
    let cover = image::load_from_memory(&cover.picture.bytes).unwrap().to_rgb8();
    assert!(cover.pixels().all(|pixel| pixel.0 == [255, 255, 255]));
}

/// The pixels that the platform will cut out, given the fractions.
fn cut(picture: &image::DynamicImage, crop: &str) -> image::DynamicImage {
    let parts: Vec<f64> = crop.split('_').map(|part| part.parse().unwrap()).collect();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let edge = |fraction: f64, side: f64| (fraction * side).round() as u32;
    let (left, top) = (edge(parts[0], width), edge(parts[1], height));
    let (right, bottom) = (edge(parts[2], width), edge(parts[3], height));
    picture.crop_imm(left, top, right - left, bottom - top)
}

#[test]
fn one_picture_holds_both_covers_and_the_crops_find_them() {
    let wide = picture(1410, 600, false, ImageFormat::Png);
    let square = picture(900, 900, false, ImageFormat::Png);
    let cover = compose(Some(&wide), Some(&square)).unwrap();
    assert!(cover.picture.bytes.len() < 10_000_000);
    let whole = image::load_from_memory(&cover.picture.bytes).unwrap();
    for (crop, original) in [(&cover.wide_crop, &wide), (&cover.square_crop, &square)] {
        let original = image::load_from_memory(original).unwrap().to_rgb8();
        assert_eq!(cut(&whole, crop).to_rgb8(), original, "{crop}");
    }
    assert_eq!(compose(Some(&wide), Some(&square)).unwrap(), cover);
}

#[test]
fn one_cover_alone_serves_both_crops() {
    for (width, height) in [(1410, 600), (900, 900), (700, 1000)] {
        let only = picture(width, height, false, ImageFormat::Png);
        let cover = compose(None, Some(&only)).unwrap();
        assert_eq!(cover.picture.bytes, only, "the approved bytes");
        let whole = image::load_from_memory(&only).unwrap();
        for (crop, ratio) in [(&cover.wide_crop, 2.35), (&cover.square_crop, 1.0)] {
            let cut = cut(&whole, crop);
            let got = f64::from(cut.width()) / f64::from(cut.height());
            assert!((got - ratio).abs() < 0.01, "{width}×{height} {crop}: {got}");
        }
    }
    assert!(compose(None, None).is_err());
}
