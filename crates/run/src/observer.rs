//! Who is told what a run does.

use crate::Message;

/// Who is told what a run does, as a console or a window is.
pub trait Observer: Sync {
    /// What the program does, or has decided.
    fn note(&self, text: Message);

    /// What the user should know, and the images or files that it concerns.
    fn warning(&self, text: Message, items: &[String]);

    /// Asks a question; the answer is no where nobody can be asked.
    fn confirm(&self, question: &Message) -> bool;

    /// A run begins with so many images to do, in so many passes of an image through a network.
    fn begin(&self, images: usize, passes: usize);

    /// So many images went through a network once.
    fn passed(&self, images: usize);

    /// So many images more are done.
    fn advance(&self, images: usize);

    /// The run ends.
    fn end(&self);

    /// What stands before a command of the program where one is typed: `burncam`.
    fn program(&self) -> &str;
}

/// Nobody is told.
#[cfg(test)]
pub(crate) struct Silent;

#[cfg(test)]
impl Observer for Silent {
    fn note(&self, _: Message) {}

    fn warning(&self, _: Message, _: &[String]) {}

    fn confirm(&self, _: &Message) -> bool {
        false
    }

    fn begin(&self, _: usize, _: usize) {}

    fn passed(&self, _: usize) {}

    fn advance(&self, _: usize) {}

    fn end(&self) {}

    fn program(&self) -> &str {
        "burncam"
    }
}
