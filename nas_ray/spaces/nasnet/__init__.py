"""The spaces of NASNet and PNAS: cells of blocks, and the nets made of them."""
