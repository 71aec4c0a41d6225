//! Datasets.

use std::sync::Arc;

use crate::cache::Shared;
use crate::chunks::Grid;
use crate::dataspace::Dataspace;
use crate::datatype::{Datatype, Element};
use crate::error::{Error, damaged};
use crate::filters::Filters;
use crate::header::{self, DATASPACE, DATATYPE, EXTERNAL, FILTERS, Header, LAYOUT};
use crate::layout::Layout;
use crate::{chunks, fill, pieces};

/// Elements of one dataset.
const MOST_ELEMENTS: u64 = 1 << 28;

pub(crate) const HINT: &str =
    "hint: save the model again, or rewrite it with `h5repack -f NONE -l CONTI`";

/// A dataset of a file.
pub struct Dataset {
    shared: Arc<Shared>,
    space: Dataspace,
    datatype: Datatype,
    layout: Layout,
    filters: Filters,
    /// The value of elements that were never written, if not zeros.
    fill: Vec<u8>,
}

impl Dataset {
    pub(crate) fn open(shared: &Arc<Shared>, address: u64) -> Result<Self, Error> {
        let source = &shared.source;
        let header = header::read(source, address)?;
        if !header.is_dataset() {
            return Err(Error::NotDataset);
        }
        let message = |kind| {
            let found = header.find(source, kind)?;
            found.ok_or(Error::Damaged("a part of what describes it is missing"))
        };
        let datatype = Datatype::parse(&message(DATATYPE)?)?;
        let size = datatype.size.into();
        let filters = header.find(source, FILTERS)?;
        let filters = filters.map(|message| Filters::parse(&message, size)).transpose()?;
        Ok(Self {
            shared: Arc::clone(shared),
            space: Dataspace::parse(&message(DATASPACE)?, source.sizes)?,
            datatype,
            layout: layout(&header, &message(LAYOUT)?, source.sizes)?,
            filters: filters.unwrap_or_default(),
            fill: fill::value(source, &header, size)?,
        })
    }

    /// How many elements there are along each dimension, of which a scalar has none.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.space.shape
    }

    /// How each element is stored.
    #[must_use]
    pub fn element(&self) -> Element {
        self.datatype.element()
    }

    /// Where the elements are, in bytes from the beginning of the HDF5 file, and how many bytes they take,
    /// if they lie there one after the other, as they are.
    #[must_use]
    pub fn contiguous(&self) -> Option<(u64, u64)> {
        let Layout::Contiguous { address: Some(address), size } = self.layout else { return None };
        let bytes = self.size().ok().filter(|&bytes| self.filters.is_empty() && bytes > 0)?;
        let same = size.is_none_or(|size| size == bytes);
        let place = self.shared.source.place(address, bytes).ok()?;
        same.then_some((place, bytes))
    }

    /// Whether the elements are stored in a way that is understood, as far as it can be told without
    /// reading them.
    ///
    /// # Errors
    ///
    /// If they are not, or what describes them is impossible.
    pub fn check(&self) -> Result<(), Error> {
        self.size()?;
        match &self.layout {
            Layout::Unknown(what) => Err(Error::Unsupported(format!("{what}\n{HINT}"))),
            Layout::Chunked { .. } => self.grid().map(|_| ()),
            Layout::Compact(_) | Layout::Contiguous { .. } => Ok(()),
        }
    }

    /// All elements row by row, as they are stored: no byte is swapped.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or the allowance is used up. It should be twice what they take, and
    /// what is read to find them.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let (source, total) = (&self.shared.source, self.size()?);
        match &self.layout {
            Layout::Unknown(what) => Err(Error::Unsupported(format!("{what}\n{HINT}"))),
            _ if total == 0 => Ok(Vec::new()),
            Layout::Compact(data) if data.len() as u64 == total => {
                source.spend(total)?;
                Ok(data.clone())
            }
            Layout::Compact(_) => damaged("its numbers are not as many as its shape says"),
            &Layout::Contiguous { size: Some(size), .. } if size != total => {
                damaged("its numbers are not as many as its shape says")
            }
            Layout::Contiguous { .. } if !self.filters.is_empty() => {
                damaged("its numbers lie in one piece, and yet went through filters")
            }
            Layout::Contiguous { address: Some(address), .. } => source.read(*address, total),
            Layout::Contiguous { address: None, .. } => {
                source.spend(total)?;
                fill::filled(&self.fill, total)
            }
            Layout::Chunked { index, address, .. } => {
                let grid = self.grid()?;
                // Nothing is unpacked that could not be kept.
                source.affords(total)?;
                let plain = self.filters.is_empty();
                let chunks = chunks::all(source, &grid, (*index, *address, plain))?;
                pieces::put_together(source, &grid, (&chunks, &self.filters, &self.fill))
            }
        }
    }

    /// How the chunks lie.
    fn grid(&self) -> Result<Grid, Error> {
        let Layout::Chunked { shape, element, .. } = &self.layout else {
            return damaged("it has no chunks");
        };
        self.filters.check()?;
        if *element != u64::from(self.datatype.size) {
            return damaged("its chunks hold numbers of another size");
        }
        Grid::new(&self.space, shape, *element)
    }

    /// Bytes of all elements.
    fn size(&self) -> Result<u64, Error> {
        let elements = self.space.elements()?;
        if elements > MOST_ELEMENTS {
            return Err(Error::TooMany("numbers"));
        }
        Ok(elements.saturating_mul(self.datatype.size.into()))
    }
}

fn layout(header: &Header, message: &[u8], sizes: crate::bytes::Sizes) -> Result<Layout, Error> {
    if header.has(EXTERNAL) {
        return Ok(Layout::Unknown("its numbers are in other files (external storage)"));
    }
    Layout::parse(message, sizes)
}
