"""What is done with pictures: files in, files out."""
