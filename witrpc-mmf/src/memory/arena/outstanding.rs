//! The blocks that were lent to the peer and have not come back.

use std::collections::VecDeque;

use super::{Block, Released};

/// The lent blocks of an arena, in the order in which to check them.
#[derive(Debug, Default)]
pub struct Outstanding {
    blocks: VecDeque<Block>,
    granules: u32,
}

impl Outstanding {
    /// Returns how many blocks there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Returns how many granules all of them have together.
    pub fn granules(&self) -> u32 {
        self.granules
    }

    /// Adds a block that the peer holds.
    pub fn push(&mut self, block: Block) {
        self.granules += block.granules();
        self.blocks.push_back(block);
    }

    /// Does what [`next_released`](Self::next_released) does, if that block `fits`.
    pub fn next_released_if(
        &mut self,
        fits: impl FnOnce(&Block) -> bool,
        released: &impl Released,
    ) -> Option<Block> {
        if self.blocks.front().is_some_and(fits) { self.next_released(released) } else { None }
    }

    /// Checks the block that was not checked for longest. Removes and returns it if it has been
    /// released; otherwise moves it to the end.
    pub fn next_released(&mut self, released: &impl Released) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        if released.is_released(block.first_granule(), block.generation()) {
            self.granules -= block.granules();
            return Some(block);
        }
        self.blocks.push_back(block);
        None
    }
}
