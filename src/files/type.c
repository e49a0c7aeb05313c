/* SPDX-License-Identifier: MIT
 * type.c - media types by the end of a name, and which charset a text is in. */
#include "files/inside.h"
#include <string.h>
#include <strings.h>

enum { IS_TEXT = 1, SHRINKS = 2, TEXT = IS_TEXT | SHRINKS };
static const struct {
    const char *end, *type;
    int is;
} types[] = {
    {"html", "text/html", TEXT},
    {"htm", "text/html", TEXT},
    {"css", "text/css", TEXT},
    {"js", "text/javascript", TEXT},
    {"mjs", "text/javascript", TEXT},
    {"json", "application/json", SHRINKS},
    {"map", "application/json", SHRINKS},
    {"ndjson", "application/x-ndjson", SHRINKS},
    {"txt", "text/plain", TEXT},
    {"log", "text/plain", TEXT},
    {"md", "text/markdown", TEXT},
    {"csv", "text/csv", TEXT},
    {"tsv", "text/tab-separated-values", TEXT},
    {"c", "text/plain", TEXT},
    {"h", "text/plain", TEXT},
    {"cc", "text/plain", TEXT},
    {"cpp", "text/plain", TEXT},
    {"cs", "text/plain", TEXT},
    {"go", "text/plain", TEXT},
    {"java", "text/plain", TEXT},
    {"py", "text/plain", TEXT},
    {"rs", "text/plain", TEXT},
    {"sh", "text/plain", TEXT},
    {"ts", "text/plain", TEXT},
    {"conf", "text/plain", TEXT},
    {"ini", "text/plain", TEXT},
    {"toml", "text/plain", TEXT},
    {"yaml", "text/plain", TEXT},
    {"yml", "text/plain", TEXT},
    {"diff", "text/plain", TEXT},
    {"patch", "text/plain", TEXT},
    {"sql", "text/plain", TEXT},
    {"tex", "text/plain", TEXT},
    {"rules", "text/plain", TEXT},
    {"xml", "application/xml", SHRINKS},
    {"xhtml", "application/xhtml+xml", SHRINKS},
    {"svg", "image/svg+xml", SHRINKS},
    {"ics", "text/calendar", TEXT},
    {"vtt", "text/vtt", TEXT},
    {"vcf", "text/vcard", TEXT},
    {"png", "image/png", 0},
    {"jpg", "image/jpeg", 0},
    {"jpeg", "image/jpeg", 0},
    {"gif", "image/gif", 0},
    {"webp", "image/webp", 0},
    {"avif", "image/avif", 0},
    {"bmp", "image/bmp", SHRINKS},
    {"ico", "image/vnd.microsoft.icon", SHRINKS},
    {"tif", "image/tiff", 0},
    {"tiff", "image/tiff", 0},
    {"mp3", "audio/mpeg", 0},
    {"m4a", "audio/mp4", 0},
    {"ogg", "audio/ogg", 0},
    {"opus", "audio/ogg", 0},
    {"flac", "audio/flac", 0},
    {"wav", "audio/wav", 0},
    {"mp4", "video/mp4", 0},
    {"m4v", "video/mp4", 0},
    {"webm", "video/webm", 0},
    {"mkv", "video/matroska", 0},
    {"mov", "video/quicktime", 0},
    {"avi", "video/x-msvideo", 0},
    {"mpg", "video/mpeg", 0},
    {"woff", "font/woff", 0},
    {"woff2", "font/woff2", 0},
    {"ttf", "font/ttf", SHRINKS},
    {"otf", "font/otf", SHRINKS},
    {"pdf", "application/pdf", 0},
    {"wasm", "application/wasm", SHRINKS},
    {"epub", "application/epub+zip", 0},
    {"zip", "application/zip", 0},
    {"gz", "application/gzip", 0},
    {"tgz", "application/gzip", 0},
    {"bz2", "application/x-bzip2", 0},
    {"xz", "application/x-xz", 0},
    {"zst", "application/zstd", 0},
    {"br", "application/octet-stream", 0},
    {"7z", "application/x-7z-compressed", 0},
    {"rar", "application/vnd.rar", 0},
    {"tar", "application/x-tar", SHRINKS},
    {"jar", "application/java-archive", 0},
    {"deb", "application/vnd.debian.binary-package", 0},
    {"iso", "application/x-iso9660-image", 0},
    {"doc", "application/msword", SHRINKS},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 0},
    {"xls", "application/vnd.ms-excel", SHRINKS},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 0},
    {"ppt", "application/vnd.ms-powerpoint", SHRINKS},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", 0},
    {"odt", "application/vnd.oasis.opendocument.text", 0},
    {"rtf", "application/rtf", SHRINKS},
};
static const char unknown[] = "application/octet-stream";

static const char *end_of(const char *name)
{
    const char *base = strrchr(name, '/'), *dot;
    base = base ? base + 1 : name;
    dot = strrchr(base, '.');
    return dot && dot > base ? dot + 1 : "";
}

const char *type_of(const char *name)
{
    const char *base = strrchr(name, '/'), *end = end_of(name);
    static const char *const texts[] = {"README", "LICENSE", "COPYING", "Makefile", "CHANGES", "NEWS", "AUTHORS"};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (!strcasecmp(end, types[i].end))
            return types[i].type;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!strcmp(base ? base + 1 : name, texts[i]))
            return "text/plain";
    return unknown;
}

static int is(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (!strcmp(types[i].type, type))
            return types[i].is;
    return 0;
}

bool type_is_text(const char *type)
{
    return is(type) & IS_TEXT;
}

bool type_shrinks(const char *type)
{
    return is(type) & SHRINKS;
}

/* UTF-8 but for a character that is cut at the end of what was looked at. */
static bool is_utf8(const uint8_t *p, size_t n, bool whole)
{
    for (size_t cut = 0; cut <= (whole ? 0 : 3) && cut <= n; cut++)
        if (dx_is_utf8(p, n - cut))
            return true;
    return false;
}

static bool is_gb18030(const void *p, size_t n, bool whole)
{
    dx_decoder *d = dx_decoder_new("gb18030", DX_GUESS_GB, NULL);
    dx_text t = {0};
    int bad = d ? dx_decode(d, p, n, whole, &t) : -1;
    dx_text_free(&t);
    dx_decoder_free(d);
    return bad == 0;
}

const char *type_charset(const void *p, size_t n, bool whole)
{
    if (memchr(p, 0, n))
        return NULL; /* UTF-16 and what is no text at all say so themselves, or do not */
    return is_utf8(p, n, whole) ? "utf-8" : is_gb18030(p, n, whole) ? "gb18030" : NULL;
}
