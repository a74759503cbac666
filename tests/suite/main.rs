//! The one integration test binary: twelve would be linked twelve times.

mod article;
mod brief;
mod build;
mod config;
mod content;
mod demo;
mod html;
mod layers;
mod licences;
mod portal;
mod poster;
mod read;
mod sample;
mod templates;
