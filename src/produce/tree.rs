//! The shape of a made-up record: fields in their order, those with dotted names inside objects.

use crate::codec::json::quote;

/// A member of an object.
#[derive(Debug)]
pub(super) struct Member {
    name: String,
    /// `"name":`
    literal: Vec<u8>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// The field with this number.
    Field(usize),
    Object(Vec<Member>),
}

/// The members that fields of these names make up.
pub(super) fn tree<'n>(names: impl Iterator<Item = &'n str>) -> Vec<Member> {
    let mut members = vec![];
    for (number, name) in names.enumerate() {
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut object = &mut members;
        for part in parts {
            object = inside(object, part);
        }
        let at = find_or_add(object, last);
        object[at].content = Content::Field(number);
    }
    members
}

fn inside<'m>(members: &'m mut Vec<Member>, name: &str) -> &'m mut Vec<Member> {
    let at = find_or_add(members, name);
    let content = &mut members[at].content;
    if let Content::Field(_) = content {
        *content = Content::Object(vec![]);
    }
    match content {
        Content::Object(members) => members,
        Content::Field(_) => unreachable!("it was just made an object"),
    }
}

fn find_or_add(members: &mut Vec<Member>, name: &str) -> usize {
    members.iter().position(|member| member.name == name).unwrap_or_else(|| {
        let mut literal = vec![];
        quote(&mut literal, name.as_bytes());
        literal.push(b':');
        members.push(Member { name: name.to_owned(), literal, content: Content::Object(vec![]) });
        members.len() - 1
    })
}

/// Writes an object; `field` writes the value of a field and answers whether there was one. A field that is absent is
/// left out, and so is an object without members. Answers whether there were any.
pub(super) fn write<E>(
    members: &[Member],
    out: &mut Vec<u8>,
    field: &mut impl FnMut(usize, &mut Vec<u8>) -> Result<bool, E>,
) -> Result<bool, E> {
    out.push(b'{');
    let mut any = false;
    for member in members {
        let start = out.len();
        if any {
            out.push(b',');
        }
        out.extend_from_slice(&member.literal);
        let written = match &member.content {
            Content::Field(number) => field(*number, out)?,
            Content::Object(members) => write(members, out, field)?,
        };
        if !written {
            out.truncate(start);
        }
        any |= written;
    }
    out.push(b'}');
    Ok(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(names: &[&str], absent: &[usize]) -> String {
        let members = tree(names.iter().copied());
        let mut out = vec![];
        let mut field = |number: usize, out: &mut Vec<u8>| {
            out.extend_from_slice(number.to_string().as_bytes());
            Ok::<_, ()>(!absent.contains(&number))
        };
        write(&members, &mut out, &mut field).expect("nothing fails");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn dotted_names_share_their_objects() {
        assert_eq!(written(&["b", "a.x", "c", "a.y.z"], &[]), r#"{"b":0,"a":{"x":1,"y":{"z":3}},"c":2}"#);
        assert_eq!(written(&["b", "a.x", "c", "a.y.z"], &[0, 1, 3]), r#"{"c":2}"#);
        assert_eq!(written(&["a", "a.b"], &[]), r#"{"a":{"b":1}}"#);
        assert_eq!(written(&["say \"hi\""], &[]), r#"{"say \"hi\"":0}"#);
        assert_eq!(written(&["a"], &[0]), "{}");
    }
}
