//! The branch strip: the only part of a poster that is a branch's own.
//!
//! [`StripPlan`] is made once per profile and family: it fits the longest name, address and number
//! of the whole network, so that every branch's strip is set in the same sizes and at the same
//! places. [`StripPlan::view`] then fills in one branch.

use super::{
    qr::QrCode,
    scale::{Profile, Scaled, Scheme},
    view::StripView,
};
use crate::{
    model::{Audience, Branch, Library},
    render::{Fonts, Palette, RenderError, fonts::Weight},
};

/// Sizes and places of a strip, the same for every branch of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct StripPlan {
    unit: f64,
    width: u32,
    height: u32,
    margin: u32,
    inline: bool,
    stacked: bool,
    where_width: u32,
    address_width: u32,
    name_px: u32,
    address_px: u32,
    ask: Ask,
    label_px: u32,
    qr: Option<QrPlace>,
    two_line_label: bool,
    break_addresses: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Ask {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    label: &'static str,
    number_px: u32,
}

/// Where the QR code stands in the strip, in pixels, quiet zone included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QrPlace {
    /// Left edge.
    pub left: u32,
    /// Top edge.
    pub top: u32,
    /// Pixels per module.
    pub module: u32,
    /// Pixels across.
    pub side: u32,
}

/// The colour of a code's dark modules.
pub const QR_INK: [u8; 3] = [0x0b, 0x1b, 0x26];

/// What the strips of one design have in common besides their sizes.
#[derive(Debug, Clone, Copy)]
pub struct StripSetting<'a> {
    /// The bank's number, for branches without one of their own.
    pub bank_number: &'a str,
    /// What stands beside the QR code.
    pub qr_label: &'a str,
    /// The family.
    pub audience: Audience,
    /// The colours.
    pub palette: &'a Palette,
}

/// The widest texts of a network, in em.
#[derive(Debug, Clone, Copy)]
struct Widest {
    name: f64,
    address: f64,
    /// Where an address may be broken at its separator.
    broken_address: f64,
    number: f64,
}

impl StripPlan {
    /// Fits the network's longest texts. `modules` is the width of its QR codes.
    ///
    /// # Errors
    /// [`RenderError::DoesNotFit`] where a name does not fit at the smallest readable size.
    pub fn new(
        library: &Library,
        bank_number: &str,
        audience: Audience,
        profile: &Profile,
        scaled: &Scaled<'_>,
        fonts: &Fonts,
        modules: usize,
    ) -> Result<Self, RenderError> {
        let sizes = scaled.sizes;
        let height = scaled.px(sizes.strip);
        let margin = scaled.px(sizes.margin);
        let widest = Widest::of(library, bank_number, fonts);
        let qr = qr_place(profile.width, height, margin, scaled, modules);
        let label_px = scaled.font(sizes.strip_label, 1.0);
        let stacked = scaled.scheme == Scheme::Portrait;
        let inline = matches!(scaled.scheme, Scheme::Ribbon);
        let two_line_label =
            matches!(scaled.scheme, Scheme::Portrait | Scheme::Kiosk | Scheme::Bar);
        let gap = scaled.px(40.0);
        let label_em = if two_line_label { 3.0 } else { 5.0 };
        let label_width = match (qr, audience) {
            (None, _) | (_, Audience::Elder) => 0,
            (Some(_), _) => (label_em * f64::from(label_px)) as u32 + gap,
        };
        let right =
            qr.map_or(profile.width.saturating_sub(margin), |qr| qr.left.saturating_sub(gap));
        let right = right.saturating_sub(label_width);
        let label = if audience == Audience::Elder { "问银行" } else { "客服" };
        let mut plan = Self {
            unit: scaled.unit,
            width: profile.width,
            height,
            margin,
            inline,
            stacked,
            where_width: 0,
            address_width: 0,
            name_px: scaled.font(sizes.strip_name, 1.0),
            address_px: scaled.font(sizes.strip_address, 1.0),
            ask: Ask {
                left: margin,
                top: 0,
                width: 0,
                height: scaled.font(sizes.strip_number, 1.0),
                label,
                number_px: scaled.font(sizes.strip_number, 1.0),
            },
            label_px,
            qr,
            two_line_label,
            break_addresses: false,
        };
        plan.fit(&widest, right, gap, scaled, fonts).map_err(|detail| RenderError::DoesNotFit {
            what: format!("{}（{}×{}）的网点条", profile.name, profile.width, profile.height),
            detail,
        })?;
        Ok(plan)
    }

