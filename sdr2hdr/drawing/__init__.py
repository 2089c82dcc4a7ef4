"""Pictures with words: labels, colour scales, false colours, plots and sheets, with Pillow and OpenCV.

All pixels are (H, W, 3) uint8, sRGB. Nothing here reads files or knows of nets; what is drawn comes as numbers.
"""
