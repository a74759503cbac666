pub mod model;
pub mod render;
