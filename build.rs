//! Puts the manifest and the version into `movebook.exe`; does nothing where the target is another system.

use std::env::VarError;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS") {
        Ok(system) if system == "windows" => {}
        Ok(_) | Err(VarError::NotPresent) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    println!("cargo:rerun-if-changed=src/sys/resource/movebook.manifest");
    let part = |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}"));
    let numbers = format!("VERSION_NUMBERS={},{},{},0", part("MAJOR")?, part("MINOR")?, part("PATCH")?);
    let text = format!("VERSION=\"{}\"", std::env::var("CARGO_PKG_VERSION")?);
    // A program without its manifest breaks at paths of 260 characters, so one that cannot have it is not built.
    embed_resource::compile("src/sys/resource/movebook.rc", [numbers, text]).manifest_required()?;
    Ok(())
}
