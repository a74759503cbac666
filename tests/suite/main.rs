//! The one integration test binary: twelve would be linked twelve times.

mod article;
mod brief;
mod html;
mod layers;
mod licences;
mod portal;
mod read;
mod sample;
