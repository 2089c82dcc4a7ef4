"""python -m sdr2hdr"""

from sdr2hdr.cli import main

main()
