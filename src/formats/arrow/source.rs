//! A mapped Arrow file as a table: columns of batches, decoded when first read and kept.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayData, ArrayRef, new_empty_array};
use arrow::buffer::Buffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field as ArrowField, Schema as ArrowSchema};
use arrow::ipc::reader::RecordBatchDecoder;

use super::check::{Position, check_column, positions};
use super::dictionaries::{Dictionary, Unified, dictionary_id, dictionary_ids, nested_ids, unified_type};
use super::messages::{Layout, Part};
use crate::data::{Field, Schema};
use crate::dataset::{ReadError, Source};
use crate::memory::Mapped;

/// Bytes of decoded columns kept; those that only point into the map count next to nothing.
const KEPT_BYTES: usize = 512 << 20;
/// What one kept array costs besides its values.
const ENTRY_BYTES: usize = 512;
/// The latest columns are kept however large, because the next chunk of the same batch needs them.
const KEPT_ALWAYS: usize = 4;

/// Types nest no deeper than their flatbuffer may; dictionaries that do are a circle.
const DEEPEST_NESTING: usize = 64;

const UNIT_KEYS: [&str; 2] = ["unit", "units"];
const DESCRIPTION_KEYS: [&str; 3] = ["description", "comment", "doc"];

#[derive(Debug)]
pub(super) struct ArrowSource {
    mapped: Arc<Mapped>,
    identity: String,
    file: Buffer,
    layout: Layout,
    positions: Vec<Position>,
    schema: Schema,
    splits: Vec<u64>,
    page_rows: u64,
    dictionaries: HashMap<i64, Dictionary>,
    kept: Mutex<Kept>,
}

impl ArrowSource {
    pub(super) fn new(mapped: Arc<Mapped>, layout: Layout) -> ArrowSource {
        let file = mapped.buffer();
        let fields = layout.schema.fields().iter().map(|field| public_field(field, &layout)).collect();
        let rows = layout.starts.last().copied().unwrap_or(0);
        let mut splits: Vec<u64> =
            layout.starts.iter().copied().filter(|start| (1..rows).contains(start)).collect();
        splits.dedup();
        let dictionaries = layout
            .dictionaries
            .iter()
            .map(|(id, generations)| {
                let cells = generations.iter().map(|_| OnceLock::new()).collect();
                (*id, Dictionary { generations: cells, unified: OnceLock::new() })
            })
            .collect();
        let is_compressed = layout.batches.first().is_some_and(|batch| is_compressed(batch, &file));
        let longest = layout.starts.windows(2).map(|pair| pair[1] - pair[0]).max();
        let page_rows = longest.filter(|&rows| is_compressed && rows > 0).unwrap_or(1);
        ArrowSource {
            identity: format!("{}@{}", mapped.path().display(), mapped.fingerprint()),
            file,
            positions: positions(&layout.schema, layout.version),
            schema: Schema::new(fields),
            splits,
            page_rows,
            dictionaries,
            kept: Mutex::default(),
            layout,
            mapped,
        }
    }

