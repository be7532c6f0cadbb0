"""The digital body: bones, joints, muscles and skin as signed distance fields in LPS mm.

Every part is a frozen value with functions of points; nothing here knows of signal, slices or files. A hip is
built as a left one in its own frame (origin in the centre of the femoral head, x lateral, y to the back, z to
the head); the right one is its mirror image.
"""
