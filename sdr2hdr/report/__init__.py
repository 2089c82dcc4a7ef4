"""A picture before and after as one HTML page that needs nothing else: no network, no other file, no HDR screen.

`subject` gathers what there is to show, `codes` packs the light, `page` and `index` assemble the HTML from the .html,
.css and .js files of this folder. These are what a browser runs, as they are; nothing has to be built.
"""
