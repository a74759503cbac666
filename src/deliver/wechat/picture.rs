//! Pictures within the platform's limits: pure, and the same bytes every time.

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
    },
    imageops::{self, FilterType as Resampling},
};
use std::io::Cursor;

/// `uploadimg`: less than 1 MB. Said in decimal megabytes, the stricter reading.
pub const BODY_BYTES: usize = 1_000_000;

/// `add_material?type=image`: 10 MB.
pub const MATERIAL_BYTES: usize = 10_000_000;

/// Qualities of JPEG that are tried before a picture is made smaller.
const QUALITIES: [u8; 4] = [92, 85, 78, 70];

/// A picture that the platform takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// PNG or JPEG.
    pub bytes: Vec<u8>,
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// What was done to it, in Chinese; `None` where the bytes are the approved ones.
    pub note: Option<String>,
}

impl Fitted {
    /// The ending of its file name.
    #[must_use]
    pub fn extension(&self) -> &'static str {
        if self.media_type == "image/png" { "png" } else { "jpg" }
    }
}

/// Two covers in one permanent picture, and where each is: `X1_Y1_X2_Y2` in fractions of its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// The picture.
    pub picture: Fitted,
    /// The crop for lists, 2.35:1.
    pub wide_crop: String,
    /// The crop for sharing, 1:1.
    pub square_crop: String,
}

/// Brings a picture below `max_bytes` as PNG or JPEG. What fits already is left as it is.
///
/// # Errors
/// Why it cannot be done, in Chinese.
pub fn fit(bytes: &[u8], max_bytes: usize) -> Result<Fitted, String> {
    let format = image::guess_format(bytes)
        .map_err(|_| "不是 PNG、JPEG、GIF、WebP 或 BMP 图片".to_owned())?;
    let media_type = match format {
        ImageFormat::Png => Some("image/png"),
        ImageFormat::Jpeg => Some("image/jpeg"),
        _ => None,
    };
    if let Some(media_type) = media_type
        && bytes.len() < max_bytes
    {
        // Decoded all the same: a broken picture must not get as far as the platform.
        decode(bytes)?;
        return Ok(Fitted { bytes: bytes.to_vec(), media_type, note: None });
    }
    let mut fitted = encode(&decode(bytes)?, max_bytes, format != ImageFormat::Jpeg)?;
    let from = format.extensions_str().first().copied().unwrap_or("?").to_uppercase();
    let how = fitted.note.take().unwrap_or_default();
    let still = if format == ImageFormat::Gif { "，动图只留第一帧" } else { "" };
    fitted.note = Some(format!(
        "由 {from}（{}）转为 {how}（{}）{still}",
        kilobytes(bytes.len()),
        kilobytes(fitted.bytes.len())
    ));
    Ok(fitted)
}

/// Joins the covers into one picture: the wide one above, the square one below. With only one,
/// the other crop is cut from its middle.
///
/// # Errors
/// Why it cannot be done, in Chinese.
pub fn compose(wide: Option<&[u8]>, square: Option<&[u8]>) -> Result<Cover, String> {
    let (wide, square) = match (wide, square) {
        (Some(wide), Some(square)) => (decode(wide)?, decode(square)?),
        (Some(only), None) | (None, Some(only)) => return single(only),
        (None, None) => return Err("没有封面".to_owned()),
    };
    let (wide, square) = (middle(&wide, 2.35), middle(&square, 1.0));
    let (width, height) = (wide.width().max(square.width()), wide.height() + square.height());
    let mut canvas = RgbImage::from_pixel(width, height, Rgb([255, 255, 255]));
    imageops::replace(&mut canvas, &wide, 0, 0);
    imageops::replace(&mut canvas, &square, 0, i64::from(wide.height()));
    let size = (f64::from(width), f64::from(height));
    let seam = f64::from(wide.height());
    let wide_crop = crop((0.0, 0.0, f64::from(wide.width()), seam), size);
    let square_crop = crop((0.0, seam, f64::from(square.width()), size.1), size);
    let mut picture = encode(&DynamicImage::ImageRgb8(canvas), MATERIAL_BYTES, true)?;
    picture.note = None;
    Ok(Cover { picture, wide_crop, square_crop })
}

