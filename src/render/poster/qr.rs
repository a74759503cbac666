//! QR codes drawn in whole pixels.

use super::engine::Pixels;
use crate::render::RenderError;
use fast_qr::{ECL, QRBuilder, Version};
use std::fmt::Write as _;

/// Modules of quiet zone on each side (ISO/IEC 18004 asks for four).
pub const QUIET: usize = 4;

/// A QR code as a square of modules, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrCode {
    size: usize,
    dark: Vec<bool>,
}

impl QrCode {
    /// Encodes an address at error correction level M, in version 4 (33 modules, 62 bytes) where
    /// it fits, so that every code of a network has the same size.
    ///
    /// # Errors
    /// [`RenderError::OverLimit`] for addresses beyond 180 bytes, which no branch screen could
    /// show large enough to scan.
    pub fn new(address: &str) -> Result<Self, RenderError> {
        const LIMIT: usize = 180;
        let too_long = || RenderError::OverLimit {
            field: "二维码网址".into(),
            actual: address.len(),
            limit: LIMIT,
            unit: "字节",
            help: "请把 channels.toml 里的 base_url 改短".into(),
        };
        if address.len() > LIMIT {
            return Err(too_long());
        }
        let builder = |version: Option<Version>| {
            let mut builder = QRBuilder::new(address);
            builder.ecl(ECL::M);
            if let Some(version) = version {
                builder.version(version);
            }
            builder.build()
        };
        let version = (address.len() <= 62).then_some(Version::V04);
        let code = builder(version).map_err(|_| too_long())?;
        let dark = (0..code.size)
            .flat_map(|row| (0..code.size).map(move |column| (row, column)))
            .map(|(row, column)| code[row][column].value())
            .collect();
        Ok(Self { size: code.size, dark })
    }

    /// Modules across, quiet zone included.
    #[must_use]
    pub fn modules(&self) -> usize {
        self.size + 2 * QUIET
    }

    fn is_dark(&self, row: usize, column: usize) -> bool {
        self.dark[row * self.size + column]
    }

    /// The dark modules as an SVG path in module units, quiet zone left free, for print.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for row in 0..self.size {
            let mut column = 0;
            while column < self.size {
                let start = column;
                while column < self.size && self.is_dark(row, column) {
                    column += 1;
                }
                if column > start {
                    let (x, y, width) = (start + QUIET, row + QUIET, column - start);
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{width}v1h-{width}z");
                }
                column += 1;
            }
        }
        path
    }

    /// Draws the code with `module` pixels per module and its quiet zone, white and `ink`.
    pub fn draw(&self, pixels: &mut Pixels, left: u32, top: u32, module: u32, ink: [u8; 3]) {
        let (side, module) = (self.modules(), module as usize);
        let mut line = Vec::with_capacity(side * module * 4);
        for row in 0..side {
            line.clear();
            for column in 0..side {
                let inside =
                    (QUIET..side - QUIET).contains(&row) && (QUIET..side - QUIET).contains(&column);
                let dark = inside && self.is_dark(row - QUIET, column - QUIET);
                let [r, g, b] = if dark { ink } else { [255; 3] };
                line.extend(std::iter::repeat_n([r, g, b, 255], module).flatten());
            }
            for y in 0..module {
                let y = top as usize + row * module + y;
                let start = (y * pixels.width as usize + left as usize) * 4;
                pixels.rgba[start..start + line.len()].copy_from_slice(&line);
            }
        }
    }
}
