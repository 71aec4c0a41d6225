//! What of a data folder is not explained.

use burncam_imaging::OtherFormat;

use crate::data::{DataSet, Listing, commands, reach};
use crate::message::{Message, Warnings, counted, images};

/// What was passed over, each with the files or folders.
pub(super) fn passed_over(set: &DataSet, how: Listing) -> Warnings {
    let of = [too_deep(set, how), other_formats(set), no_images(set), links(set)];
    of.into_iter().flatten().collect()
}

type Warning = (Message, Vec<String>);

fn too_deep(set: &DataSet, how: Listing) -> Option<Warning> {
    let deeper = &set.deeper;
    let (count, folders) = (deeper.images(), deeper.folders.len());
    let text = Message::new(
        format!(
            "passed over in the data folder, since they lie too deep: {}{} in {} ({}):",
            if deeper.is_cut() { "at least " } else { "" },
            images(count),
            counted(folders, "folder", "folders"),
            reach(how)
        ),
        format!(
            "ignoradas na pasta de dados por estarem fundo demais: {}{} em {} ({}):",
            if deeper.is_cut() { "ao menos " } else { "" },
            counted(count, "imagem", "imagens"),
            counted(folders, "pasta", "pastas"),
            alcance(how)
        ),
    );
    let item = |(path, count): &(String, usize)| format!("{path}: {count}");
    (folders > 0).then(|| (text, deeper.folders.iter().map(item).collect()))
}

fn other_formats(set: &DataSet) -> Option<Warning> {
    let (count, commands) = (set.others.files.len(), commands(&set.others));
    let text = Message::new(
        format!(
            "passed over in the data folder, being of formats that Burncam does not read: {} (convert or \
             unpack them: {commands}):",
            counted(count, "file", "files")
        ),
        format!(
            "ignorados na pasta de dados por serem de formatos que o Burncam não lê: {} (converta-os ou \
             descompacte-os: {commands}):",
            counted(count, "arquivo", "arquivos")
        ),
    );
    let item = |(format, count, first): &(OtherFormat, usize, &str)| {
        format!("{count} {}: {first}{}", format.name(), if *count > 1 { ", …" } else { "" })
    };
    (count > 0).then(|| (text, set.others.by_format().iter().map(item).collect()))
}

fn no_images(set: &DataSet) -> Option<Warning> {
    let count = set.skipped.len();
    let text = Message::new(
        format!(
            "passed over in the data folder, not being images: {}",
            counted(count, "file or folder", "files or folders")
        ),
        format!(
            "ignorados na pasta de dados por não serem imagens: {}",
            counted(count, "arquivo ou pasta", "arquivos ou pastas")
        ),
    );
    (count > 0).then(|| (text, set.skipped.clone()))
}

fn links(set: &DataSet) -> Option<Warning> {
    let count = set.links.len();
    let text = Message::new(
        format!(
            "passed over in the data folder: {} (--follow-links reads them)",
            counted(count, "symbolic link", "symbolic links")
        ),
        format!(
            "ignorados na pasta de dados: {} (--follow-links os lê)",
            counted(count, "link simbólico", "links simbólicos")
        ),
    );
    (count > 0).then(|| (text, set.links.clone()))
}

/// [`reach`] in Portuguese.
fn alcance(how: Listing) -> &'static str {
    match how.class_folders {
        true => {
            "são lidas imagens na própria pasta, nas subpastas (os folds) e nas destas (as classes)"
        }
        false => {
            "são lidas imagens na própria pasta e nas subpastas (os folds), com `--labels dirs` também nas \
             destas (as classes)"
        }
    }
}
