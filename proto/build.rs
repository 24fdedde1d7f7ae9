//! Compiles `foo/v1/foo.proto` with protox, so that no system `protoc` is needed, and keeps the descriptors for reflection.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_file("foo/v1/foo.proto")?;
    let descriptors = PathBuf::from(env::var("OUT_DIR")?).join("foo.v1.bin");
    fs::write(descriptors, compiler.encode_file_descriptor_set())?;

    // The load client and the tests bring connections of their own, so the clients need no transport.
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(compiler.file_descriptor_set())?;
    println!("cargo::rerun-if-changed=foo");
    Ok(())
}
