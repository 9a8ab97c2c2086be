//! Nodes and buffers of a record batch, checked against its body before anything is sliced or
//! allocated.

use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Schema, UnionMode};
use arrow::ipc::{CompressionType, MetadataVersion, RecordBatch};

/// Most bytes one column of one batch may need once decompressed.
pub(super) const DECODED_LIMIT: u64 = 1 << 30;
/// The largest factor by which an LZ4 block can expand.
const LZ4_FACTOR: u64 = 255;

/// Where the nodes, buffers and view columns of one column begin, as counted over the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    nodes: usize,
    /// Buffers without the variable number of those of view columns.
    buffers: usize,
    views: usize,
}

/// The position of every column, and of the end.
pub(super) fn positions(schema: &Schema, version: MetadataVersion) -> Vec<Position> {
    let mut at = Position::default();
    let mut all = Vec::with_capacity(schema.fields().len() + 1);
    for field in schema.fields() {
        all.push(at);
        skip(field.data_type(), version, &mut at);
    }
    all.push(at);
    all
}

fn skip(data_type: &DataType, version: MetadataVersion, at: &mut Position) {
    at.nodes += 1;
    at.buffers += own_buffers(data_type, version);
    at.views += usize::from(is_view(data_type));
    for child in children(data_type) {
        skip(child, version, at);
    }
}

fn is_view(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8View | DataType::BinaryView)
}

/// Buffers of an array itself, without its children; of a view array without its data buffers.
fn own_buffers(data_type: &DataType, version: MetadataVersion) -> usize {
    match data_type {
        DataType::Null | DataType::RunEndEncoded(..) => 0,
        DataType::Struct(_) | DataType::FixedSizeList(..) => 1,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => 3,
        DataType::ListView(_) | DataType::LargeListView(_) => 3,
        DataType::Union(_, mode) => {
            1 + usize::from(version < MetadataVersion::V5) + usize::from(*mode == UnionMode::Dense)
        }
        _ => 2,
    }
}

/// Bytes of one offset, view, code or list size; 1 for an array without them.
fn offset_width(data_type: &DataType) -> u64 {
    match data_type {
        DataType::Utf8 | DataType::Binary | DataType::List(_) | DataType::Map(..) | DataType::ListView(_) => {
            4
        }
        DataType::LargeUtf8 | DataType::LargeBinary | DataType::LargeList(_) | DataType::LargeListView(_) => {
            8
        }
        DataType::Utf8View | DataType::BinaryView => 16,
        DataType::Dictionary(key, _) => key.primitive_width().unwrap_or(1) as u64,
        _ => 1,
    }
}

/// Refuses types no array can have; arrow panics on them.
pub(super) fn check_type(data_type: &DataType) -> Result<(), String> {
    match data_type {
        DataType::FixedSizeBinary(width) | DataType::FixedSizeList(_, width) if *width < 0 => {
            return Err(format!("the width {width} is negative"));
        }
        DataType::Dictionary(_, values) => check_type(values)?,
        _ => {}
    }
    children(data_type).into_iter().try_for_each(check_type)
}

fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => vec![child.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        _ => Vec::new(),
    }
}

/// Checks the column that lies at `start` of `batch`; `end` is where the last column ends.
pub(super) fn check_column(
    data_type: &DataType,
    start: Position,
    end: Position,
    version: MetadataVersion,
    batch: RecordBatch<'_>,
    body: &Buffer,
) -> Result<(), String> {
    let (Some(nodes), Some(buffers)) = (batch.nodes(), batch.buffers()) else {
        return Err("it has no nodes or no buffers".to_owned());
    };
    let counts = batch.variadicBufferCounts();
    let view_count = |i: usize| -> Result<usize, String> {
        let count = counts.filter(|counts| i < counts.len()).map(|counts| counts.get(i));
        let count = count.and_then(|count| usize::try_from(count).ok());
        count
            .filter(|count| *count <= buffers.len())
            .ok_or_else(|| "the number of its view buffers is missing or wrong".to_owned())
    };
    let mut views_before = 0_usize;
    let mut views_all = 0_usize;
    for i in 0..end.views {
        let count = view_count(i)?;
        views_all = views_all.saturating_add(count);
        if i < start.views {
            views_before = views_all;
        }
    }
    if nodes.len() < end.nodes {
        return Err(format!("it has {} field nodes where the schema needs {}", nodes.len(), end.nodes));
    }
    let needed = end.buffers.saturating_add(views_all);
    if buffers.len() < needed {
        return Err(format!("it has {} buffers where the schema needs {needed}", buffers.len()));
    }
    if nodes.get(start.nodes).length() != batch.length() {
        return Err(format!(
            "it declares {} rows but the column has {} values",
            batch.length(),
            nodes.get(start.nodes).length()
        ));
    }
    let codec = match batch.compression().map(|compression| compression.codec()) {
        None => None,
        Some(codec @ (CompressionType::LZ4_FRAME | CompressionType::ZSTD)) => Some(codec),
        Some(other) => return Err(format!("its compression {other:?} is not supported")),
    };
    let mut walk = Walk {
        batch,
        body,
        version,
        codec,
        view_count: &view_count,
        node: start.nodes,
        buffer: start.buffers + views_before,
        view: start.views,
        decoded: 0,
    };
    walk.array(data_type)
}

