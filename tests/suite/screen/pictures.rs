//! Posters for the tests, and how pictures are compared.

use caishi::model::Digest;
use image::{Rgb, RgbImage};
use std::io::Cursor;

/// A poster.
pub struct Poster {
    pub image: RgbImage,
    pub png: Vec<u8>,
    pub sha256: Digest,
}

/// A poster unlike any of another number: a ground, blocks, and a ramp of all brightnesses.
pub fn poster(number: u32, width: u32, height: u32) -> Poster {
    let ground = GROUNDS[number as usize % GROUNDS.len()];
    let image = RgbImage::from_fn(width, height, |x, y| {
        let (column, row) = (x * 12 / width, y * 12 / height);
        let border = column == 0 || row == 0 || column == 11 || row == 11;
        if border {
            return Rgb(ground);
        }
        if row == 6 {
            let bright = (x * 255 / width) as u8;
            return Rgb([bright, bright, bright]);
        }
        let seed = (column * 31 + row * 17 + number * 101) % 7;
        Rgb(ground.map(|part| part.wrapping_add((seed * 29) as u8)))
    });
    let mut png = Vec::new();
    image.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    Poster { sha256: Digest::of(&png), image, png }
}

const GROUNDS: [[u8; 3]; 4] = [[14, 58, 79], [255, 246, 226], [148, 42, 16], [18, 63, 51]];

/// The mean difference of two pictures of one size per channel, of 255.
#[track_caller]
pub fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions(), "the pictures are of one size");
    let parts = one.as_raw().iter().zip(other.as_raw());
    let sum: u64 = parts.map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    sum as f64 / one.as_raw().len() as f64
}

/// How far the brightnesses of a picture spread: the standard deviation. A blank one has 0.
pub fn spread(image: &RgbImage) -> f64 {
    let bright: Vec<f64> = image
        .pixels()
        .map(|Rgb(parts)| parts.iter().map(|part| f64::from(*part)).sum::<f64>() / 3.0)
        .collect();
    let mean = bright.iter().sum::<f64>() / bright.len() as f64;
    let squares = bright.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (squares / bright.len() as f64).sqrt()
}

/// The share of one picture that a mix of two is made of: the mix is `a·one + (1−a)·other`.
pub fn share(mix: &RgbImage, one: &RgbImage, other: &RgbImage) -> f64 {
    let (mut along, mut length) = (0.0, 0.0);
    let parts = mix.as_raw().iter().zip(one.as_raw()).zip(other.as_raw());
    for ((mix, one), other) in parts {
        let step = f64::from(*one) - f64::from(*other);
        along += (f64::from(*mix) - f64::from(*other)) * step;
        length += step * step;
    }
    along / length
}
