/* cases.c - this library's WebSocket client before a fuzzing server, as the Autobahn test suite has one: runs each of its cases, which is a conn
 * that says back whatever it hears, and then asks for the report. A second word, even "", is for permessage-deflate: its parameters.
 *   ./cases ws://127.0.0.1:9001 client_no_context_takeover */
#include <duplex/ws.h>
#include <stdio.h>

static dx_loop *loop;
static const char *server;
static dx_ws_opts ws;
static int at, count; /* the case; 0: how many are there? */

static void dial(void);

static void heard(dx_conn *c, const void *data, size_t n, unsigned how)
{
    if (at > 0)
        dx_send(c, data, n, how);
    for (size_t i = 0; at == 0 && i < n; i++)
        count = count * 10 + ((const char *)data)[i] - '0';
}

static void closed(dx_conn *c, const dx_err *why)
{
    (void)c, printf("%d of %d: %s\n", at, count, why->text);
    if (at++ < count + (count > 0))
        dial();
}

static void dial(void)
{
    static const dx_handler on = {.on_data = heard, .on_close = closed};
    char one[60], url[300];
    dx_err err;
    snprintf(one, sizeof one, "runCase?case=%d&agent=duplex", at);
    const char *what = at == 0 ? "getCaseCount" : at <= count ? one : "updateReports?agent=duplex";
    snprintf(url, sizeof url, "%s/%s", server, what);
    if (!dx_ws_connect(loop, url, &on, NULL, NULL, &ws, &err))
        fprintf(stderr, "cases: %s\n", err.text);
}

int main(int argc, char **argv)
{
    if (argc < 2 || !(server = argv[1]) || !(loop = dx_loop_new(NULL)))
        return fprintf(stderr, "usage: cases url [deflate]\n") > 0;
    ws.deflate = argv[2]; /* NULL where it was not given */
    dial();
    return dx_loop_run(loop) < 0 || !count;
}
