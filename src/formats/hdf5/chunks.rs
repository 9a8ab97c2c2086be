//! Where the chunks of a data set lie in the file.

use arrow::buffer::Buffer;
use hdf5_pure::{Dataset, Filter};

use super::filters::Decoder;

#[derive(Debug, Clone, Copy)]
struct Place {
    number: u64,
    address: usize,
    length: usize,
    skipped: u32,
}

/// The chunks of a data set. If they split rows, several have the same number.
#[derive(Debug)]
pub(super) struct Chunks {
    places: Vec<Place>,
    filters: Vec<Filter>,
    element_bytes: usize,
    chunk_bytes: usize,
}

impl Chunks {
    /// Reads the index of the chunks, of `chunk_rows` rows and `chunk_bytes` bytes each, and checks that
    /// each lies inside the `available` bytes of the file.
    pub(super) fn locate(
        dataset: &Dataset,
        chunk_rows: u64,
        element_bytes: usize,
        chunk_bytes: usize,
        available: usize,
    ) -> Result<Chunks, String> {
        let stored = dataset.chunks().map_err(|error| format!("its index of chunks is damaged: {error}"))?;
        let mut places = Vec::new();
        places.try_reserve_exact(stored.len()).map_err(|_| "its chunks are too many".to_owned())?;
        for chunk in stored {
            let row = chunk.offset.first().copied().unwrap_or(0);
            let inside = || {
                let (address, length) =
                    (usize::try_from(chunk.address).ok()?, usize::try_from(chunk.storage_size).ok()?);
                (row % chunk_rows == 0 && address.checked_add(length)? <= available)
                    .then_some((address, length))
            };
            let (address, length) = inside().ok_or_else(|| {
                format!(
                    "the chunk of row {row} should lie at bytes {}..+{}, but the file ends at {available}",
                    chunk.address, chunk.storage_size
                )
            })?;
            places.push(Place { number: row / chunk_rows, address, length, skipped: chunk.filter_mask });
        }
        places.sort_unstable_by_key(|place| place.number);
        Ok(Chunks { places, filters: dataset.filter_pipeline(), element_bytes, chunk_bytes })
    }

    /// The bytes of chunk `number` of the file `map`; `None` when it was never written.
    pub(super) fn read(
        &self,
        number: u64,
        map: &Buffer,
        decoder: &mut Decoder<'_>,
    ) -> Result<Option<Buffer>, String> {
        let Ok(index) = self.places.binary_search_by_key(&number, |place| place.number) else {
            return Ok(None);
        };
        let place = self.places[index];
        if self.filters.is_empty() {
            if place.length != self.chunk_bytes {
                return Err(format!(
                    "a chunk has {} bytes where {} are declared",
                    place.length, self.chunk_bytes
                ));
            }
            return Ok(Some(map.slice_with_length(place.address, place.length)));
        }
        let stored = &map[place.address..place.address + place.length];
        let bytes = decoder.decode(stored, place.skipped, self.element_bytes, self.chunk_bytes)?;
        Ok(Some(Buffer::from(bytes)))
    }

    /// Whether they are stored without filters.
    pub(super) fn is_plain(&self) -> bool {
        self.filters.is_empty()
    }

    /// A decoder for these chunks.
    pub(super) fn decoder(&self) -> Decoder<'_> {
        Decoder::new(&self.filters)
    }
}
