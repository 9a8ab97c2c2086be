//! Least recently used answers, within a budget of bytes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

/// A map that forgets what was used longest ago once it holds more than its budget.
pub(super) struct Cache<K, V> {
    entries: HashMap<K, Entry<V>>,
    budget: usize,
    bytes: usize,
    clock: u64,
}

impl<K: Hash + Eq + Clone, V> Cache<K, V> {
    pub(super) fn new(budget: usize) -> Cache<K, V> {
        Cache { entries: HashMap::new(), budget, bytes: 0, clock: 0 }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(&entry.value)
    }

    /// Keeps `value`, however large, and drops others until the budget holds.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.clock += 1;
        let entry = Entry { value, bytes, used: self.clock };
        if let Some(old) = self.entries.insert(key, entry) {
            self.bytes -= old.bytes;
        }
        self.bytes += bytes;
        while self.bytes > self.budget && self.entries.len() > 1 {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(entry) = oldest.and_then(|key| self.entries.remove(&key)) else { return };
            self.bytes -= entry.bytes;
        }
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the values that are `such`.
    pub(super) fn bytes_of(&self, such: impl Fn(&V) -> bool) -> usize {
        self.entries.values().filter(|entry| such(&entry.value)).map(|entry| entry.bytes).sum()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|_, entry| {
            let kept = keep(&entry.value);
            if !kept {
                *bytes -= entry.bytes;
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn what_was_used_longest_ago_is_forgotten_first() {
        let mut cache: Cache<&str, u32> = Cache::new(30);
        cache.insert("a", 1, 10);
        cache.insert("b", 2, 10);
        cache.insert("c", 3, 10);
        assert_eq!(cache.get("a"), Some(&1));
        cache.insert("d", 4, 10);
        assert_eq!(cache.get("b"), None);
        assert_eq!(cache.get("a"), Some(&1));
    }

    #[test]
    fn a_value_over_the_budget_is_kept_alone() {
        let mut cache: Cache<&str, u32> = Cache::new(30);
        cache.insert("a", 1, 10);
        cache.insert("big", 2, 100);
        assert_eq!(cache.get("a"), None);
        assert_eq!(cache.get("big"), Some(&2));
        cache.insert("big", 3, 5);
        assert_eq!(cache.bytes, 5);
    }
}
