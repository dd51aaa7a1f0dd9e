// FreeType for Swift: letters as masks. Loaded by needletail_freetype_load, and not with the program. No logic.
#ifndef NEEDLETAIL_CFREETYPE_H
#define NEEDLETAIL_CFREETYPE_H

#include <stdint.h>

/// Loads the library unless it is; not for several threads at once. NULL, or why it could not be.
const char *needletail_freetype_load(void);

/// A font's file, opened; opaque.
typedef struct needletail_font needletail_font;

/// A letter, drawn: `coverage` has `height` rows of `stride` bytes, 0 to 255, until the next letter of the font.
typedef struct {
    const uint8_t *coverage;
    int width, height, stride;
    /// From the pen to the left edge, and from the base line up to the top edge, pixels.
    int left, top;
    /// How far the pen goes on, pixels.
    int advance;
} needletail_letter;

/// NULL when the file is no font.
needletail_font *needletail_font_open(const char *path);
void needletail_font_close(needletail_font *font);
/// The em square's height, pixels; 0 when the font has none so high.
int needletail_font_set_size(needletail_font *font, int pixels);
/// Draws a Unicode scalar; the font's sign for what it lacks where it lacks it. 0 when it cannot be drawn.
int needletail_font_draw(needletail_font *font, uint32_t scalar, needletail_letter *letter);

#endif
