//! The invariants of `lib.rs`, read from the sources.

use std::{fs, path::Path};

/// Every source file under `src/`, with its path relative to it and its code without comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources: Vec<(String, String)> = walkdir::WalkDir::new(&root)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"))
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(entry.path()).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            (path, code.collect::<Vec<_>>().join("\n"))
        })
        .collect();
    sources.sort();
    assert!(sources.len() > 40, "the walk finds the sources");
    sources
}

fn room(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

/// Files of `rooms` whose code has `needle`.
fn holding(rooms: &[&str], needle: &str) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|(path, code)| rooms.contains(&room(path)) && code.contains(needle))
        .map(|(path, _)| path)
        .collect()
}

const ALL: &[&str] = &[
    "branch", "build", "check", "cli", "config", "console", "deliver", "lib", "main", "model",
    "packs", "preview", "read", "rehearse", "render", "review", "sandbox", "schedule", "store",
    "web", "work",
];

/// The rooms that may reach the network, the database and the clock.
const OUTER: &[&str] = &[
    "branch", "cli", "console", "deliver", "main", "packs", "preview", "rehearse", "sandbox",
    "store", "web", "work",
];

fn except(rooms: &[&str]) -> Vec<&'static str> {
    ALL.iter().copied().filter(|room| !rooms.contains(room)).collect()
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (path, _) in sources() {
        assert!(ALL.contains(&room(&path)), "{path} belongs to no known room");
        if !["lib", "main"].contains(&room(&path)) {
            assert!(map.contains(&format!("[`{}`]", room(&path))), "lib.rs does not name {path}");
        }
    }
}

/// The names that stand directly in a group of imports: what is inside deeper groups belongs to
/// them, and may be called like a room.
fn top_names(group: &str) -> Vec<String> {
    let (mut names, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            c if depth == 0 && !c.is_whitespace() => names.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    names
}

#[test]
fn rooms_use_only_what_lies_before_them() {
    let allowed: &[(&str, &[&str])] = &[
        ("model", &[]),
        ("config", &["model"]),
        ("read", &["model"]),
        ("render", &["model"]),
        ("check", &["model"]),
        ("build", &["model", "config", "render"]),
        ("review", &["model", "config"]),
        ("schedule", &["model"]),
        ("store", &["model", "config", "review"]),
        ("packs", &["model"]),
        ("branch", &["model", "packs"]),
        ("deliver", &["model", "config", "packs"]),
        ("sandbox", &["model"]),
        (
            "work",
            &[
                "model", "config", "read", "render", "check", "build", "review", "schedule",
                "store", "deliver", "packs",
            ],
        ),
        (
            "preview",
            &["model", "config", "read", "render", "check", "build", "review", "store", "work"],
        ),
        ("web", &["model", "config", "deliver", "packs", "store", "work"]),
        (
            "console",
            &[
                "model", "config", "check", "review", "schedule", "store", "deliver", "packs",
                "work", "web",
            ],
        ),
        (
            "rehearse",
            &["model", "config", "build", "review", "store", "deliver", "sandbox", "web", "work"],
        ),
    ];
    let rooms = ALL.iter().filter(|room| !["lib", "main"].contains(*room));
    for (room, may_use) in allowed {
        for other in rooms.clone().copied() {
            if other == *room || may_use.contains(&other) {
                continue;
            }
            for path in [format!("crate::{other}"), format!("crate::{{{other}")] {
                assert_eq!(holding(&[room], &path), Vec::<String>::new(), "{room} uses {other}");
            }
            // Grouped imports: `use crate::{\n    config::…`.
            for (file, code) in sources().iter().filter(|(file, _)| self::room(file) == *room) {
                let groups = code.split("use crate::{").skip(1);
                for group in groups.map(|rest| rest.split(';').next().unwrap_or("")) {
                    let found = top_names(group)
                        .into_iter()
                        .filter(|name| name == other || name.starts_with(&format!("{other}::")));
                    assert_eq!(found.count(), 0, "{file} uses {other}");
                }
            }
        }
    }
}

#[test]
fn only_the_outer_rooms_touch_files_clock_output_and_environment() {
    for needle in ["std::fs", "fs::read", "fs::write", "File::open", "File::create"] {
        assert_eq!(holding(&["model", "render"], needle), Vec::<String>::new(), "{needle}");
    }
    for needle in ["SystemTime::now", "Instant::now", "Zoned::now", "Timestamp::now"] {
        let with_a_clock = ["branch", "cli", "console", "main", "sandbox", "store", "web"];
        assert_eq!(holding(&except(&with_a_clock), needle), Vec::<String>::new(), "{needle}");
    }
    for needle in ["println!", "eprintln!", "print!(", "eprint!("] {
        assert_eq!(holding(&except(&["cli", "main"]), needle), Vec::<String>::new(), "{needle}");
    }
    assert_eq!(holding(&except(&["main"]), "process::exit"), Vec::<String>::new());
    for needle in ["env::var", "env::vars", "env::current_dir"] {
        assert_eq!(holding(&except(&["config"]), needle), Vec::<String>::new(), "{needle}");
    }
    for needle in ["TcpStream", "UdpSocket", "TcpListener", "reqwest", "sqlx", "opendal", "tokio"] {
        assert_eq!(holding(&except(OUTER), needle), Vec::<String>::new(), "{needle}");
    }
}

#[test]
fn the_model_is_not_a_wire_format() {
    assert_eq!(holding(&["model"], "serde"), Vec::<String>::new());
}

#[test]
fn the_layout_engine_stays_behind_its_door() {
    let doors = ["render/poster/engine.rs", "render/fonts.rs"];
    let outside: Vec<String> =
        holding(ALL, "takumi").into_iter().filter(|path| !doors.contains(&path.as_str())).collect();
    assert_eq!(outside, Vec::<String>::new());
}

#[test]
fn files_stay_readable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, _) in sources() {
        let lines = fs::read_to_string(root.join(&path)).unwrap().lines().count();
        assert!(lines <= 400, "{path} has {lines} lines; split it");
    }
}
