//! Where the bytes of a data set lie, and how some of its rows are brought in.
//!
//! Contiguous rows are a slice of the map, shared and not copied. Chunked rows are decoded in
//! bands of whole chunks that a small cache keeps, so that reading on does not decode twice.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::buffer::Buffer;
use hdf5_pure::{ChunkIndex, Dataset, Datatype, Layout};

use super::chunks::Chunks;
use super::container::Container;
use super::fault::Fault;
use super::filters;

/// Chunks smaller than this are decoded several at a time.
const BAND_BYTES: u64 = 256 << 10;
/// Largest chunk decoded: a file may declare any size.
const LARGEST_CHUNK_BYTES: u64 = 256 << 20;
/// Largest part of a data set without storage of its own that is made up at once.
const LARGEST_FILL_BYTES: u64 = 256 << 20;

/// Levels of types within types that are read.
const DEEPEST_TYPE: usize = 32;

#[derive(Debug)]
enum Storage {
    /// One run of bytes of the map.
    Contiguous { start: usize },
    /// Chunks, decoded in bands of this many rows.
    Chunked { dataset: Dataset, band_rows: u64, chunk_rows: u64, index: ChunkTable },
    /// Anything else the HDF5 reader serves: inline bytes, or none written yet.
    Inline { dataset: Dataset },
}

/// Where the chunks are, looked up when first needed, and who decodes them.
#[derive(Debug)]
struct ChunkTable {
    chunk_bytes: usize,
    /// Whether they are decoded here, straight from the map, and not by `hdf5-pure`.
    is_own: bool,
    /// Whether the last chunk, if it reaches past the last row, may be stored without filters: only
    /// `hdf5-pure` knows.
    asks_about_last: bool,
    places: OnceLock<Result<Chunks, String>>,
}

/// A data set: rows of equal width somewhere in the file.
#[derive(Debug)]
pub(super) struct DataSet {
    id: u64,
    path: String,
    container: Arc<Container>,
    rows: u64,
    inner: Vec<u64>,
    element_bytes: usize,
    row_bytes: usize,
    storage: Storage,
}

impl DataSet {
    /// Looks at the header of `dataset`, called `path` in messages; reads no value. Also gives the
    /// type of its elements.
    pub(super) fn open(
        container: &Arc<Container>,
        dataset: Dataset,
        path: &str,
    ) -> Result<(Arc<DataSet>, Datatype), Fault> {
        let damaged = |part: &str, error: hdf5_pure::Error| {
            Fault::of(&format!("the {part} of data set {path}"), &error)
        };
        let shape = dataset.shape().map_err(|e| damaged("shape", e))?;
        let datatype = dataset.datatype().map_err(|e| damaged("type", e))?;
        let layout = dataset.layout().map_err(|e| damaged("layout", e))?;
        let Some((&rows, inner)) = shape.split_first() else {
            return Err(Fault::Unsupported(format!("data set {path} is a single value, not a column")));
        };
        if depth(&datatype) > DEEPEST_TYPE {
            return Err(Fault::Unsupported(format!(
                "the type of data set {path} nests more than {DEEPEST_TYPE} levels"
            )));
        }
        let too_large = || {
            Fault::Damaged(format!(
                "data set {path} declares {shape:?} elements, more bytes than a file can hold"
            ))
        };
        let element_bytes = dataset.element_size().map_err(|e| damaged("type", e))?;
        let row_bytes = inner
            .iter()
            .try_fold(element_bytes, |bytes, &extent| bytes.checked_mul(extent))
            .ok_or_else(too_large)?;
        let bytes = row_bytes.checked_mul(rows).filter(|&b| b <= i64::MAX as u64).ok_or_else(too_large)?;
        let narrow = |value: u64| usize::try_from(value).map_err(|_| too_large());
        let storage = match layout {
            Layout::Contiguous { address: Some(address), size } => {
                if size < bytes {
                    return Err(Fault::Damaged(format!(
                        "data set {path} has room for {size} bytes, but declares {bytes}"
                    )));
                }
                let available = container.mapped.bytes().len() as u64;
                if bytes > 0 && address.checked_add(bytes).is_none_or(|end| end > available) {
                    return Err(Fault::Damaged(format!(
                        "data set {path} should lie at bytes {address}..+{bytes}, but the file ends at {available}"
                    )));
                }
                Storage::Contiguous { start: if bytes == 0 { 0 } else { narrow(address)? } }
            }
            Layout::Contiguous { address: None, .. } => {
                if row_bytes > LARGEST_FILL_BYTES {
                    return Err(Fault::Unsupported(format!(
                        "data set {path} has rows of {row_bytes} bytes and no values stored"
                    )));
                }
                if bytes > 0 {
                    dataset.read_raw_rows(0, 1).map_err(|e| damaged("storage", e))?;
                }
                Storage::Inline { dataset }
            }
            Layout::Compact { size } => {
                if size < bytes {
                    return Err(Fault::Damaged(format!(
                        "data set {path} holds {size} bytes, but declares {bytes}"
                    )));
                }
                Storage::Inline { dataset }
            }
            Layout::Chunked { chunk_shape, index } => {
                let shape = Shape { rows, inner, element_bytes, row_bytes };
                chunked(dataset, path, &shape, &chunk_shape, index)?
            }
            Layout::Virtual => {
                return Err(Fault::OnlyLibrary(format!(
                    "data set {path} is virtual: its values are in other files"
                )));
            }
            _ => {
                return Err(Fault::OnlyLibrary(format!(
                    "data set {path} has a storage layout of a new kind"
                )));
            }
        };
        let data_set = DataSet {
            id: container.next_id(),
            path: path.to_owned(),
            container: container.clone(),
            rows,
            inner: inner.to_vec(),
            element_bytes: narrow(element_bytes)?,
            row_bytes: narrow(row_bytes)?,
            storage,
        };
        Ok((Arc::new(data_set), datatype))
    }

