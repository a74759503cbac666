//! A build taken apart: every part of every output by itself, in memory, for whoever shows a lesson
//! while it is being written. The bytes are those that [`super::build`] writes.

use super::{Request, Studio, plan, screens, single};
use crate::{
    config::Config,
    model::{
        Artifact, Audience, BranchId, Digest, LayoutReport, Library, Listing, MediaType, OutputKind,
    },
    render::{
        RenderError, Scene, Stage,
        portal::Flavour,
        poster::scale::Profile,
        print::{self, Format},
    },
};

impl Studio {
    /// The names of the campaign palettes, sorted.
    pub fn palette_names(&self) -> impl Iterator<Item = &str> {
        self.palettes.campaigns().map(|(name, _)| name)
    }

    /// What a kind of gateway wants, where there are rules for it.
    #[must_use]
    pub fn flavour(&self, name: &str) -> Option<&Flavour> {
        self.templates.flavour(name)
    }
}

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Text, made in a moment: articles, portal pages, short texts.
    Text,
    /// Pictures and paper, which take longer.
    Picture,
    /// Paper with its bleed, as a picture to look at. Nothing of it goes out.
    Proof,
}

/// A finished file that is not written anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// The listing's line. A proof's path is no output's.
    pub listing: Listing,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What was measured, for outputs with a layout. Boxes are left out, unless they were asked for.
    pub layout: Option<LayoutReport>,
}

/// A part of an output that can be made by itself.
pub struct Piece<'a> {
    /// What it is, for people.
    pub what: String,
    /// Key of everything it is made from: the same key gives the same bytes.
    pub key: Digest,
    /// The output it belongs to.
    pub output: OutputKind,
    /// For whom.
    pub audience: Audience,
    /// The branch it carries.
    pub branch: Option<BranchId>,
    /// Of a poster: the screen.
    pub profile: Option<Profile>,
    /// What it is for.
    pub role: Role,
    /// Whether its footer shows the approval number.
    pub shows_number: bool,
    make: Make<'a>,
}

type Make<'a> = Box<dyn Fn(&Stage<'_>) -> Result<Vec<Made>, RenderError> + Send + Sync + 'a>;

impl Piece<'_> {
    /// Makes its files.
    ///
    /// # Errors
    /// The renderer's; a face that cannot be decoded.
    pub fn make(&self, studio: &Studio) -> Result<Vec<Made>, RenderError> {
        let mut made = self.make_with_boxes(studio)?;
        for layout in made.iter_mut().filter_map(|made| made.layout.as_mut()) {
            layout.boxes = Vec::new();
        }
        Ok(made)
    }

    /// Makes its files and keeps where each line of text stands.
    ///
    /// # Errors
    /// The renderer's; a face that cannot be decoded.
    pub fn make_with_boxes(&self, studio: &Studio) -> Result<Vec<Made>, RenderError> {
        let stage = studio.stage().map_err(|error| RenderError::Engine(error.to_string()))?;
        (self.make)(&stage)
    }
}

/// The pieces that a build of `request` would make, texts first, then posters, then paper and its
/// proofs. Of what every branch has its own of only `branch`'s are listed; without one, only what
/// carries no branch, and each poster as the first branch with such a screen shows it.
#[must_use]
pub fn pieces<'a>(
    config: &'a Config,
    library: &'a Library,
    request: &'a Request,
    studio: &'a Studio,
    branch: Option<&BranchId>,
) -> Vec<Piece<'a>> {
    let plan = plan::plan(config, library, request, studio);
    let mut pieces = Vec::new();
    for single in plan.singles {
        let own = single.scene.and_then(|scene| scene.branch).map(|branch| &branch.id);
        if own.is_none() || own == branch {
            of_single(single, &mut pieces);
        }
    }
    for group in plan.groups {
        let of_branch = |id: &BranchId| group.branches.iter().find(|(own, _)| own.id == *id);
        let shown = match branch {
            Some(id) => of_branch(id),
            None => group.branches.first(),
        };
        let Some((branch, branch_key)) = shown.copied() else { continue };
        for lesson in group.lessons {
            let profile = group.profile.clone();
            pieces.push(Piece {
                what: format!("屏幕海报 {}", profile.name),
                key: screens::poster_key(&lesson, branch_key),
                output: OutputKind::Screen,
                audience: group.audience,
                branch: Some(branch.id.clone()),
                profile: Some(profile.clone()),
                role: Role::Picture,
                shows_number: false,
                make: Box::new(move |stage| {
                    screens::one(&lesson, &profile, branch, studio, stage).map(|made| vec![made])
                }),
            });
        }
    }
    pieces.sort_by_key(order);
    pieces
}

fn order(piece: &Piece<'_>) -> (u8, Role) {
    let slow = match piece.output {
        _ if piece.role == Role::Text => 0,
        OutputKind::Screen => 1,
        OutputKind::Article => 2,
        OutputKind::Newspic => 3,
        _ => 4,
    };
    (slow, if piece.role == Role::Proof { Role::Text } else { piece.role })
}

fn of_single<'a>(single: single::Single<'a>, pieces: &mut Vec<Piece<'a>>) {
    let Some(scene) = single.scene else { return };
    let piece = |key: &[u8], role, make: Make<'a>| Piece {
        what: single.what.clone(),
        key: Digest::of_fields([single.key.as_bytes().as_slice(), key]),
        output: single.output,
        audience: scene.variant.audience,
        branch: scene.branch.map(|branch| branch.id.clone()),
        profile: None,
        role,
        shows_number: single::SHOW_NUMBER.contains(&single.output),
        make,
    };
    for (index, part) in single.parts.into_iter().enumerate() {
        let role = if index == 0 && is_text(single.output) { Role::Text } else { Role::Picture };
        let make: Make<'a> =
            Box::new(move |stage| Ok(part(stage)?.into_iter().map(made).collect()));
        pieces.push(piece(&index.to_le_bytes(), role, make));
    }
    // A branch's paper differs from the bank's in its strip only.
    if is_paper(single.output) && scene.branch.is_none() {
        let output = single.output;
        pieces.push(piece(
            b"proof",
            Role::Proof,
            Box::new(move |stage| proof(scene, output, stage)),
        ));
    }
}

fn is_text(output: OutputKind) -> bool {
    use OutputKind::{Article, Banner, Portal, Post, Sms, StaffCard, Ticker};
    matches!(output, Article | Portal | Post | Ticker | Banner | Sms | StaffCard)
}

fn is_paper(output: OutputKind) -> bool {
    use OutputKind::{Booth, Leaflet, Morning, Print};
    matches!(output, Print | Leaflet | Morning | Booth)
}

fn made(artifact: Artifact) -> Made {
    let listing = single::listing(&artifact);
    Made { listing, bytes: artifact.bytes, layout: artifact.layout }
}

fn proof(
    scene: Scene<'_>,
    output: OutputKind,
    stage: &Stage<'_>,
) -> Result<Vec<Made>, RenderError> {
    let pages = print::proof(&scene, stage, output)?;
    let format = if output == OutputKind::Leaflet { Format::A4Landscape } else { Format::A4 };
    let file = |(index, bytes): (usize, Vec<u8>)| Made {
        listing: Listing {
            path: format!("proof/{output}-{}.png", index + 1),
            lesson: Some(scene.lesson.id.clone()),
            output,
            audience: scene.variant.audience,
            profile: Some(format.name().to_owned()),
            branch: None,
            media_type: MediaType::Png,
            bytes: bytes.len() as u64,
            sha256: Digest::of(&bytes),
        },
        bytes,
        layout: None,
    };
    Ok(pages.into_iter().enumerate().map(file).collect())
}
