"""What the method did to one picture: every step as a labelled picture, and the figures.

observed    one conversion with its intermediate results
origin      which light was measured, recovered or invented
figures     the numbers
views       layers and light as pictures for any screen
panels      the labelled pictures
sheet       their files, and one sheet with all of them
"""
