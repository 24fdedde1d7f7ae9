//! The modules of a crate (one for each file), and which of them use each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use proc_macro2::TokenStream;

use crate::paths::{self, paths};

/// The path of a module in its crate, as a list of names. The path of the root module is empty.
type Module = Vec<String>;

/// The name that [`Crate::circles`] gives to a module's own file, as opposed to its submodules.
pub const ITSELF: &str = "the module itself";

/// The modules of a library.
#[derive(Debug)]
pub struct Crate {
    /// The modules, each with the paths that it names.
    modules: BTreeMap<Module, Vec<paths::Path>>,
    /// The top-level modules, in the order in which `lib.rs` declares them.
    order: Vec<String>,
    /// The names that a `pub use` makes: from the module and the name to the path that they stand for.
    reexports: BTreeMap<(Module, String), Vec<String>>,
    uses: BTreeSet<Use>,
}

/// A use of one module by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The module that names an item of the other.
    pub from: Module,
    /// The module that is named or that declares the named item.
    pub to: Module,
    /// Whether the use is inside an inline module of the file, such as `mod tests { … }`.
    pub in_tests: bool,
}

impl Crate {
    /// Reads the source files of a library from the folder `src`.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or is not Rust.
    pub fn read(src: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for file in sources(src)? {
            let module = module_of(file.strip_prefix(src).unwrap_or(&file));
            files.insert(module, fs::read_to_string(&file)?);
        }
        Self::of(files)
    }

    /// Makes a crate from the texts of its modules, without files.
    ///
    /// # Errors
    ///
    /// If a text is not Rust.
    pub fn of(files: BTreeMap<Module, String>) -> io::Result<Self> {
        let root = files.get(&Module::new()).cloned().unwrap_or_default();
        let declared = root.lines().filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        });
        let order = declared.map(str::to_owned).collect();
        let mut modules = BTreeMap::new();
        for (module, text) in files {
            let tokens: TokenStream = text
                .parse()
                .map_err(|error| io::Error::other(format!("{}: {error}", module.join("::"))))?;
            modules.insert(module, paths(tokens));
        }
        let mut read = Self {
            modules,
            order,
            reexports: BTreeMap::new(),
            uses: BTreeSet::new(),
        };
        read.reexports = read.find_reexports();
        read.uses = read.find_uses();
        Ok(read)
    }

    /// The top-level modules, in the order in which `lib.rs` declares them.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// The names of the direct submodules of a module.
    pub fn parts(&self, of: &[String]) -> Vec<&str> {
        let parts = self.modules.keys().filter(|module| module.len() == of.len() + 1);
        let parts = parts.filter(|module| module.starts_with(of));
        parts.filter_map(|module| module.last().map(String::as_str)).collect()
    }

    /// The paths of all modules, also of the root module (an empty path).
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.modules.keys()
    }

    /// All uses of one module by another, without repetitions.
    pub fn uses(&self) -> &BTreeSet<Use> {
        &self.uses
    }

    fn find_uses(&self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        for (from, paths) in &self.modules {
            for path in paths {
                if let Some(to) = self.absolute(from, path).and_then(|path| self.owner(path))
                    && to != *from
                {
                    uses.insert(Use {
                        from: from.clone(),
                        to,
                        in_tests: !path.inside.is_empty(),
                    });
                }
            }
        }
        uses
    }

    /// The circles among a module and its parts, the direct submodules. A circle is a list of parts in which each uses the next
    /// one, and the last the first. Modules inside a part count as the part. The module's own file is [`ITSELF`] in such a list:
    /// it is in a circle with a part that uses an item of the file and that the file uses. A part's tests may use the file.
    pub fn circles(&self, of: &[String]) -> Vec<Vec<String>> {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let within = |module: &Module| {
            let inside = module.starts_with(of);
            inside.then(|| module.get(of.len()).map_or(ITSELF, String::as_str).to_owned())
        };
        for Use { from, to, in_tests } in &self.uses {
            if let (Some(from), Some(to)) = (within(from), within(to))
                && from != to
                && !(*in_tests && to == ITSELF)
            {
                edges.entry(from).or_default().insert(to);
            }
        }
        let mut circles = Vec::new();
        let mut done = BTreeSet::new();
        for start in edges.keys() {
            find_circles(start, &edges, &mut Vec::new(), &mut done, &mut circles);
        }
        circles
    }

    /// The path from the crate's root on; `None` if it begins in another crate or at a name of the file itself.
    fn absolute(&self, from: &Module, path: &paths::Path) -> Option<Vec<String>> {
        let mut base = from.clone();
        let mut depth = path.inside.len();
        let first = path.segments.first()?;
        let mut rest = &path.segments[..];
        match first.as_str() {
            "crate" => {
                base.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    rest = &rest[1..];
                    if depth > 0 {
                        depth -= 1;
                    } else {
                        base.pop();
                    }
                }
            }
            name => {
                let child = [from.as_slice(), &[name.to_owned()]].concat();
                if !self.modules.contains_key(&child) {
                    return None;
                }
            }
        }
        Some([base.as_slice(), rest].concat())
    }

    /// The module that declares the item at an absolute path, also through re-exports; `None` if there is none.
    fn owner(&self, mut path: Vec<String>) -> Option<Module> {
        // At most 8 re-exports of one item after each other (arbitrary). Without a bound, a circle of them would never end.
        for _ in 0..8 {
            let mut length = path.len();
            while !self.modules.contains_key(&path[..length]) {
                length = length.checked_sub(1)?;
            }
            let module = path[..length].to_vec();
            let behind = path
                .get(length)
                .and_then(|name| self.reexports.get(&(module.clone(), name.clone())));
            match behind {
                Some(behind) => path = [behind.as_slice(), &path[length + 1..]].concat(),
                None => return Some(module),
            }
        }
        None
    }

    fn find_reexports(&self) -> BTreeMap<(Module, String), Vec<String>> {
        let mut reexports = BTreeMap::new();
        for (module, paths) in &self.modules {
            for path in paths.iter().filter(|path| path.reexported && path.inside.is_empty()) {
                if let (Some(target), Some(name)) = (self.absolute(module, path), path.segments.last()) {
                    reexports.insert((module.clone(), name.clone()), target);
                }
            }
        }
        reexports
    }
}

fn find_circles(
    at: &str,
    edges: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
    circles: &mut Vec<Vec<String>>,
) {
    if let Some(start) = way.iter().position(|earlier| earlier == at) {
        circles.push(way[start..].to_vec());
        return;
    }
    if done.contains(at) {
        return;
    }
    way.push(at.to_owned());
    for next in edges.get(at).into_iter().flatten() {
        find_circles(next, edges, way, done, circles);
    }
    way.pop();
    done.insert(at.to_owned());
}

/// The path of the module in a file below `src`.
fn module_of(file: &Path) -> Module {
    let mut names: Module = file
        .with_extension("")
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// The Rust files in a folder and its subfolders, sorted.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
