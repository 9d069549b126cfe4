//! What the demonstration needs: a small but real archive, and a live server that works on it.
//!
//! Both are only ever made in a folder of their own: [`archive::make`] refuses one that holds anything, and the server
//! refuses an archive that [`archive::make`] did not make, so nothing here can write into a customer's data.

pub mod archive;
pub mod database;
mod noise;
pub mod server;
