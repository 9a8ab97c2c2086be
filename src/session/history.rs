//! What can be undone and redone.

use super::Document;

/// Most steps kept.
const MOST: usize = 500;

/// Earlier and later states of the document.
#[derive(Debug, Default)]
pub(super) struct History {
    past: Vec<Document>,
    future: Vec<Document>,
}

impl History {
    /// Keeps `before`, the state about to be changed.
    pub(super) fn push(&mut self, before: Document) {
        self.future.clear();
        self.past.push(before);
        if self.past.len() > MOST {
            self.past.remove(0);
        }
    }

    pub(super) fn undo(&mut self, now: &Document) -> Option<Document> {
        let before = self.past.pop()?;
        self.future.push(now.clone());
        Some(before)
    }

    pub(super) fn redo(&mut self, now: &Document) -> Option<Document> {
        let after = self.future.pop()?;
        self.past.push(now.clone());
        Some(after)
    }

    pub(super) fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub(super) fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = History::default();
    }
}
