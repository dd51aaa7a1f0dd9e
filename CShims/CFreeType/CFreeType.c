#include "CFreeType.h"

#include <dlfcn.h>
#include <ft2build.h>
#include <stdlib.h>

#include FT_FREETYPE_H

struct needletail_font {
    FT_Library library;
    FT_Face face;
};

// The declarations of the header give each pointer its type.
static struct {
    __typeof__(&FT_Init_FreeType) init;
    __typeof__(&FT_Done_FreeType) done;
    __typeof__(&FT_New_Face) open;
    __typeof__(&FT_Done_Face) close;
    __typeof__(&FT_Set_Pixel_Sizes) set_size;
    __typeof__(&FT_Load_Char) load;
} type;

static int is_loaded;

static int find(void *library, const char *symbol, void *pointer) {
    void *found = library == NULL ? NULL : dlsym(library, symbol);
    *(void **)pointer = found;
    return found != NULL;
}

const char *needletail_freetype_load(void) {
    if (is_loaded) return NULL;
    void *library = dlopen("libfreetype.so.6", RTLD_NOW | RTLD_LOCAL);
    is_loaded = find(library, "FT_Init_FreeType", &type.init) && find(library, "FT_Done_FreeType", &type.done) &&
                find(library, "FT_New_Face", &type.open) && find(library, "FT_Done_Face", &type.close) &&
                find(library, "FT_Set_Pixel_Sizes", &type.set_size) && find(library, "FT_Load_Char", &type.load);
    if (is_loaded) return NULL;
    const char *reason = dlerror();
    return reason == NULL ? "libfreetype lacks a function" : reason;
}

needletail_font *needletail_font_open(const char *path) {
    needletail_font *font = calloc(1, sizeof(*font));
    if (font == NULL) return NULL;
    if (type.init(&font->library) != 0) {
        free(font);
        return NULL;
    }
    if (type.open(font->library, path, 0, &font->face) != 0) {
        type.done(font->library);
        free(font);
        return NULL;
    }
    return font;
}

void needletail_font_close(needletail_font *font) {
    if (font == NULL) return;
    type.close(font->face);
    type.done(font->library);
    free(font);
}

int needletail_font_set_size(needletail_font *font, int pixels) {
    return type.set_size(font->face, 0, (FT_UInt)pixels) == 0;
}

int needletail_font_draw(needletail_font *font, uint32_t scalar, needletail_letter *letter) {
    if (type.load(font->face, scalar, FT_LOAD_RENDER) != 0) return 0;
    FT_GlyphSlot slot = font->face->glyph;
    if (slot->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY || slot->bitmap.pitch < 0) return 0;
    letter->coverage = slot->bitmap.buffer;
    letter->width = (int)slot->bitmap.width;
    letter->height = (int)slot->bitmap.rows;
    letter->stride = slot->bitmap.pitch;
    letter->left = slot->bitmap_left;
    letter->top = slot->bitmap_top;
    letter->advance = (int)(slot->advance.x >> 6);
    return 1;
}
