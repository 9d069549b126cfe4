//! Gives `movebook.exe` its manifest, its version, and a stack as large as Linux gives; does nothing where the target is
//! another system.

use std::env::VarError;
use std::path::Path;

const TEMPLATE: &str = "src/sys/resource/movebook.rc";
const MANIFEST: &str = "src/sys/resource/movebook.manifest";
/// What a template of a stranger is nested to fits into it with room to spare; Windows' own 1 MiB is too little for that.
const STACK: u32 = 8 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    match std::env::var("CARGO_CFG_TARGET_OS") {
        Ok(system) if system == "windows" => {}
        Ok(_) | Err(VarError::NotPresent) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    println!("cargo:rerun-if-changed={TEMPLATE}");
    println!("cargo:rerun-if-changed={MANIFEST}");
    match std::env::var("CARGO_CFG_TARGET_ENV")?.as_str() {
        "msvc" => println!("cargo:rustc-link-arg-bins=/STACK:{STACK}"),
        _ => println!("cargo:rustc-link-arg-bins=-Wl,--stack,{STACK}"),
    }
    let part = |name: &str| std::env::var(format!("CARGO_PKG_VERSION_{name}"));
    let numbers = format!("{},{},{},0", part("MAJOR")?, part("MINOR")?, part("PATCH")?);
    let manifest = std::path::absolute(MANIFEST)?.display().to_string().replace('\\', "/");
    // Not by macros: resource compilers disagree on how quotes reach them.
    let text = std::fs::read_to_string(TEMPLATE)?
        .replace("@MANIFEST@", &manifest)
        .replace("@NUMBERS@", &numbers)
        .replace("@VERSION@", &std::env::var("CARGO_PKG_VERSION")?);
    let resource = Path::new(&std::env::var("OUT_DIR")?).join("movebook.rc");
    std::fs::write(&resource, text)?;
    // A program without its manifest breaks at paths of 260 characters, so one that cannot have it is not built.
    embed_resource::compile(&resource, embed_resource::NONE).manifest_required()?;
    Ok(())
}