    /// Its path in the file.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Extent of its first dimension.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Extents of its other dimensions.
    pub(super) fn inner(&self) -> &[u64] {
        &self.inner
    }

    /// Bytes of one element.
    pub(super) fn element_bytes(&self) -> usize {
        self.element_bytes
    }

    /// Bytes of one row: of all elements that share a first index.
    pub(super) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The file it is in.
    pub(super) fn container(&self) -> &Container {
        &self.container
    }

    /// Rows of one stored chunk, if it is stored in chunks.
    pub(super) fn chunk_rows(&self) -> Option<u64> {
        match self.storage {
            Storage::Chunked { chunk_rows, .. } => Some(chunk_rows),
            _ => None,
        }
    }

    /// Whether it lies in the map as one run of bytes.
    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.storage, Storage::Contiguous { .. })
    }

    /// The bytes of `rows`: exactly [`row_bytes`](Self::row_bytes) for each, as they are in the file.
    pub(super) fn read(&self, rows: Range<u64>) -> Result<Buffer, String> {
        if rows.start > rows.end || rows.end > self.rows {
            return Err(format!("data set {} has only {} rows", self.path, self.rows));
        }
        let count = rows.end - rows.start;
        let length = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(self.row_bytes))
            .ok_or_else(|| format!("{count} rows of data set {} do not fit into memory", self.path))?;
        if length == 0 {
            return Ok(Buffer::from(Vec::<u8>::new()));
        }
        match &self.storage {
            Storage::Contiguous { start } => {
                let skip = rows.start as usize * self.row_bytes;
                let map = self.container.mapped.buffer();
                if map.len() < start + skip + length {
                    return Err(format!("data set {} reaches past the end of the file", self.path));
                }
                Ok(map.slice_with_length(start + skip, length))
            }
            Storage::Chunked { .. } => self.read_bands(rows, length),
            Storage::Inline { dataset } => {
                if length as u64 > LARGEST_FILL_BYTES {
                    return Err(format!(
                        "data set {} has no values stored; {length} bytes of its fill value are too many",
                        self.path
                    ));
                }
                self.library_rows(dataset, rows.start, count)
            }
        }
    }

    /// The bytes of the rows of `blocks`, one block after another.
    pub(super) fn gather(&self, blocks: &[Range<u64>]) -> Result<Buffer, String> {
        let rows: u64 = blocks.iter().map(|block| block.end.saturating_sub(block.start)).sum();
        let mut out = Vec::new();
        let length = usize::try_from(rows).ok().and_then(|rows| rows.checked_mul(self.row_bytes));
        length
            .and_then(|length| out.try_reserve_exact(length).ok())
            .ok_or_else(|| format!("{rows} rows of data set {} do not fit into memory", self.path))?;
        for block in blocks {
            match &self.storage {
                Storage::Contiguous { start } if block.start <= block.end && block.end <= self.rows => {
                    let from = out.len();
                    out.resize(from + (block.end - block.start) as usize * self.row_bytes, 0);
                    let offset = start + block.start as usize * self.row_bytes;
                    self.container
                        .mapped
                        .read_at(offset, &mut out[from..])
                        .map_err(|error| format!("data set {}: {error}", self.path))?;
                }
                _ => out.extend_from_slice(&self.read(block.clone())?),
            }
        }
        Ok(Buffer::from(out))
    }

    fn read_bands(&self, rows: Range<u64>, length: usize) -> Result<Buffer, String> {
        let Storage::Chunked { band_rows, .. } = self.storage else { return self.read(rows) };
        let (first, last) = (rows.start / band_rows, (rows.end - 1) / band_rows);
        if first == last {
            let skip = (rows.start - first * band_rows) as usize * self.row_bytes;
            return Ok(self.band(first)?.slice_with_length(skip, length));
        }
        let mut out = Vec::new();
        out.try_reserve_exact(length)
            .map_err(|_| format!("{length} bytes of data set {} do not fit into memory", self.path))?;
        for band in first..=last {
            let start = band * band_rows;
            let from = rows.start.max(start) - start;
            let to = rows.end.min(start + band_rows) - start;
            out.extend_from_slice(
                &self.band(band)?[from as usize * self.row_bytes..to as usize * self.row_bytes],
            );
        }
        Ok(Buffer::from(out))
    }

    /// The rows of one band, from the cache if it has them.
    fn band(&self, band: u64) -> Result<Buffer, String> {
        let Storage::Chunked { dataset, band_rows, chunk_rows, index } = &self.storage else {
            return Err(format!("data set {} has no chunks", self.path));
        };
        if let Some(bytes) = self.container.cache.get((self.id, band)) {
            return Ok(bytes);
        }
        let start = band * band_rows;
        let rows = start..self.rows.min(start + band_rows);
        let available = self.container.mapped.bytes().len();
        let locate =
            || Chunks::locate(dataset, *chunk_rows, self.element_bytes, index.chunk_bytes, available);
        let chunks = index
            .places
            .get_or_init(locate)
            .as_ref()
            .map_err(|reason| format!("data set {}: {reason}", self.path))?;
        let bytes = if index.is_own {
            self.own_rows(dataset, chunks, *chunk_rows, rows, index.asks_about_last)
        } else {
            self.library_rows(dataset, start, rows.end - start)
        }?;
        if !(index.is_own && chunks.is_plain()) {
            self.container.cache.insert((self.id, band), bytes.clone());
        }
        Ok(bytes)
    }

    /// Decodes `rows`, which begin with a chunk.
    fn own_rows(
        &self,
        dataset: &Dataset,
        chunks: &Chunks,
        chunk_rows: u64,
        rows: Range<u64>,
        asks_about_last: bool,
    ) -> Result<Buffer, String> {
        let map = self.container.mapped.buffer();
        let mut decoder = chunks.decoder();
        let mut out: Vec<u8> = Vec::new();
        let length = (rows.end - rows.start) as usize * self.row_bytes;
        for number in rows.start / chunk_rows..rows.end.div_ceil(chunk_rows) {
            let (start, end) = (number * chunk_rows, self.rows.min((number + 1) * chunk_rows));
            let is_partial = end - start < chunk_rows;
            let stored = if is_partial && asks_about_last {
                None
            } else {
                chunks
                    .read(number, &map, &mut decoder)
                    .map_err(|reason| format!("data set {}: {reason}", self.path))?
            };
            let bytes = match stored {
                Some(bytes) => bytes.slice_with_length(0, (end - start) as usize * self.row_bytes),
                None => self.library_rows(dataset, start, end - start)?,
            };
            if bytes.len() == length {
                return Ok(bytes);
            }
            if out.is_empty() {
                out.try_reserve_exact(length).map_err(|_| {
                    format!("{length} bytes of data set {} do not fit into memory", self.path)
                })?;
            }
            out.extend_from_slice(&bytes);
        }
        Ok(Buffer::from(out))
    }

    fn library_rows(&self, dataset: &Dataset, start: u64, count: u64) -> Result<Buffer, String> {
        let bytes = dataset
            .read_raw_rows(start, count)
            .map_err(|error| format!("data set {} cannot be decoded: {error}", self.path))?;
        if bytes.len() != count as usize * self.row_bytes {
            return Err(format!(
                "data set {} decodes to {} bytes where {} are declared",
                self.path,
                bytes.len(),
                count as usize * self.row_bytes
            ));
        }
        Ok(Buffer::from(bytes))
    }
}

