//! What the page is asked for.

use burncam_page::Language;
use burncam_run::{PageOptions, Subject};
use clap::Args;

/// What the page is asked for.
#[derive(Args, Debug, Clone)]
pub(crate) struct PageArgs {
    /// The page's title [default: the name of the data folder].
    ///
    /// Where reports are made again or joined it is that of the first. An empty one takes an earlier one away.
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    pub title: Option<String>,

    /// The class that the measures are about.
    ///
    /// Sensitivity, specificity, AUC, F1 and Brier score are about it [default: Pain where there is one, else the
    /// first of two classes].
    #[arg(long, value_name = "CLASS", help_heading = "Report")]
    pub positive: Option<String>,

    /// Whom each image shows, as '(S[0-9]+)_' or column:NAME.
    ///
    /// A regular expression with one group, found in the image's path; or a column of the label file. Images of one
    /// subject are alike, and confidence intervals are then made over subjects.
    #[arg(long, value_name = "REGEX|column:NAME", help_heading = "Report")]
    pub subject: Option<Subject>,

    /// The language of page and messages: en or pt-BR (pt).
    ///
    /// Errors are English.
    #[arg(long, value_name = "LANG", default_value_t, help_heading = "Report")]
    pub lang: Language,

    /// Where random draws begin: those of the confidence intervals [default: 1].
    ///
    /// Where reports are made again or joined it is that of the first.
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub seed: Option<u64>,

    /// Also write standalone.html: the page with its pictures in it, one file to send.
    #[arg(long, help_heading = "Report")]
    pub standalone: bool,

    /// Images that standalone.html shows; measures are over all.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 300,
        hide_short_help = true,
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Report"
    )]
    pub max_images: u32,
}

impl PageArgs {
    /// The same without a command line.
    pub(crate) fn options(&self) -> PageOptions {
        let Self { title, positive, subject, lang, seed, standalone, max_images } = self.clone();
        let standalone = standalone.then_some(max_images as usize);
        PageOptions { title, positive, subject, lang, seed, standalone }
    }
}
