//! The one integration test binary: twelve would be linked twelve times.

mod read;
