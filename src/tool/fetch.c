/* SPDX-License-Identifier: MIT
 * fetch.c - duplex fetch URL...: ask, and put what comes on stdout or into a file. One URL after the other, each tried anew as --retry
 * says, all on connections that the library keeps. */
#include "tool/fetch_inside.h"
#include "tool/tool.h"
#include "tool/wires.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -1: it can be fetched; else it has said why not. */
static int check_url(const char *url)
{
    bool here = !strncmp(url, "127.", 4) || !strncmp(url, "localhost", 9) || !strncmp(url, "[::1]", 5);
    const char *host = strstr(url, "://") ? strstr(url, "://") + 3 : url,
               *at = memrchr(host, '@', strcspn(host, "/?#"));
    if (at && (wire_is(url, "http") || wire_is(url, "https")))
        return tool_usage("a login does not go into a URL.  Try: --user NAME:PASSWORD %.*s%.300s", (int)(host - url),
                          url, at + 1);
    if (wire_is(url, "http") || wire_is(url, "https"))
        return -1;
    if (strstr(url, "://"))
        tool_say("fetch asks http:// and https:// alone.  Try: duplex dial %.300s", url);
    else
        tool_say("'%.300s' has no scheme.  Did you mean: duplex fetch %s://%.300s", url, here ? "http" : "https", url);
    return TOOL_USAGE;
}

static int read_url(struct fetching *t, const char *url)
{
    int r = check_url(url);
    if (r >= 0)
        return r;
    t->url = url;
    t->file.name = option_text(&t->o, "out");
    if (t->saves && file_name_of(url, t->name, sizeof t->name))
        t->file.name = t->name;
    else if (t->saves) {
        tool_say("%.300s: no name for a file in it.  Try: -o FILE", url);
        return TOOL_USAGE;
    }
    return -1;
}

/* What the options say, for each URL and wherever it leads: http may become https. What a fragment says the library reads. */
static int read_trust(struct fetching *t)
{
    struct options alone = t->o;
    alone.arg_count = 0;
    return trust_read(&t->trust, &alone, NULL, NULL);
}

void fetch_next(struct fetching *t)
{
    const char *url = t->o.args[t->at];
    if (tool_stopped() || t->at == t->o.arg_count) {
        tool_end();
        return;
    }
    t->at++;
    t->wrote = t->sent = false;
    t->code = 0;
    t->cause[0] = 0;
    retry_stood(&t->retry);
    int r = read_url(t, url);
    if (r < 0) {
        fetch_try(t);
        return;
    }
    t->worst = t->worst ? t->worst : r;
    fetch_next(t);
}

static int run(struct fetching *t)
{
    dx_err err = {0};
    t->loop = dx_loop_new(&err);
    if (!t->loop)
        return tool_fail("fetch", t->o.args[0], &err);
    tool_signals(t->loop);
    fetch_next(t);
    int r = tool_run(), signal = tool_stopped();
    fetch_clear_line(t);
    tool_loop_free(t->loop);
    if (signal)
        fetch_say_rest(t);
    part_leave(&t->file.part);
    if (signal)
        return 128 + signal;
    return r < 0 && !t->worst ? TOOL_FAILED : t->worst;
}

static int read_options(struct fetching *t)
{
    const struct options *o = &t->o;
    t->saves = option_has(o, "save");
    t->json = t->out.json = option_has(o, "json");
    t->head = option_has(o, "head");
    t->include = option_has(o, "include") || (t->head && !t->json);
    t->quiet = option_has(o, "quiet");
    t->verbose = option_has(o, "verbose");
    t->redraws = !t->quiet && isatty(STDERR_FILENO);
    t->out.coding = option_text(o, "encoding");
    t->out.terminal = isatty(STDOUT_FILENO);
    t->file.part.fd = -1;
    t->file.force = option_has(o, "force");
    t->file.goes_on = option_has(o, "continue");
    t->retry.on = option_has(o, "retry");
    t->retry.tries_max = option_number(o, "retry", 5);
    const char *out = option_text(o, "out");
    bool saves = out || t->saves;
    if (out && t->saves)
        tool_say("--out and --save are one too many");
    else if (out && o->arg_count > 1)
        tool_say("one file for %d URLs.  Try: --save, which takes a name from each", o->arg_count);
    else if (out && !strcmp(out, "-"))
        tool_say("without --out it goes to standard output");
    else if (t->file.goes_on && !saves)
        tool_say("--continue is for a file.  Try: -o FILE");
    else if (t->file.force && !saves)
        tool_say("--force is for a file.  Try: -o FILE");
    else if (t->out.coding && saves)
        tool_say("--encoding is for what is shown; a file gets the bytes as they are");
    else
        return -1;
    return TOOL_USAGE;
}

/* A misspelt coding is said before anything is asked for. */
static int check_coding(struct fetching *t)
{
    dx_err err;
    dx_decoder *d = t->out.coding ? dx_decoder_new(t->out.coding, DX_GUESS_LOCALE, &err) : NULL;
    if (!t->out.coding || d) {
        t->out.events.decoder = d;
        return -1;
    }
    const char *near = nearest_coding(t->out.coding);
    tool_say("%s%s%s", err.text, near ? "  Did you mean: " : "", near ? near : "");
    return TOOL_USAGE;
}

int cmd_fetch(int argc, char **argv)
{
    static struct fetching t;
    int r = options_read(argc, argv, &t.o);
    if (r >= 0)
        return r;
    r = read_options(&t);
    if (r < 0)
        r = check_coding(&t);
    if (r < 0)
        r = ask_read(&t.ask, &t.o);
    if (r < 0)
        r = read_trust(&t);
    if (r < 0)
        r = run(&t);
    ask_free(&t.ask);
    out_free(&t.out);
    trust_free(&t.trust);
    return r;
}