    /// The whole column of one batch, from what is kept or decoded now.
    fn column(&self, batch: usize, column: usize) -> Result<ArrayRef, String> {
        let cell = self.kept.lock().unwrap_or_else(PoisonError::into_inner).cell((batch, column));
        // Outside the lock: another thread that wants this column waits here, all others go on.
        let result = cell.get_or_init(|| self.decode(batch, column)).clone();
        let bytes = result.as_ref().map_or(0, |array| self.owned_bytes(&array.to_data()));
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).weigh((batch, column), bytes + ENTRY_BYTES);
        result
    }

    fn decode(&self, batch: usize, column: usize) -> Result<ArrayRef, String> {
        let part = &self.layout.batches[batch];
        let place = |reason: String| format!("record batch {batch} (byte {}): {reason}", part.header.start);
        let field = self.layout.schema.field(column);
        let array =
            self.decode_part(part, &self.layout.schema, column, &self.needs(field, batch).map_err(place)?);
        let array = array.map_err(place)?;
        let Some(id) = dictionary_id(field) else { return Ok(array) };
        let generation = self.generation(id, batch);
        match self.unified(id).map_err(place)? {
            Some(unified) => {
                unified.apply(array, generation, &self.schema.fields()[column].data_type).map_err(place)
            }
            None => Ok(array),
        }
    }

    /// The dictionaries `field` needs, as they stand at `batch`.
    fn needs(&self, field: &ArrowField, batch: usize) -> Result<HashMap<i64, ArrayRef>, String> {
        let mut ids = Vec::new();
        dictionary_ids(field, &mut ids);
        self.values_at(&ids, batch, 0)
    }

    fn values_at(&self, ids: &[i64], batch: usize, depth: usize) -> Result<HashMap<i64, ArrayRef>, String> {
        let mut values = HashMap::new();
        for &id in ids {
            if let Some(generation) = self.generation(id, batch) {
                values.insert(id, self.generation_values(id, generation, depth)?);
            }
        }
        Ok(values)
    }

    /// Which generation of dictionary `id` holds at `batch`; none when none came before it.
    fn generation(&self, id: i64, batch: usize) -> Option<usize> {
        let generations = self.layout.dictionaries.get(&id)?;
        generations.partition_point(|generation| generation.first_batch <= batch).checked_sub(1)
    }

    fn generation_values(&self, id: i64, generation: usize, depth: usize) -> Result<ArrayRef, String> {
        if depth > DEEPEST_NESTING {
            return Err(format!("dictionary {id} contains itself"));
        }
        let missing = || format!("dictionary {id} is missing");
        let cell =
            self.dictionaries.get(&id).and_then(|d| d.generations.get(generation)).ok_or_else(missing)?;
        if let Some(values) = cell.get() {
            return values.clone();
        }
        let values = self
            .decode_dictionary(id, generation, depth)
            .map_err(|reason| format!("dictionary {id}: {reason}"));
        cell.get_or_init(|| values).clone()
    }

    fn decode_dictionary(&self, id: i64, generation: usize, depth: usize) -> Result<ArrayRef, String> {
        let generation = &self.layout.dictionaries[&id][generation];
        #[expect(deprecated, reason = "arrow offers no other way to the fields of an id")]
        let fields = self.layout.schema.fields_with_dict_id(id);
        let Some(DataType::Dictionary(_, value_type)) = fields.first().map(|field| field.data_type()) else {
            return Err("no column uses it".to_owned());
        };
        let schema = Arc::new(ArrowSchema::new(vec![ArrowField::new("", value_type.as_ref().clone(), true)]));
        let mut ids = Vec::new();
        nested_ids(value_type, &mut ids);
        let nested = self.values_at(&ids, generation.first_batch, depth + 1)?;
        let parts: Vec<ArrayRef> = generation
            .parts
            .iter()
            .map(|part| self.decode_part(part, &schema, 0, &nested))
            .collect::<Result<_, _>>()?;
        match parts.as_slice() {
            [values] => Ok(values.clone()),
            parts => join(parts),
        }
    }

    fn unified(&self, id: i64) -> Result<Option<Arc<Unified>>, String> {
        let Some(dictionary) = self.dictionaries.get(&id) else { return Ok(None) };
        let unify = || {
            let generations: Vec<ArrayRef> = (0..dictionary.generations.len())
                .map(|generation| self.generation_values(id, generation, 0))
                .collect::<Result<_, _>>()?;
            Unified::new(&generations).map(Arc::new).map_err(|reason| format!("dictionary {id}: {reason}"))
        };
        dictionary.unified.get_or_init(unify).clone().map(Some)
    }

    /// Decodes one column of a record batch, or of the batch inside a dictionary batch.
    fn decode_part(
        &self,
        part: &Part,
        schema: &Arc<ArrowSchema>,
        column: usize,
        dictionaries: &HashMap<i64, ArrayRef>,
    ) -> Result<ArrayRef, String> {
        let buffer = part.message(&self.file)?;
        let message = buffer.as_ref();
        let body = part.body(&self.file);
        let batch = message.header_as_record_batch();
        let inside = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
        let batch = batch.or_else(inside).ok_or("it holds no values")?;
        let version = message.version();
        let own;
        let positions = if Arc::ptr_eq(schema, &self.layout.schema) {
            &self.positions
        } else {
            own = positions(schema, version);
            &own
        };
        let (start, end) = (positions[column], positions[schema.fields().len()]);
        check_column(schema.field(column).data_type(), start, end, version, batch, &body)?;
        let decode = || {
            RecordBatchDecoder::try_new(&body, batch, schema.clone(), dictionaries, &version)?
                .with_projection(Some(&[column]))
                .read_record_batch()
        };
        catch_unwind(AssertUnwindSafe(decode))
            .map_err(|_| "its values are damaged in a way the decoder did not foresee".to_owned())?
            .map(|decoded| decoded.column(0).clone())
            .map_err(|error| format!("its values are damaged: {error}"))
    }

    /// Bytes of an array that lie outside the map; dictionary values are shared and not counted.
    fn owned_bytes(&self, data: &ArrayData) -> usize {
        let map = self.file.as_ptr_range();
        let own = |buffer: &Buffer| if map.contains(&buffer.as_ptr()) { 0 } else { buffer.capacity() };
        let values: usize = data.buffers().iter().map(own).sum();
        let nulls = data.nulls().map_or(0, |nulls| own(nulls.buffer()));
        let children = match data.data_type() {
            DataType::Dictionary(..) => 0,
            _ => data.child_data().iter().map(|child| self.owned_bytes(child)).sum(),
        };
        values + nulls + children
    }

    fn read_rows(&self, column: usize, rows: &Range<u64>) -> Result<ArrayRef, String> {
        let count = self.row_count();
        if rows.start > rows.end || rows.end > count {
            return Err(format!("the table has {count} rows"));
        }
        if rows.is_empty() {
            return Ok(new_empty_array(&self.schema.fields()[column].data_type));
        }
        let starts = &self.layout.starts;
        let mut parts = Vec::new();
        let mut at = rows.start;
        while at < rows.end {
            let batch = starts.partition_point(|start| *start <= at) - 1;
            let end = rows.end.min(starts[batch + 1]);
            let array = self.column(batch, column)?;
            parts.push(array.slice((at - starts[batch]) as usize, (end - at) as usize));
            at = end;
        }
        match parts.as_slice() {
            [part] => Ok(part.clone()),
            parts => join(parts),
        }
    }
}

