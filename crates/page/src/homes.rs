//! Paths without home folders, whose names are those of people.

use burncam_record::Run;

/// A home folder as it is shown.
const HOME: &str = "~";

/// The characters that end a component of a path in a command line.
const ENDS: [char; 12] = ['/', '\\', '"', '\'', ',', ';', ':', '=', '<', '>', '|', '\n'];

/// Shows paths of a run without home folders: in its command line, its data folder, its weights, its
/// rule of labels and its warnings. `home` is the user's own, where that is known; others are told by
/// where systems have them.
pub(super) fn hide_homes(run: &mut Run, home: Option<&str>) {
    let weights = run.models.iter_mut().flat_map(|model| {
        let paths = model.weights.iter_mut().map(|weights| &mut weights.path);
        paths.chain([&mut model.labels])
    });
    let warnings = run
        .warnings
        .iter_mut()
        .flat_map(|warning| warning.items.iter_mut().chain([&mut warning.text]));
    let paths = run.arguments.iter_mut().chain([&mut run.data.path]);
    for text in paths.chain(weights).chain(warnings) {
        *text = without_homes(text, home);
    }
}

/// A text with `~` for each home folder in it.
pub(super) fn without_homes(text: &str, home: Option<&str>) -> String {
    let own = home.map(|home| home.trim_end_matches(['/', '\\'])).filter(|home| home.len() > 1);
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    // A home folder begins where a path does, so not within a component of another.
    let mut begins = true;
    while let Some(first) = rest.chars().next() {
        let found = begins.then(|| own_home(rest, own).or_else(|| home_of_anyone(rest))).flatten();
        let length = match found {
            Some(length) => {
                // What goes up to the root before it.
                let up = shown.trim_end_matches(['.', '/', '\\']).len();
                if shown.ends_with("..") && shown[..up].chars().next_back().is_none_or(begins_after)
                {
                    shown.truncate(up);
                }
                shown.push_str(HOME);
                length
            }
            None => {
                shown.push(first);
                first.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
        begins = found.is_none() && begins_after(first);
        // After `..` the path may go down from the root again.
        begins |= found.is_none() && shown.ends_with("..") && rest.starts_with(['/', '\\']);
    }
    shown
}

/// Whether a path may begin after a character.
fn begins_after(before: char) -> bool {
    !before.is_alphanumeric() && !"-_~/\\.".contains(before)
}

/// The bytes of the user's own home folder that a text begins with.
fn own_home(text: &str, home: Option<&str>) -> Option<usize> {
    let home = home?;
    text.strip_prefix(home).filter(|rest| ends_component(rest)).map(|_| home.len())
}

/// The bytes of a home folder that a text begins with: `/home/NAME`, `/Users/NAME`, `/root`, and
/// `C:\Users\NAME`, also as MSYS (`/c/Users`) and WSL (`/mnt/c/Users`) have it.
fn home_of_anyone(text: &str) -> Option<usize> {
    for root in ["/root", "/var/root"] {
        if text.strip_prefix(root).is_some_and(ends_component) {
            return Some(root.len());
        }
    }
    let mut above = ["/home", "/export/home", "/usr/home", "/Users"].iter();
    let above = above.find_map(|above| text.strip_prefix(above)).or_else(|| below_users(text))?;
    let name = above.strip_prefix(['/', '\\'])?;
    // Names on Windows may hold spaces; with a separator behind, it is no sentence that goes on.
    let whole = name.find(ENDS).filter(|&end| name[end..].starts_with('\\'));
    let ends = |c: char| c.is_whitespace() || ENDS.contains(&c);
    let name_ends = whole.or_else(|| name.find(ends)).unwrap_or(name.len());
    (name_ends > 0).then(|| text.len() - name.len() + name_ends)
}

/// What follows the folder of all users of a Windows drive.
fn below_users(text: &str) -> Option<&str> {
    let verbatim = text.strip_prefix(r"\\?\").unwrap_or(text);
    let letter = |text: &'_ str| text.starts_with(|first: char| first.is_ascii_alphabetic());
    let drive = match verbatim.strip_prefix("/mnt/").or_else(|| verbatim.strip_prefix('/')) {
        Some(mounted) if letter(mounted) => mounted.get(1..)?,
        Some(_) => return None,
        None if letter(verbatim) => verbatim.get(1..)?.strip_prefix(':')?,
        None => return None,
    };
    let users = drive.strip_prefix(['/', '\\'])?;
    ["Users", "Documents and Settings"].iter().find_map(|folder| {
        let there = users.get(..folder.len())?.eq_ignore_ascii_case(folder);
        there.then(|| &users[folder.len()..])
    })
}

fn ends_component(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(ENDS) || rest.starts_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_folders_of_every_system_are_a_tilde() {
        for (text, shown) in [
            ("/home/ana/faces", "~/faces"),
            ("/home/ana", "~"),
            ("--data=/home/ana/faces", "--data=~/faces"),
            ("/Users/ana/VGG16.h5,/Users/ana/b.h5", "~/VGG16.h5,~/b.h5"),
            (r"C:\Users\Ana Maria\faces", r"~\faces"),
            (r"\\?\C:\Users\ana\faces", r"~\faces"),
            ("c:/users/ana/faces", "~/faces"),
            ("/c/Users/ana/faces", "~/faces"),
            ("/mnt/d/Users/ana/faces", "~/faces"),
            ("/root/faces", "~/faces"),
            ("--data=../../home/ana/faces", "--data=~/faces"),
            ("/home/ana is no folder, nor is /home/ana/x", "~ is no folder, nor is ~/x"),
            ("../../../home/ana/faces", "~/faces"),
            (
                "the file '/home/josé/rótulos.csv' has no header",
                "the file '~/rótulos.csv' has no header",
            ),
            ("tokens:Pain=dor", "tokens:Pain=dor"),
            ("faces/home/ana", "faces/home/ana"),
            ("/data/home/ana", "/data/home/ana"),
            ("/rooted/x", "/rooted/x"),
            ("/homes/x", "/homes/x"),
            ("/home", "/home"),
            ("/home/", "/home/"),
            ("/", "/"),
            ("é/home/ana", "é/home/ana"),
        ] {
            assert_eq!(without_homes(text, None), shown);
        }
    }

    #[test]
    fn the_users_own_home_is_known_wherever_it_is() {
        let own = |text| without_homes(text, Some("/data/people/ana/"));
        assert_eq!(own("/data/people/ana/faces"), "~/faces");
        assert_eq!(own("/data/people/anabel/faces"), "/data/people/anabel/faces");
        assert_eq!(without_homes("/faces", Some("/")), "/faces");
    }
}
