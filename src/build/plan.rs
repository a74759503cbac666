//! What a build will make, with the key of everything each file is made from.

use super::{Request, Studio, single::Single};
use crate::{
    config::Config,
    model::{Audience, Bank, Branch, Digest, Lesson, Library, OutputKind, PosterText, Variant},
    render::{Scene, poster::scale::Profile},
};
use std::collections::BTreeMap;

/// Everything to be made.
pub(super) struct Plan<'a> {
    pub singles: Vec<Single<'a>>,
    pub groups: Vec<ScreenGroup<'a>>,
}

impl Plan<'_> {
    /// How many steps a watcher sees: one for each single output and each poster.
    pub fn count(&self) -> usize {
        let posters = |group: &ScreenGroup<'_>| group.lessons.len() * group.branches.len();
        self.singles.len() + self.groups.iter().map(posters).sum::<usize>()
    }
}

/// The posters of one audience at one profile: lessons × branches.
pub(super) struct ScreenGroup<'a> {
    pub profile: Profile,
    pub audience: Audience,
    pub lessons: Vec<ScreenLesson<'a>>,
    pub branches: Vec<(&'a Branch, Digest)>,
}

/// One lesson in a group.
pub(super) struct ScreenLesson<'a> {
    pub scene: Scene<'a>,
    pub text: &'a PosterText,
    /// Key of the design: all but the branch.
    pub key: Digest,
}

pub(super) fn plan<'a>(
    config: &'a Config,
    library: &'a Library,
    request: &'a Request,
    studio: &'a Studio,
) -> Plan<'a> {
    let base = base_key(library, studio);
    let mut scenes = Vec::new();
    for lesson in &library.lessons {
        for (audience, variant) in &lesson.variants {
            if request.wants(&lesson.id, *audience) {
                let key = variant_key(base, lesson, variant);
                let number = request.approval_number.as_deref();
                scenes.push((scene(&config.bank, library, lesson, variant, number), key));
            }
        }
    }
    let wanted = |scene: &Scene<'_>, output| {
        request.wants_output(output) && scene.variant.outputs.contains(&output)
    };
    let groups = if request.wants_output(OutputKind::Screen) {
        groups(library, request, &scenes, &wanted)
    } else {
        Vec::new()
    };
    Plan {
        singles: super::single::singles(library, request, &scenes, &config.bank, base, studio),
        groups,
    }
}

fn scene<'a>(
    bank: &'a Bank,
    library: &'a Library,
    lesson: &'a Lesson,
    variant: &'a Variant,
    approval_number: Option<&'a str>,
) -> Scene<'a> {
    Scene { bank, library, lesson, variant, branch: None, approval_number }
}

fn groups<'a>(
    library: &'a Library,
    request: &Request,
    scenes: &[(Scene<'a>, Digest)],
    wanted: &dyn Fn(&Scene<'_>, OutputKind) -> bool,
) -> Vec<ScreenGroup<'a>> {
    // One name may hang at different distances: those are different groups.
    let mut profiles: BTreeMap<(String, Measures), (Profile, Vec<&Branch>)> = BTreeMap::new();
    for screen in &library.screens {
        let Some(branch) = library.branch(&screen.branch) else { continue };
        if !request.wants_branch(&branch.id) {
            continue;
        }
        let profile = Profile::of(screen);
        let (_, branches) = profiles
            .entry((profile.name.clone(), measures(&profile)))
            .or_insert_with(|| (profile, Vec::new()));
        if !branches.iter().any(|known| known.id == branch.id) {
            branches.push(branch);
        }
    }
    let mut groups = Vec::new();
    for (profile, branches) in profiles.into_values() {
        for audience in Audience::ALL {
            let lessons: Vec<ScreenLesson<'a>> = scenes
                .iter()
                .filter(|(scene, _)| scene.variant.audience == *audience)
                .filter(|(scene, _)| wanted(scene, OutputKind::Screen))
                .filter_map(|(scene, key)| {
                    let text = scene.variant.tiers.screen.as_ref()?;
                    let key = profile_key(*key, &profile);
                    Some(ScreenLesson { scene: *scene, text, key })
                })
                .collect();
            if !lessons.is_empty() {
                groups.push(ScreenGroup {
                    profile: profile.clone(),
                    audience: *audience,
                    lessons,
                    branches: branches.iter().map(|b| (*b, branch_key(b))).collect(),
                });
            }
        }
    }
    groups
}

/// What every output depends on: renderer, templates, colours, faces, bank, registries, shared
/// pictures and, since strips are fitted for the longest of the network, every branch's texts.
fn base_key(library: &Library, studio: &Studio) -> Digest {
    let mut fields: Vec<Vec<u8>> = vec![studio.key.as_bytes().to_vec()];
    let mut field = |text: &str| fields.push(text.as_bytes().to_vec());
    for topic in &library.topics {
        [topic.id.as_str(), &topic.name, &topic.tag, &topic.palette]
            .into_iter()
            .for_each(&mut field);
    }
    for hotline in &library.hotlines {
        [hotline.id.as_str(), &hotline.number, &hotline.name, &hotline.short, &hotline.note]
            .into_iter()
            .for_each(&mut field);
        [hotline.hours.as_str(), hotline.verified_on.to_string().as_str()]
            .into_iter()
            .for_each(&mut field);
    }
    for branch in &library.branches {
        fields.push(branch_key(branch).as_bytes().to_vec());
    }
    for asset in library.assets.by_file.values() {
        fields.push(asset.file.as_bytes().to_vec());
        fields.push(asset.alt.as_bytes().to_vec());
        fields.push(asset.tags.join(",").into_bytes());
        fields.push(asset.digest.as_bytes().to_vec());
    }
    Digest::of_fields(fields.iter().map(Vec::as_slice))
}

fn variant_key(base: Digest, lesson: &Lesson, variant: &Variant) -> Digest {
    let mut fields: Vec<&[u8]> =
        vec![base.as_bytes(), variant.digest.as_bytes(), variant.audience.as_str().as_bytes()];
    for asset in lesson.assets.by_file.values() {
        fields.extend([asset.file.as_bytes(), asset.alt.as_bytes(), asset.digest.as_bytes()]);
    }
    Digest::of_fields(fields)
}

fn profile_key(key: Digest, profile: &Profile) -> Digest {
    let numbers = format!(
        "{} {} {} {} {} {}",
        profile.name,
        profile.width,
        profile.height,
        profile.mm_width,
        profile.distance_m,
        profile.dwell_s
    );
    Digest::of_fields([key.as_bytes().as_slice(), numbers.as_bytes()])
}

/// See [`measures`].
type Measures = [u32; 5];

/// What tells two screens of one profile name apart: pixels, and the bits of the three measures.
fn measures(profile: &Profile) -> Measures {
    let bits = [profile.mm_width, profile.distance_m, profile.dwell_s].map(f32::to_bits);
    [profile.width, profile.height, bits[0], bits[1], bits[2]]
}

/// Everything of a branch that an output shows.
pub(super) fn branch_key(branch: &Branch) -> Digest {
    Digest::of_fields([
        branch.id.as_str().as_bytes(),
        branch.name.as_bytes(),
        branch.address.as_bytes(),
        branch.hotline.as_deref().unwrap_or_default().as_bytes(),
        branch.hours.as_bytes(),
        branch.district.as_bytes(),
        branch.gateway.as_deref().unwrap_or_default().as_bytes(),
    ])
}
