//! Branches and their screens.

use super::BranchId;

/// One branch of the bank, a row of `branches.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its identifier; part of QR addresses and file names.
    pub id: BranchId,
    /// Its name as shown.
    pub name: String,
    /// Its district.
    pub district: String,
    /// Tags such as `campus`.
    pub tags: Vec<String>,
    /// Its address as shown.
    pub address: String,
    /// Its own number, where it differs from the bank's.
    pub hotline: Option<String>,
    /// Opening hours.
    pub hours: String,
    /// The kind of gateway that shows guests the portal page, a folder of `templates/portal`;
    /// `None` where any web server will do.
    pub gateway: Option<String>,
}

/// A screen, a row of `screens.csv`; also the profile a poster is cut to.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// The branch it hangs in.
    pub branch: BranchId,
    /// Its name within the branch.
    pub screen: String,
    /// The profile's name; screens of one profile share their posters.
    pub profile: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Width of the lit area in millimetres.
    pub mm_width: f32,
    /// Viewing distance in metres.
    pub distance_m: f32,
    /// Seconds a poster stays in the slot.
    pub dwell_s: f32,
}
