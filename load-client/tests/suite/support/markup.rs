//! Parses HTML as strictly as XML: it is an error if an element is not closed, a value not quoted or a text not escaped.

use std::collections::BTreeMap;

/// An element of a page.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    children: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// The value of an attribute; empty if the element does not have it.
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }

    /// Whether the element has this class.
    pub(crate) fn is(&self, class: &str) -> bool {
        self.get("class").split(' ').any(|one| one == class)
    }

    /// All elements inside this one, in the order of the page.
    pub(crate) fn all(&self) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if let Node::Element(element) = child {
                found.push(element);
                found.extend(element.all());
            }
        }
        found
    }

    /// All elements with this name inside this one.
    pub(crate) fn named(&self, name: &str) -> Vec<&Element> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    /// The text inside the element, as a reader sees it.
    pub(crate) fn text(&self) -> String {
        let texts = self.children.iter().map(|child| match child {
            Node::Element(element) => element.text(),
            Node::Text(text) => text.clone(),
        });
        texts.collect()
    }
}

/// Parses a page. Returns its root element, or what is wrong with the page.
pub(crate) fn parse(page: &str) -> Result<Element, String> {
    let mut rest = page.trim().strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut open = vec![Element::default()];
    while let Some(start) = rest.find('<') {
        let text = unescaped(&rest[..start])?;
        let end = rest[start..].find('>').ok_or("a tag without an end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let parent = open.last_mut().ok_or("more is closed than was opened")?;
        if !text.is_empty() {
            parent.children.push(Node::Text(text));
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop().ok_or("more is closed than was opened")?;
            if closed.name != name {
                return Err(format!("<{}> is closed by </{name}>", closed.name));
            }
            let parent = open.last_mut().ok_or("more is closed than was opened")?;
            parent.children.push(Node::Element(closed));
        } else if let Some(tag) = tag.strip_suffix('/') {
            let element = element(tag)?;
            parent.children.push(Node::Element(element));
        } else {
            open.push(element(tag)?);
        }
    }
    match (open.len(), open.pop().and_then(|mut root| root.children.pop())) {
        (1, Some(Node::Element(root))) => Ok(root),
        _ => Err("not everything is closed".to_owned()),
    }
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_at(tag.find(' ').unwrap_or(tag.len()));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("<{tag}> has no name"));
    }
    let mut attributes = BTreeMap::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").ok_or(format!("<{tag}>: {rest:?}"))?;
        let (value, after) = value.split_once('"').ok_or(format!("<{tag}>: {rest:?}"))?;
        let name = name.strip_prefix(' ').ok_or(format!("<{tag}>: {rest:?}"))?;
        if attributes.insert(name.to_owned(), unescaped(value)?).is_some() {
            return Err(format!("<{tag}> has two of {name}"));
        }
        rest = after;
    }
    Ok(Element {
        name: name.to_owned(),
        attributes,
        children: Vec::new(),
    })
}

fn unescaped(text: &str) -> Result<String, String> {
    if let Some(wrong) = text
        .find(['<', '>', '"'])
        .filter(|_| !text.trim_start().starts_with(":root"))
    {
        return Err(format!("{:?} is not escaped", &text[wrong..]));
    }
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';').ok_or(format!("&{part:.20}"))?;
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => return Err(format!("&{other};")),
        });
        plain.push_str(after);
    }
    Ok(plain)
}
