//! The strip at the foot of a poster: branch or bank, number, QR code.

use super::{
    sheet::{Format, MEASURED_PX},
    view::StripView,
};
use crate::{
    model::Audience,
    render::{
        Fonts, Palette, RenderError, Scene,
        fonts::Weight,
        poster::{
            qr::QrCode,
            strip::{broken, halves},
        },
    },
};

/// Side of the QR code with its quiet zone.
const QR_MM: f64 = 33.0;
/// What the strip holds between its margins.
const WIDTH_MM: f64 = 180.0;

/// Largest font sizes.
struct Sizes {
    name: f64,
    address: f64,
    label: f64,
    number: f64,
}

/// Fits the strip: three columns, or one above another where the name is long.
pub(super) fn strip(
    scene: &Scene<'_>,
    palette: &Palette,
    fonts: &Fonts,
    floor: f64,
) -> Result<StripView, RenderError> {
    let elder = scene.variant.audience == Audience::Elder;
    let sizes = if elder {
        Sizes { name: 9.6, address: 6.8, label: 6.8, number: 17.0 }
    } else {
        Sizes { name: 8.5, address: 5.6, label: 5.6, number: 15.3 }
    };
    let (name, address) = where_to(scene);
    let label = if elder { "问银行" } else { "客服" };
    let number = scene.number(&scene.bank.hotline).to_owned();
    let qr_label = if elder { Vec::new() } else { halves(&scene.variant.qr_label) };
    let bold = |text: &str| fonts.advance_em(text, Weight::Bold);
    let plain = |text: &str| fonts.advance_em(text, Weight::Regular);
    let label_room = qr_label.iter().map(|line| plain(line)).fold(0.0, f64::max) * sizes.label;
    let free = WIDTH_MM - QR_MM - label_room - 6.0;
    let ask = plain(label) * sizes.label + 3.0 + bold(&number) * sizes.number;
    let room = free - ask - 12.0;
    let fit = |em: f64, size: f64, room: f64| (room / em.max(0.1)).min(size);
    let stacked = fit(bold(&name), sizes.name, room) < sizes.name * 0.8
        || fit(plain(&address), sizes.address, room) < floor;
    let room = if stacked { free } else { room };
    let (address, address_em) = match plain(&address) {
        em if fit(em, sizes.address, room) >= floor => (vec![address], em),
        _ => {
            let lines = broken(&address);
            let em = lines.iter().map(|line| plain(line)).fold(0.0, f64::max);
            (lines, em)
        }
    };
    let [qr_right, qr_bottom] = if elder { [15.0, 11.0] } else { [12.0, 10.0] };
    let code = QrCode::new(&scene.qr_address())?;
    Ok(StripView {
        fill: if elder { palette.strip.clone() } else { "#FFFFFF".into() },
        text: if elder { &palette.strip_text } else { &palette.ink }.clone(),
        mute: if elder { &palette.strip_mute } else { &palette.mute }.clone(),
        stacked,
        name_size: fit(bold(&name), sizes.name, room),
        name,
        address_size: fit(address_em, sizes.address, room),
        address,
        label,
        label_size: sizes.label,
        number_size: if stacked {
            sizes.number * if elder { 0.66 } else { 0.7 }
        } else {
            sizes.number
        },
        number,
        qr_label,
        qr_right,
        qr_bottom,
        qr_side: QR_MM,
        qr_modules: code.modules(),
        qr_path: code.path(),
    })
}

/// Name and address of the branch; for the bank's own edition its name and that it serves all.
pub(super) fn where_to(scene: &Scene<'_>) -> (String, String) {
    match scene.branch {
        Some(branch) => (branch.name.clone(), branch.address.clone()),
        None => (scene.bank.name.clone(), "全行网点通用".to_owned()),
    }
}

/// Where the QR code stands on A4 with its quiet zone, in pixels of a measured page.
pub(super) fn qr_rect(strip: &StripView) -> (u32, u32, u32, u32) {
    let (width, height) = Format::A4.size_mm();
    let px = |mm: f64| (mm * MEASURED_PX).round() as u32;
    let side = strip.qr_side;
    (px(width - strip.qr_right - side), px(height - strip.qr_bottom - side), px(side), px(side))
}