/// Extents and sizes of a data set.
struct Shape<'a> {
    rows: u64,
    inner: &'a [u64],
    element_bytes: u64,
    row_bytes: u64,
}

/// How the data set `path` is read from its chunks; they are looked up later.
fn chunked(
    dataset: Dataset,
    path: &str,
    shape: &Shape<'_>,
    chunk_shape: &[u64],
    index: ChunkIndex,
) -> Result<Storage, Fault> {
    let &Shape { rows, inner, element_bytes, row_bytes } = shape;
    let chunk_rows = chunk_shape.first().copied().unwrap_or(0);
    let chunk_bytes = chunk_shape
        .iter()
        .try_fold(element_bytes, |bytes, &extent| bytes.checked_mul(extent))
        .filter(|&bytes| bytes > 0 && chunk_shape.len() == inner.len() + 1)
        .ok_or_else(|| {
            Fault::Damaged(format!("data set {path} declares chunks of {chunk_shape:?} elements"))
        })?;
    if chunk_bytes > LARGEST_CHUNK_BYTES {
        return Err(Fault::OnlyLibrary(format!(
            "data set {path} is stored in chunks of {chunk_bytes} bytes; at most {LARGEST_CHUNK_BYTES} are decoded"
        )));
    }
    if index == ChunkIndex::BTreeV2 && rows > 0 {
        return Err(Fault::OnlyLibrary(format!(
            "data set {path} finds its chunks by a version 2 B-tree (several unlimited dimensions)"
        )));
    }
    let pipeline = dataset.filter_pipeline();
    let is_own = chunk_shape[1..] == *inner && filters::are_known(&pipeline);
    if !is_own && let Some(filter) = pipeline.iter().find(|filter| !filters::is_readable(filter)) {
        let is_library_s = filters::are_of_the_library(&pipeline);
        let kind = if is_library_s { Fault::OnlyLibrary } else { Fault::Unsupported };
        return Err(kind(format!(
            "data set {path} is compressed by {filter} (HDF5 filter {}), which is not read{}",
            filter.id,
            if filters::are_known(&pipeline) { " in chunks that split rows" } else { "" }
        )));
    }
    let band_bytes = chunk_rows.saturating_mul(row_bytes).max(1);
    let band_rows = chunk_rows.saturating_mul((BAND_BYTES / band_bytes).max(1));
    if band_rows.min(rows).saturating_mul(row_bytes) > LARGEST_CHUNK_BYTES {
        return Err(Fault::OnlyLibrary(format!(
            "data set {path} has rows of {row_bytes} bytes, too many to decode at once"
        )));
    }
    let index = ChunkTable {
        chunk_bytes: chunk_bytes as usize,
        is_own,
        asks_about_last: index != ChunkIndex::BTreeV1 && pipeline.iter().all(filters::is_readable),
        places: OnceLock::new(),
    };
    Ok(Storage::Chunked { dataset, band_rows, chunk_rows, index })
}

fn depth(datatype: &Datatype) -> usize {
    1 + match datatype {
        Datatype::Compound { members, .. } => {
            members.iter().map(|member| depth(&member.datatype)).max().unwrap_or(0)
        }
        Datatype::Enumeration { base_type, .. }
        | Datatype::VariableLength { base_type, .. }
        | Datatype::Array { base_type, .. } => depth(base_type),
        _ => 0,
    }
}
