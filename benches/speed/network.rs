//! A bank with as many branches as one likes, over the real lessons.

use crate::{PACKAGE, package_path};
use anyhow::Context as _;
use caishi::{
    config::Config,
    model::{Branch, BranchId, Lesson, LessonId, Library, Screen},
    read,
};

/// Branches of a big bank.
pub const FEW_BRANCHES: usize = 300;
/// Branches of the biggest.
pub const MANY_BRANCHES: usize = 3_000;

/// The lessons of the week.
pub const LESSONS: [&str; 4] =
    ["aml-card", "illegal-fundraising", "personal-info", "telecom-fraud"];

/// The screens of every branch, as rows of `content/screens.csv`: profile, width, height, lit
/// millimetres, metres to the viewer, seconds.
pub const PROFILES: [(&str, u32, u32, f32, f32, f32); 3] = [
    ("portrait-fhd", 1080, 1920, 535.7, 3.0, 15.0),
    ("landscape-fhd", 1920, 1080, 1217.0, 4.0, 15.0),
    ("kiosk-xga", 1024, 768, 305.0, 0.8, 20.0),
];

/// The design that file sizes are measured on.
pub const REFERENCE: &str = PROFILES[0].0;

/// Invented places, and what follows them; none is a place of the real bank's country.
const HILLS: [&str; 12] = [
    "青石", "雾溪", "云梯", "望灯", "橘子", "竹影", "双汀", "回声", "渡口", "半坡", "松涛", "石磴",
];
const PLACES: [&str; 10] = ["坡", "台", "坪", "沟", "湾", "里", "集市", "科创园", "新城", "大学路"];
const KINDS: [&str; 3] = ["支行", "社区支行", "分理处"];
const STREETS: [&str; 6] = ["大道", "街", "路", "正街", "巷", "创新路"];

/// The bank and its network.
pub struct Network {
    /// The configuration of the package.
    pub config: Config,
    /// The real lessons with generated branches and screens.
    pub library: Library,
}

impl Network {
    /// The real content with `branches` generated branches of all screens.
    pub fn new(branches: usize) -> anyhow::Result<Self> {
        Self::with_profiles(branches, PROFILES.len())
    }

    /// The same with the first `profiles` of the screens only.
    pub fn with_profiles(branches: usize, profiles: usize) -> anyhow::Result<Self> {
        let config = Config::load(&package_path("channels.toml"))?;
        let mut library = read::read_library(&config.content).library;
        library.branches = (0..branches).map(branch).collect::<anyhow::Result<_>>()?;
        library.screens = screens(&library.branches, &PROFILES[..profiles]);
        let network = Self { config, library };
        for id in LESSONS {
            network.lesson(id)?;
        }
        Ok(network)
    }

    /// A lesson of the real library.
    pub fn lesson(&self, id: &str) -> anyhow::Result<&Lesson> {
        let found = self.library.lesson(&LessonId::new(id)?);
        found.with_context(|| format!("{PACKAGE}/content has no lesson {id} without a fault"))
    }
}

/// The branch of that number: always the same, and no two with the same name.
fn branch(number: usize) -> anyhow::Result<Branch> {
    // A fixed mixing of the number, so that neighbours differ in length and wording.
    let mixed = number.wrapping_mul(2_654_435_761) >> 7;
    let pick = |words: &[&'static str], salt: usize| words[(mixed / salt) % words.len()];
    let hill = pick(&HILLS, 1);
    let place = pick(&PLACES, 12);
    Ok(Branch {
        id: BranchId::new(&format!("b{number:04}"))?,
        name: format!("{hill}{place}{}{}", ordinal(number), pick(&KINDS, 120)),
        district: format!("{}区", pick(&HILLS, 360)),
        tags: Vec::new(),
        address: format!("{hill}{}{}号", pick(&STREETS, 36), mixed % 977 + 1),
        hotline: None,
        hours: "周一至周五 9:00-17:00".to_owned(),
        gateway: None,
    })
}

/// A number in Han digits: `一〇七`.
fn ordinal(number: usize) -> String {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    number.to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect()
}

fn screens(branches: &[Branch], profiles: &[(&str, u32, u32, f32, f32, f32)]) -> Vec<Screen> {
    let of_branch = |branch: &Branch| {
        let id = branch.id.clone();
        profiles.iter().enumerate().map(move |(number, profile)| {
            let (name, width, height, mm_width, distance_m, dwell_s) = *profile;
            Screen {
                branch: id.clone(),
                screen: format!("s{}", number + 1),
                profile: name.to_owned(),
                width,
                height,
                mm_width,
                distance_m,
                dwell_s,
            }
        })
    };
    branches.iter().flat_map(of_branch).collect()
}
