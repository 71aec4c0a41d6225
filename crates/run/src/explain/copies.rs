//! One network in several files of a folder, as when it was saved or converted in more than one format.

use super::model::Model;
use crate::message::{Message, Warnings, counted};

/// Of the models that were found in folders and are one network with the same weights, leaves one: that
/// of a file that says itself what it computes, of several the first by name. Tells which, and the
/// others.
pub(crate) fn leave_one(models: &mut Vec<Model>) -> Warnings {
    let mut groups: Vec<Vec<Model>> = Vec::new();
    for model in models.drain(..) {
        match groups.iter_mut().find(|group| are_one(&group[0], &model)) {
            Some(group) => group.push(model),
            None => groups.push(vec![model]),
        }
    }
    let mut warnings = Warnings::new();
    for mut group in groups {
        // The sort is stable, and files come by name.
        group.sort_by_key(|model| !model.checkpoint().format().is_full_model());
        let mut group = group.into_iter();
        let Some(chosen) = group.next() else { continue };
        let others: Vec<String> = group.map(|other| other.path.display().to_string()).collect();
        if !others.is_empty() {
            warnings.push((text(&chosen, others.len()), others));
        }
        models.push(chosen);
    }
    warnings
}

/// Whether two models of folders would give the same results.
fn are_one(a: &Model, b: &Model) -> bool {
    a.in_folder && b.in_folder && a.classes == b.classes && a.checkpoint().is_same(b.checkpoint())
}

fn text(chosen: &Model, others: usize) -> Message {
    let path = chosen.path.display();
    Message::new(
        format!(
            "{path} holds the same network with the same weights as {}; it is explained once, from this \
             file, and not from:",
            counted(others, "other file of its folder", "other files of its folder")
        ),
        format!(
            "{path} contém a mesma rede com os mesmos pesos que {}; ela é explicada uma vez, a partir deste \
             arquivo, e não de:",
            counted(others, "outro arquivo da pasta", "outros arquivos da pasta")
        ),
    )
}
