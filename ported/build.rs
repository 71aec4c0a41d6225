//! Lists the networks whose folders lie here.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    // A folder changes when something is put into it or taken away.
    println!("cargo::rerun-if-changed={}", here.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&here)? {
        let path = entry?.path();
        if path.join("mod.rs").is_file()
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("list.rs"), list(&here, &names))
}

/// A module for each network, and the list of all.
fn list(here: &Path, names: &[String]) -> String {
    let mut code = String::new();
    for name in names {
        let file = here.join(name).join("mod.rs");
        code.push_str(&format!("#[path = {file:?}]\nmod r#{name};\n"));
    }
    let archs: Vec<String> = names.iter().map(|name| format!("&r#{name}::ARCH")).collect();
    code.push_str("/// Every ported network, by name.\n");
    code.push_str(&format!("pub static ARCHS: &[&Arch] = &[{}];\n", archs.join(", ")));
    code
}
