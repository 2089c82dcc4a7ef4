"""Give SDR pictures back the light that clipping took.

The floors of the house; a module imports only from lower ones:

    cli                                       words typed by people
    jobs, training                            uses of the method
    pipeline                                  the method, in order
    grade                                     the virtual camera of the display look
    formats, decompose, camera                its steps
    mask, wls, scale, tonemap, checkpoint     what the steps need
    networks                                  the nets
    color, image, device                      things that know only numbers
    errors, registry                          words
"""

__version__ = "0.1.0"
