use caishi::render::{Fonts, fonts::FontFiles, poster::engine::*};
fn main() {
    let t = std::time::Instant::now();
    let fonts = Fonts::load(&FontFiles::new(vec![])).unwrap();
    println!("fonts {:?}", t.elapsed());
    let html = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let sheet = Sheet {
        html,
        width: std::env::args().nth(2).unwrap().parse().unwrap(),
        height: std::env::args().nth(3).unwrap().parse().unwrap(),
    };
    for _ in 0..3 {
        let t = std::time::Instant::now();
        let m = measure(&sheet, &fonts).unwrap();
        println!("measure {:?}", t.elapsed());
        let t = std::time::Instant::now();
        let p = raster(&sheet, &fonts).unwrap();
        println!("raster {:?}", t.elapsed());
        let mut out = Vec::new();
        let t = std::time::Instant::now();
        let mut e = png::Encoder::new(&mut out, p.width, p.height);
        e.set_color(png::ColorType::Rgba);
        e.set_compression(png::Compression::Balanced);
        e.write_header().unwrap().write_image_data(&p.rgba).unwrap();
        println!("png {:?} {}", t.elapsed(), out.len());
        std::fs::write("/tmp/probe.png", &out).unwrap();
        if std::env::args().nth(4).is_some() {
            println!("{m:#?}");
        }
    }
    std::fs::write("/tmp/probe.pdf", pdf(&sheet, "x", &fonts).unwrap()).unwrap();
}
