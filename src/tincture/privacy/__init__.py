"""Where real records are held, and the only way anything is learned from them."""
