//! What pictures are painted with: axes and ticks, brushes, colours, icons.
//!
//! Nothing here knows a session or asks a question: geometry and shapes only.

pub mod axis;
pub mod brush;
pub mod color_map;
pub mod icon;
pub mod readout;
pub mod ticks;
