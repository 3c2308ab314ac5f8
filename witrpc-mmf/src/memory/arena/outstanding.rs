//! Blocks that were lent to the peer and have not come back.

use std::collections::VecDeque;

use super::{Block, Released};

/// The lent blocks of an arena, in the order in which they are to be looked at.
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

    /// Granules in all of them together.
    pub fn granules(&self) -> u32 {
        self.granules
    }

    /// Adds a block that the peer holds.
    pub fn push(&mut self, block: Block) {
        self.granules += block.granules();
        self.blocks.push_back(block);
    }

    /// Looks at the block that was not looked at for longest: taken out if it has been released, put
    /// last if not.
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
