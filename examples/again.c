/* again.c - stays connected: prints what comes, and dials again, later and later, when the connection has ended.
 *   ./again ws://127.0.0.1:2000/news */
#include <duplex/duplex.h>
#include <stdio.h>

static dx_loop *loop;
static dx_again again; /* all zero: from a quarter second to 30 */

static void opened(dx_conn *c)
{
    (void)c;
    again.tries = 0;
}

static void came(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)how;
    printf("%.*s\n", (int)n, (const char *)data);
    fflush(stdout);
}

static void dial(void *url);

static void closed(dx_conn *c, const dx_err *why)
{
    fprintf(stderr, "again: %s\n", why->text);
    if (dx_again_helps(why)) /* where it does not, the loop has nothing left and ends */
        dx_loop_after(loop, dx_again_ms(&again), dial, dx_user(c));
}

static void dial(void *url)
{
    static const dx_handler on = {.on_open = opened, .on_data = came, .on_close = closed};
    dx_err err;
    if (!dx_connect(loop, url, &on, url, NULL, &err))
        fprintf(stderr, "again: %s\n", err.text);
}

int main(int argc, char **argv)
{
    if (argc < 2 || !(loop = dx_loop_new(NULL)))
        return fprintf(stderr, "usage: again url\n") > 0;
    dial(argv[1]);
    return dx_loop_run(loop) < 0;
}
