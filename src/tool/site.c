/* SPDX-License-Identifier: MIT
 * site.c - see site.h. */
#include "tool/site.h"
#include "tool/tool.h"
#include <duplex/http.h>

static void *answer(void *arg, dx_conn *c)
{
    struct site *s = arg;
    return files_answer(s->files, c);
}

static void more(void *talk)
{
    files_more(talk);
}

static void gone(void *talk)
{
    files_gone(talk);
}

static void done(void *arg, const struct hub_request *r)
{
    access_log_add(&((struct site *)arg)->log, r);
}

/* What nobody has asked for costs no request anything. */
const struct hub_site *site_calls(struct site *s)
{
    s->calls = (struct hub_site){.done = s->log.fd > 0 ? done : NULL};
    if (s->files) {
        s->calls.answer = answer;
        s->calls.more = more;
        s->calls.gone = gone;
    }
    return &s->calls;
}

int site_open(struct site *s, const struct options *o)
{
    const char *text = option_text(o, "access-log"), *json = option_text(o, "access-log-json");
    const struct files_opts files = {.hidden = option_has(o, "hidden"),
                                     .no_listing = option_has(o, "no-listing"),
                                     .no_compression = option_has(o, "no-compression"),
                                     .home = "/~",
                                     .home_word = "the room"};
    dx_err err = {0};
    if (text && json) {
        tool_say("--access-log and --access-log-json are one log: give one of them");
        return TOOL_USAGE;
    }
    if (!o->arg_count && (files.hidden || files.no_listing || files.no_compression)) {
        tool_say("--hidden, --no-listing and --no-compression are about the files of a folder.  Try: duplex serve "
                 "--hidden .");
        return TOOL_USAGE;
    }
    if ((text || json) && access_log_open(&s->log, text ? text : json, json != NULL) < 0)
        return TOOL_LOCAL;
    s->files = o->arg_count ? files_open(o->args[0], &files, &err) : NULL;
    if (o->arg_count && !s->files) {
        tool_say("%s", err.text);
        return TOOL_LOCAL;
    }
    return -1;
}

void site_reopen(struct site *s)
{
    access_log_reopen(&s->log);
}

void site_close(struct site *s)
{
    files_close(s->files);
    access_log_close(&s->log);
}
