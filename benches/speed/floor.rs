//! What the push cannot go below: a branch's strip drawn and compressed, its file written and
//! hashed, on one thread, with nothing around it.

use crate::{
    clock,
    network::{LESSONS, Network, PROFILES},
    table::Table,
};
use anyhow::Context as _;
use caishi::{
    build::Studio,
    model::{Audience, Branch, Lesson},
    render::{
        Scene, Stage,
        poster::{
            design::Design,
            png::Head,
            qr::QrCode,
            scale::{Profile, Scale},
        },
    },
};
use std::{fs, hint::black_box, io::Write as _, path::Path};

/// A fitted lesson of the general audience.
pub struct Fitted<'a> {
    pub design: Design,
    scene: Scene<'a>,
}

impl<'a> Fitted<'a> {
    /// Fits a lesson to one of [`PROFILES`].
    pub fn new(
        network: &'a Network,
        stage: &Stage<'_>,
        scale: &Scale,
        lesson: &'a Lesson,
        profile: &str,
    ) -> anyhow::Result<Self> {
        let screen = network.library.screens.iter().find(|screen| screen.profile == profile);
        let profile = Profile::of(screen.context("no screen of that profile")?);
        let variant = lesson.variants.get(&Audience::General).context("no general text")?;
        let text = variant.tiers.screen.as_ref().context("no screen text")?;
        let (bank, library) = (&network.config.bank, &network.library);
        let scene = Scene { bank, library, lesson, variant, branch: None, approval_number: None };
        Ok(Self { design: Design::new(&scene, stage, scale, text, &profile)?, scene })
    }

    /// The code of a branch.
    pub fn code(&self, branch: &'a Branch) -> anyhow::Result<QrCode> {
        Ok(QrCode::new(&Scene { branch: Some(branch), ..self.scene }.qr_address())?)
    }
}

/// How far a pass goes. The clock counts in hundredths of a second, so parts are not timed one by
/// one: each pass does one part more than the one before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Draw,
    Code,
    Compress,
    Write,
}

const PASSES: [(Depth, &str); 4] = [
    (Depth::Draw, "  drawing the strip, once for four lessons"),
    (Depth::Code, "  drawing the code"),
    (Depth::Compress, "  compressing and hashing"),
    (Depth::Write, "  writing the file"),
];

/// Makes the posters of all branches, in passes.
pub fn measure(network: &Network, table: &mut Table) -> anyhow::Result<()> {
    let studio = Studio::load(&network.config)?;
    let stage = studio.stage()?;
    let folder = tempfile::tempdir()?;
    let mut seconds = [0.0; PASSES.len()];
    for (profile, ..) in PROFILES {
        let lessons = LESSONS.iter().map(|id| {
            let lesson = network.lesson(id)?;
            let fitted = Fitted::new(network, &stage, studio.scale(), lesson, profile)?;
            let head = fitted.design.compressed_head(stage.fonts)?;
            Ok((fitted, head))
        });
        let lessons: Vec<(Fitted<'_>, Head)> = lessons.collect::<anyhow::Result<_>>()?;
        for ((depth, _), sum) in PASSES.iter().zip(&mut seconds) {
            let before = clock::process_cpu();
            for branch in &network.library.branches {
                posters(branch, &lessons, &stage, *depth, folder.path())?;
            }
            *sum += clock::process_cpu() - before;
        }
    }
    let posters = (network.library.branches.len() * PROFILES.len() * LESSONS.len()) as f64;
    let ms = |seconds: f64| format!("{:.2} ms", 1e3 * seconds / posters);
    table.section("The floor: the strip alone, one thread");
    table.row("CPU per poster", ms(seconds[PASSES.len() - 1]));
    let mut before = 0.0;
    for ((_, what), seconds) in PASSES.iter().zip(seconds) {
        table.row(what, ms(seconds - before));
        before = seconds;
    }
    Ok(())
}

/// One branch's posters at one profile.
fn posters<'a>(
    branch: &'a Branch,
    lessons: &[(Fitted<'a>, Head)],
    stage: &Stage<'_>,
    depth: Depth,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut strip = black_box(lessons[0].0.design.strip(stage, branch)?);
    for (number, (fitted, head)) in lessons.iter().enumerate() {
        if depth < Depth::Code {
            continue;
        }
        fitted.design.draw_code(&mut strip, &fitted.code(branch)?);
        if depth < Depth::Compress {
            black_box(&strip);
            continue;
        }
        let file = black_box(head.finish(&strip)?);
        if depth == Depth::Write {
            // As the build does it: whole or not at all.
            let path = folder.join(branch.id.as_str()).join(format!("{number}.png"));
            let part = folder.join("part");
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            let mut output = fs::File::create(&part)?;
            file.parts().iter().try_for_each(|bytes| output.write_all(bytes))?;
            fs::rename(part, path)?;
        }
    }
    Ok(())
}