struct Walk<'a> {
    batch: RecordBatch<'a>,
    body: &'a Buffer,
    version: MetadataVersion,
    codec: Option<CompressionType>,
    view_count: &'a dyn Fn(usize) -> Result<usize, String>,
    node: usize,
    buffer: usize,
    view: usize,
    decoded: u64,
}

impl Walk<'_> {
    fn array(&mut self, data_type: &DataType) -> Result<(), String> {
        let node = *self.batch.nodes().ok_or("it has no nodes")?.get(self.node);
        self.node += 1;
        let (Ok(length), Ok(nulls)) = (u64::try_from(node.length()), u64::try_from(node.null_count())) else {
            return Err("a field node is negative".to_owned());
        };
        if nulls > length {
            return Err(format!("it counts {nulls} missing values among {length}"));
        }
        let mut count = own_buffers(data_type, self.version);
        if is_view(data_type) {
            count += (self.view_count)(self.view)?;
            self.view += 1;
        }
        for i in 0..count {
            let available = self.next_buffer()?;
            let needed = self.needed(data_type, i, length, nulls)?;
            if available < needed {
                return Err(format!("buffer {i} of {data_type} has {available} bytes, {needed} are needed"));
            }
            if matches!(data_type, DataType::Union(..)) && !self.is_aligned(self.buffer - 1) {
                return Err("the offsets of a union do not lie at a multiple of four bytes".to_owned());
            }
            // The decoder views offsets as whole numbers and panics on a remainder.
            if i == 1 && available % offset_width(data_type) != 0 {
                return Err(format!(
                    "the offsets of {data_type} have {available} bytes, no whole number of them"
                ));
            }
        }
        children(data_type).into_iter().try_for_each(|child| self.array(child))
    }

    /// Whether buffer `i` lies at a multiple of four bytes. Decompressed buffers always do.
    fn is_aligned(&self, i: usize) -> bool {
        let offset = self.batch.buffers().map_or(0, |buffers| buffers.get(i).offset());
        self.codec.is_some() || (self.body.as_ptr() as usize).wrapping_add(offset as usize).is_multiple_of(4)
    }

    /// Bytes buffer `i` of an array must have at least.
    fn needed(&self, data_type: &DataType, i: usize, length: u64, nulls: u64) -> Result<u64, String> {
        let overflow = || format!("{length} values are more than any file holds");
        let of_width = |width: u64| length.checked_mul(width).ok_or_else(overflow);
        let offsets = |width: u64| {
            if length == 0 { Ok(0) } else { of_width(width)?.checked_add(width).ok_or_else(overflow) }
        };
        if let DataType::Union(..) = data_type {
            let types = usize::from(self.version < MetadataVersion::V5);
            return Ok(match i {
                i if i < types => 0,
                i if i == types => length,
                _ => of_width(4)?,
            });
        }
        if i == 0 {
            return Ok(if nulls > 0 { length.div_ceil(8) } else { 0 });
        }
        match (data_type, i) {
            (DataType::Boolean, 1) => Ok(length.div_ceil(8)),
            (DataType::Utf8 | DataType::Binary | DataType::List(_) | DataType::Map(..), 1) => offsets(4),
            (DataType::LargeUtf8 | DataType::LargeBinary | DataType::LargeList(_), 1) => offsets(8),
            (DataType::Utf8View | DataType::BinaryView, 1) => of_width(16),
            (DataType::ListView(_), _) => of_width(4),
            (DataType::LargeListView(_), _) => of_width(8),
            (DataType::FixedSizeBinary(width), 1) => {
                of_width(u64::try_from(*width).map_err(|_| "its width is negative".to_owned())?)
            }
            (DataType::Dictionary(key, _), 1) => of_width(key.primitive_width().unwrap_or(1) as u64),
            (other, 1) => of_width(other.primitive_width().unwrap_or(0) as u64),
            _ => Ok(0),
        }
    }

    /// Checks the next buffer and returns its length, decompressed.
    fn next_buffer(&mut self) -> Result<u64, String> {
        let i = self.buffer;
        let buffer = *self.batch.buffers().ok_or("it has no buffers")?.get(i);
        self.buffer += 1;
        let start = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let range = start.zip(length).and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let bytes = range.and_then(|range| self.body.get(range)).ok_or_else(|| {
            format!(
                "buffer {i} (bytes {}..+{}) lies outside the {} bytes of its body",
                buffer.offset(),
                buffer.length(),
                self.body.len()
            )
        })?;
        let stored = bytes.len() as u64;
        let Some(codec) = self.codec.filter(|_| stored > 0) else { return Ok(stored) };
        let Some((declared, _)) = bytes.split_first_chunk::<8>() else {
            return Err(format!("compressed buffer {i} is too short to say its length"));
        };
        let declared = i64::from_le_bytes(*declared);
        if declared == -1 {
            return Ok(stored - 8);
        }
        let declared =
            u64::try_from(declared).map_err(|_| format!("buffer {i} declares a negative length"))?;
        if codec == CompressionType::LZ4_FRAME && declared > stored.saturating_mul(LZ4_FACTOR) {
            return Err(format!(
                "buffer {i} declares {declared} bytes, more than its {stored} can expand to"
            ));
        }
        self.decoded = self.decoded.saturating_add(declared);
        if self.decoded > DECODED_LIMIT {
            return Err(format!(
                "one batch of it needs at least {} bytes decompressed, more than the {DECODED_LIMIT} allowed; \
                 write the file in smaller batches or uncompressed",
                self.decoded
            ));
        }
        Ok(declared)
    }
}
