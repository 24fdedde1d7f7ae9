//! Finds the paths that a Rust file names. Groups (`{a, b}`) are written out as one path each.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path that a module names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// The inline modules (`mod tests { … }`) around the path, outermost first.
    pub(crate) inside: Vec<String>,
    /// The segments of the path; the first one is `crate`, `self`, `super` or a name.
    pub(crate) segments: Vec<String>,
    /// Whether the path is re-exported, that is, part of a `pub use`.
    pub(crate) reexported: bool,
}

/// All paths with at least two segments in a file.
pub(crate) fn paths(file: TokenStream) -> Vec<Path> {
    let mut found = Vec::new();
    walk(file, &mut Vec::new(), &mut found);
    found
}

fn walk(tokens: TokenStream, inside: &mut Vec<String>, found: &mut Vec<Path>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut at, mut public, mut reexported) = (0, false, false);
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if *word == "pub" => {
                public = true;
                at += 1;
                // `super` in `pub(super)` is part of a visibility and not a path.
                if let Some(TokenTree::Group(group)) = tokens.get(at)
                    && group.delimiter() == Delimiter::Parenthesis
                {
                    at += 1;
                }
                continue;
            }
            TokenTree::Ident(word) if *word == "mod" => {
                if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    inside.push(name.to_string());
                    walk(body.stream(), inside, found);
                    inside.pop();
                    at += 3;
                } else {
                    at += 1;
                }
            }
            TokenTree::Ident(word) if *word == "use" => {
                reexported = public;
                at += 1;
            }
            TokenTree::Ident(_) => {
                let mut segments = Vec::new();
                at = path(&tokens, at, &mut segments, inside, reexported, found);
            }
            TokenTree::Group(group) => {
                walk(group.stream(), inside, found);
                at += 1;
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => {
                reexported = false;
                at += 1;
            }
            // The name after it is a lifetime or a macro's variable (such as `$crate`), and not the start of a path.
            TokenTree::Punct(sign) if matches!(sign.as_char(), '$' | '\'') => at = after_path(&tokens, at + 1),
            // A path that begins with `::` leads out of the crate.
            TokenTree::Punct(_) if is_path_separator(&tokens, at) => at = after_path(&tokens, at + 2),
            _ => at += 1,
        }
        public = false;
    }
}

/// Reads the path that begins at `at`, and adds it to `found` with `prefix` in front. Returns the index after it.
fn path(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &mut Vec<String>,
    inside: &[String],
    reexported: bool,
    found: &mut Vec<Path>,
) -> usize {
    let outer = prefix.len();
    while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
        prefix.push(segment.to_string());
        at += 1;
        if !is_path_separator(tokens, at) {
            break;
        }
        at += 2;
        if let Some(TokenTree::Group(group)) = tokens.get(at)
            && group.delimiter() == Delimiter::Brace
        {
            let members: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut member = 0;
            while member < members.len() {
                if matches!(members[member], TokenTree::Ident(_)) {
                    member = path(&members, member, prefix, inside, reexported, found);
                }
                // Skip `as name` and the comma.
                while member < members.len() && !is_sign(&members[member], ',') {
                    member += 1;
                }
                member += 1;
            }
            prefix.truncate(outer);
            return at + 1;
        }
    }
    if prefix.len() > 1 {
        found.push(Path {
            inside: inside.to_vec(),
            segments: prefix.clone(),
            reexported,
        });
    }
    prefix.truncate(outer);
    at
}

/// The index after the path that begins at `at`.
fn after_path(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(TokenTree::Ident(_)) = tokens.get(at) {
        at += 1;
        if is_path_separator(tokens, at) {
            at += 2;
        }
    }
    at
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == sign)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at| tokens.get(at).is_some_and(|token| is_sign(token, ':'));
    colon(at) && colon(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let paths = paths(text.parse().unwrap()).into_iter();
        let text = |path: Path| {
            let inside = path.inside.iter().map(|name| format!("[{name}] "));
            let public = if path.reexported { "pub " } else { "" };
            format!("{}{public}{}", inside.collect::<String>(), path.segments.join("::"))
        };
        paths.map(text).collect()
    }

    #[test]
    fn groups_are_written_out() {
        assert_eq!(
            found("use crate::{a::{b, c as d}, e, f::*}; pub use self::g::H;"),
            ["crate::a::b", "crate::a::c", "crate::e", "crate::f", "pub self::g::H"]
        );
    }

    #[test]
    fn paths_in_bodies_types_and_macros_count_and_comments_and_strings_do_not() {
        let text = r#"
            // crate::comment::a
            fn f(x: super::b::C) -> Vec<crate::d::E> {
                let s = "crate::string::a";
                println!("{}", super::super::g::h());
                crate::i::j::<crate::k::L>();
            }
            pub(in crate::x) fn m<'a>() {}
            macro_rules! n { () => { $crate::o::p } }
        "#;
        assert_eq!(
            found(text),
            [
                "super::b::C",
                "crate::d::E",
                "super::super::g::h",
                "crate::i::j",
                "crate::k::L"
            ]
        );
    }

    #[test]
    fn a_module_inside_a_file_is_one_deeper() {
        assert_eq!(found("mod tests { use super::super::a; }"), ["[tests] super::super::a"]);
    }
}
