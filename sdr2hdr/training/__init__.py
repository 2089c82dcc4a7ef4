"""From HDR pictures to weights."""
