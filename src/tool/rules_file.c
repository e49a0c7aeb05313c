/* SPDX-License-Identifier: MIT
 * rules_file.c - see rules_file.h. */
#include "tool/rules_file.h"
#include "tool/tool.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* 0, or an exit code; *text is to be freed. */
static int file_read(const char *path, dx_text *text)
{
    char piece[65536];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0; /* a FIFO that nobody writes is not waited for */
    if (fd >= 0)
        fcntl(fd, F_SETFL, O_RDONLY);
    while (fd >= 0 && r == 0 && text->n <= RULES_FILE_MAX && (n = read(fd, piece, sizeof piece)) > 0)
        r = dx_text_add(text, piece, (size_t)n);
    if (fd < 0 || n < 0) {
        tool_say("%s: %s", path, strerror(errno));
        r = TOOL_LOCAL;
    } else if (r < 0) {
        tool_say("%s: no memory", path);
        r = TOOL_LIMIT;
    }
    if (fd >= 0)
        close(fd);
    return r;
}

static void say_faults(const char *path, const struct rules_faults *f)
{
    const char *p = f->words.p, *nl;
    for (; p && *p && (nl = strchr(p, '\n')); p = nl + 1)
        tool_say("%.*s", (int)(nl - p), p);
    if (f->count > RULES_FAULTS_MAX)
        tool_say("%s: these are the first %d faults", path, RULES_FAULTS_MAX);
}

int rules_of_file(const struct rules_given *g, struct rules **ret)
{
    dx_text text = {0};
    struct rules_faults faults = {0};
    int r = file_read(g->name, &text);
    if (r == 0 && !(*ret = rules_read(g, text.p ? text.p : "", text.n, &faults))) {
        say_faults(g->name, &faults);
        r = TOOL_USAGE;
    }
    dx_text_free(&faults.words);
    dx_text_free(&text);
    return r;
}

int rules_check_given(const struct rules_given *g)
{
    dx_err err = {0};
    dx_framer *f = g->frame ? dx_framer_new(g->frame, RULES_MESSAGE_MAX, &err) : NULL;
    dx_decoder *d = g->encoding && !err.code ? dx_decoder_new(g->encoding, DX_GUESS_LOCALE, &err) : NULL;
    dx_framer_free(f);
    dx_decoder_free(d);
    if (!err.code)
        return 0;
    const char *near = f || !g->frame ? nearest_coding(g->encoding) : NULL;
    tool_say("--%s%s%s%s%s", f || !g->frame ? "encoding: " : "", err.text, near ? ".  Did you mean " : "",
             near ? near : "", near ? "?" : "");
    return TOOL_USAGE;
}