    fn fit(
        &mut self,
        widest: &Widest,
        right: u32,
        gap: u32,
        scaled: &Scaled<'_>,
        fonts: &Fonts,
    ) -> Result<(), String> {
        let label = fonts.advance_em(self.ask.label, Weight::Regular) * f64::from(self.label_px);
        let inset = f64::from(scaled.px(22.0));
        let free = f64::from(right.saturating_sub(self.margin));
        let ask_width = |px: u32| (label + inset + widest.number * f64::from(px)).ceil();
        let floor = scaled.floor_px;
        if self.stacked {
            self.ask.number_px =
                shrink(self.ask.number_px, floor, |px| ask_width(px) <= free).ok_or("号码太长")?;
            let below = scaled.px(scaled.sizes.strip * 0.11) + self.ask.number_px;
            self.ask.top = self.height.saturating_sub(below);
        } else {
            // The middle column may take half of what is free; the number shrinks to that.
            self.ask.number_px =
                shrink(self.ask.number_px, floor, |px| ask_width(px) <= free * 0.52)
                    .ok_or("号码太长")?;
            self.ask.top = self.height.saturating_sub(self.ask.number_px) / 2;
        }
        self.ask.width = ask_width(self.ask.number_px) as u32;
        self.ask.height = self.ask.number_px;
        let room =
            if self.stacked { free } else { free - f64::from(self.ask.width) - f64::from(gap) };
        // In the stacked strip the name stands above the code's label and may reach over it.
        let name_room = match self.qr {
            Some(qr) if self.stacked => f64::from(qr.left.saturating_sub(gap + self.margin)),
            _ => room,
        };
        self.fit_where(widest, name_room, room, floor)?;
        if !self.stacked {
            let used = self.used(widest) as u32;
            let rest = right.saturating_sub(self.margin + used);
            let centred = self.margin + used + rest.saturating_sub(self.ask.width) / 2;
            self.ask.left =
                if self.qr.is_none() { right.saturating_sub(self.ask.width) } else { centred };
        }
        self.where_width = name_room as u32;
        self.address_width = room as u32;
        Ok(())
    }

    fn fit_where(
        &mut self,
        widest: &Widest,
        name_room: f64,
        room: f64,
        floor: f64,
    ) -> Result<(), String> {
        let hint = "请在 branches.csv 里把网点名称缩到 12 字、地址缩到 16 字以内";
        if self.inline {
            let inset = 30.0 * self.unit;
            let both = |name: u32, address: u32, em: f64| {
                widest.name * f64::from(name) + inset + em * f64::from(address) <= room
            };
            // The address first, then the name, then the address on two lines.
            let address =
                shrink(self.address_px, floor, |px| both(self.name_px, px, widest.address));
            if let Some(px) = address {
                self.address_px = px;
                return Ok(());
            }
            self.address_px = floor.ceil() as u32;
            for (broken, em) in [(false, widest.address), (true, widest.broken_address)] {
                let name = shrink(self.name_px, floor, |px| both(px, self.address_px, em));
                if let Some(px) = name {
                    self.name_px = px;
                    self.break_addresses = broken;
                    return Ok(());
                }
            }
            return Err(hint.into());
        }
        self.name_px = shrink(self.name_px, floor, |px| widest.name * f64::from(px) <= name_room)
            .ok_or(hint)?;
        let address = |em: f64| shrink(self.address_px, floor, |px| em * f64::from(px) <= room);
        let whole = address(widest.address);
        self.break_addresses = whole.is_none();
        self.address_px = whole.or_else(|| address(widest.broken_address)).ok_or(hint)?;
        Ok(())
    }

    fn used(&self, widest: &Widest) -> f64 {
        let name = widest.name * f64::from(self.name_px);
        let em = if self.break_addresses { widest.broken_address } else { widest.address };
        let address = em * f64::from(self.address_px);
        if self.inline { name + address } else { name.max(address) }
    }

    /// The strip's height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Where the QR code stands.
    #[must_use]
    pub fn qr(&self) -> Option<QrPlace> {
        self.qr
    }

