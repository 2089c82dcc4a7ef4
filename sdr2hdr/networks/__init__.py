"""The nets: eager modules, all of them scriptable. Only training and the checkpoint's rebuilding name them."""