fn is_compressed(batch: &Part, file: &Buffer) -> bool {
    batch.message(file).is_ok_and(|message| {
        message.as_ref().header_as_record_batch().is_some_and(|batch| batch.compression().is_some())
    })
}

/// Concatenates; arrow-select panics where offsets overflow.
fn join(parts: &[ArrayRef]) -> Result<ArrayRef, String> {
    let borrowed: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    catch_unwind(AssertUnwindSafe(|| concat(&borrowed)))
        .map_err(|_| "the values of several batches do not fit one array".to_owned())?
        .map_err(|error| error.to_string())
}

fn public_field(field: &ArrowField, layout: &Layout) -> Field {
    let generations = dictionary_id(field)
        .and_then(|id| layout.dictionaries.get(&id))
        .map_or(0, |generations| generations.len());
    let said = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| field.metadata().get(key))?;
        (!found.trim().is_empty()).then(|| found.trim().to_owned())
    };
    Field {
        name: field.name().clone(),
        data_type: unified_type(field.data_type(), generations),
        unit: said(&UNIT_KEYS),
        description: said(&DESCRIPTION_KEYS),
    }
}

impl Source for ArrowSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn row_count(&self) -> u64 {
        self.layout.starts.last().copied().unwrap_or(0)
    }

    fn read(&self, column: usize, rows: Range<u64>) -> Result<ArrayRef, ReadError> {
        self.read_rows(column, &rows).map_err(|reason| ReadError {
            column: self.schema.fields()[column].name.clone(),
            rows,
            reason: format!("{}: {reason}", self.mapped.path().display()),
        })
    }

    fn splits(&self) -> &[u64] {
        &self.splits
    }

    fn page_rows(&self) -> u64 {
        self.page_rows
    }

    fn is_current(&self) -> bool {
        self.mapped.is_current()
    }

    fn let_go(&self) {
        self.mapped.let_go();
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }
}

type Key = (usize, usize);
type Cell = Arc<OnceLock<Result<ArrayRef, String>>>;

/// Decoded columns of batches, the least recently used forgotten first.
#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    cell: Cell,
    last_use: u64,
    bytes: usize,
}

impl Kept {
    fn cell(&mut self, key: Key) -> Cell {
        self.uses += 1;
        let uses = self.uses;
        let entry = self.entries.entry(key).or_insert_with(|| Entry {
            cell: Cell::default(),
            last_use: uses,
            bytes: 0,
        });
        self.by_use.remove(&entry.last_use);
        self.by_use.insert(uses, key);
        entry.last_use = uses;
        entry.cell.clone()
    }

    fn weigh(&mut self, key: Key, bytes: usize) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.bytes = self.bytes - entry.bytes + bytes;
            entry.bytes = bytes;
        }
        while self.bytes > KEPT_BYTES && self.entries.len() > KEPT_ALWAYS {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
    }
}