    /// The strip of one branch. `code` is drawn as vectors where given; posters in pixels draw it
    /// afterwards.
    #[must_use]
    pub fn view(
        &self,
        branch: &Branch,
        setting: StripSetting<'_>,
        fonts: &Fonts,
        code: Option<&QrCode>,
    ) -> StripView {
        let StripSetting { bank_number, qr_label, audience, palette } = setting;
        let side = self.qr.map_or(0, |qr| qr.side);
        let code_left = self.qr.map_or(self.width, |qr| qr.left);
        let label = match audience {
            Audience::Elder => Vec::new(),
            _ if self.qr.is_none() => Vec::new(),
            _ if self.two_line_label => halves(qr_label),
            _ => vec![qr_label.to_owned()],
        };
        StripView {
            unit: self.unit,
            width: self.width,
            height: self.height,
            margin: self.margin,
            fill: palette.strip.clone(),
            text: palette.strip_text.clone(),
            mute: palette.strip_mute.clone(),
            inline: self.inline,
            where_top: self.where_top(&branch.address, fonts),
            where_width: self.where_width,
            where_direction: if self.inline { "row" } else { "column" },
            where_justify: if self.stacked || self.inline { "flex-start" } else { "center" },
            where_align: if self.inline { "center" } else { "flex-start" },
            name: branch.name.clone(),
            name_px: self.name_px,
            address: self.address(&branch.address, fonts),
            address_px: self.address_px,
            ask_left: self.ask.left,
            ask_top: self.ask.top,
            ask_width: self.ask.width,
            ask_height: self.ask.height,
            label: self.ask.label.to_owned(),
            label_px: self.label_px,
            number: branch.hotline.clone().unwrap_or_else(|| bank_number.to_owned()),
            number_px: self.ask.number_px,
            qr_label: label,
            qr_label_right: self.width - code_left.saturating_sub((24.0 * self.unit) as u32),
            qr_left: self.qr.map_or(0, |qr| qr.left),
            qr_top: self.qr.map_or(0, |qr| qr.top),
            qr_side: side,
            qr_modules: code.map_or(0, QrCode::modules),
            qr_path: code.map(QrCode::path).unwrap_or_default(),
        }
    }

    /// In the stacked strip, name and address stand in the middle of what the number leaves free.
    fn where_top(&self, address: &str, fonts: &Fonts) -> u32 {
        if !self.stacked {
            return 0;
        }
        let lines = self.address(address, fonts).len() as f64;
        let text = 1.2 * f64::from(self.name_px) + 1.25 * f64::from(self.address_px) * lines;
        ((f64::from(self.ask.top) - text) * 0.6).max(0.0) as u32
    }

    /// The address on one line, or broken at its separator where the longest of the network does
    /// not fit on one and this one is of that kind.
    fn address(&self, address: &str, fonts: &Fonts) -> Vec<String> {
        let width = fonts.advance_em(address, Weight::Regular) * f64::from(self.address_px);
        let long = self.inline || width > f64::from(self.address_width);
        if self.break_addresses && long { broken(address) } else { vec![address.to_owned()] }
    }
}

impl Widest {
    fn of(library: &Library, bank_number: &str, fonts: &Fonts) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
        let branches = &library.branches;
        let em = |text: &str, weight| fonts.advance_em(text, weight);
        let longest_part = |text: &str| {
            broken(text).iter().map(|part| em(part, Weight::Regular)).fold(0.0, f64::max)
        };
        Self {
            name: widest(&mut branches.iter().map(|b| em(&b.name, Weight::Bold))),
            address: widest(&mut branches.iter().map(|b| em(&b.address, Weight::Regular))),
            broken_address: widest(&mut branches.iter().map(|b| longest_part(&b.address))),
            number: widest(
                &mut branches
                    .iter()
                    .filter_map(|b| b.hotline.as_deref())
                    .chain([bank_number])
                    .map(|number| em(number, Weight::Bold)),
            ),
        }
    }
}

/// The largest whole size from `px` down to `floor` that fits.
fn shrink(px: u32, floor: f64, fits: impl Fn(u32) -> bool) -> Option<u32> {
    let floor = floor.ceil() as u32;
    (floor.min(px)..=px).rev().find(|px| *px >= floor && fits(*px))
}

/// An address broken at its separator, which is dropped.
pub(in crate::render) fn broken(address: &str) -> Vec<String> {
    match address.split_once(['·', '，', '、', ' ', '（']) {
        Some((first, rest)) if !first.is_empty() && !rest.is_empty() => {
            vec![first.to_owned(), rest.trim_end_matches('）').to_owned()]
        }
        _ => vec![address.to_owned()],
    }
}

/// A label of up to five characters on two lines: 扫码看 / 全文.
pub(in crate::render) fn halves(label: &str) -> Vec<String> {
    let letters: Vec<char> = label.chars().collect();
    if letters.len() < 4 {
        return vec![label.to_owned()];
    }
    let (first, second) = letters.split_at(letters.len().div_ceil(2));
    vec![first.iter().collect(), second.iter().collect()]
}

fn qr_place(
    width: u32,
    height: u32,
    margin: u32,
    scaled: &Scaled<'_>,
    modules: usize,
) -> Option<QrPlace> {
    if scaled.sizes.qr == 0.0 {
        return None;
    }
    let most = scaled.px(scaled.sizes.qr);
    let room = height.saturating_sub(scaled.px(12.0));
    let module = most.min(room / modules as u32);
    // Two pixels a module is the least that a camera tells apart on a screen.
    if module < 2 {
        return None;
    }
    let side = module * modules as u32;
    let left = width.checked_sub(margin + side)?;
    Some(QrPlace { left, top: (height - side) / 2, module, side })
}