fn single(bytes: &[u8]) -> Result<Cover, String> {
    let picture = fit(bytes, MATERIAL_BYTES)?;
    let image = decode(&picture.bytes)?;
    let size = (f64::from(image.width()), f64::from(image.height()));
    let cut = |ratio: f64| {
        let (width, height) = window(size, ratio);
        let (left, top) = ((size.0 - width) / 2.0, (size.1 - height) / 2.0);
        crop((left, top, left + width, top + height), size)
    };
    Ok(Cover { wide_crop: cut(2.35), square_crop: cut(1.0), picture })
}

/// The largest window of that ratio.
fn window((width, height): (f64, f64), ratio: f64) -> (f64, f64) {
    if width / height > ratio { (height * ratio, height) } else { (width, width / ratio) }
}

/// The middle of a picture in that ratio; a picture that is within a pixel of it stays whole.
fn middle(image: &DynamicImage, ratio: f64) -> RgbImage {
    let whole = flat(image);
    let (width, height) = window((f64::from(whole.width()), f64::from(whole.height())), ratio);
    let (width, height) = (width.round() as u32, height.round() as u32);
    if whole.width().abs_diff(width) <= 1 && whole.height().abs_diff(height) <= 1 {
        return whole;
    }
    let (left, top) = ((whole.width() - width) / 2, (whole.height() - height) / 2);
    imageops::crop_imm(&whole, left, top, width, height).to_image()
}

/// `X1_Y1_X2_Y2`, six decimals: finer than a pixel of any picture within the limits.
fn crop((left, top, right, bottom): (f64, f64, f64, f64), (width, height): (f64, f64)) -> String {
    let part = |value: f64| {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    [left / width, top / height, right / width, bottom / height].map(part).join("_")
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(16_384);
    limits.max_image_height = Some(16_384);
    let broken = |error: image::ImageError| format!("图片打不开：{error}");
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| format!("图片打不开：{error}"))?;
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Without transparency, on white.
fn flat(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.to_rgba8().pixels()) {
        let alpha = u32::from(from[3]);
        let over = |value: u8| ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        *to = Rgb([over(from[0]), over(from[1]), over(from[2])]);
    }
    flat
}

/// PNG where that fits and is wanted, then JPEG of falling quality, then smaller.
fn encode(image: &DynamicImage, max_bytes: usize, png_first: bool) -> Result<Fitted, String> {
    if png_first {
        let bytes = png(image)?;
        if bytes.len() < max_bytes {
            let note = Some("PNG".to_owned());
            return Ok(Fitted { bytes, media_type: "image/png", note });
        }
    }
    let mut pixels = flat(image);
    loop {
        for quality in QUALITIES {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality)
                .encode_image(&pixels)
                .map_err(|error| format!("转不成 JPEG：{error}"))?;
            if bytes.len() < max_bytes {
                let (width, height) = pixels.dimensions();
                let note = Some(format!("JPEG，质量 {quality}，{width}×{height} 像素"));
                return Ok(Fitted { bytes, media_type: "image/jpeg", note });
            }
        }
        let (width, height) = (pixels.width() * 4 / 5, pixels.height() * 4 / 5);
        if width < 200 || height == 0 {
            return Err(format!("压不到 {} 以内", kilobytes(max_bytes)));
        }
        pixels = imageops::resize(&pixels, width, height, Resampling::Lanczos3);
    }
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, String> {
    // Eight bits a channel: what a phone shows.
    let image = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.to_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.to_rgb8())
    };
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    image.write_with_encoder(encoder).map_err(|error| format!("转不成 PNG：{error}"))?;
    Ok(bytes)
}

fn kilobytes(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1000))
}
