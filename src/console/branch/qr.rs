//! A QR code as the path of an SVG.

use fast_qr::{ECL, QRBuilder};
use std::fmt::Write as _;

/// The dark modules of a code.
pub(super) struct Qr {
    /// Modules across, the quiet zone included.
    pub(super) size: usize,
    /// What to fill.
    pub(super) path: String,
}

/// The quiet zone (ISO/IEC 18004, 5.3.8).
const QUIET: usize = 4;

impl Qr {
    /// The code of an address; `None` where it is too long for one.
    pub(super) fn of(address: &str) -> Option<Self> {
        let code = QRBuilder::new(address).ecl(ECL::M).build().ok()?;
        let mut path = String::new();
        for y in 0..code.size {
            for x in 0..code.size {
                if code[y][x].value() {
                    let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
                }
            }
        }
        Some(Self { size: code.size + 2 * QUIET, path })
    }
}
