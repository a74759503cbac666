//! What runs at a branch: pulls its pack, verifies it, switches at the set second, plays it on the
//! screens and tells the head office what stood there.
