/* again.c - stays connected: prints what comes, and dials again, later and later, when the connection has ended.
 *   ./again ws://127.0.0.1:2000/news */
#include <duplex/duplex.h>
#include <stdio.h>

struct plan {
    dx_loop *loop;
    const char *url;
    dx_again again;
};

static void opened(dx_conn *c)
{
    ((struct plan *)dx_user(c))->again.tries = 0;
}

static void came(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)c, (void)how;
    printf("%.*s\n", (int)n, (const char *)data);
    fflush(stdout);
}

static void dial(void *arg);

static void closed(dx_conn *c, const dx_err *why)
{
    struct plan *p = dx_user(c);
    fprintf(stderr, "%s\n", why->text);
    if (dx_again_helps(why)) /* where it does not, the loop has nothing left and ends */
        dx_loop_after(p->loop, dx_again_ms(&p->again), dial, p);
}

static void dial(void *arg)
{
    static const dx_handler on = {.on_open = opened, .on_data = came, .on_close = closed};
    struct plan *p = arg;
    dx_connect(p->loop, p->url, &on, p, NULL, NULL);
}

int main(int argc, char **argv)
{
    struct plan p = {.loop = argc > 1 ? dx_loop_new(NULL) : NULL, .url = argv[1]};
    if (!p.loop)
        return fprintf(stderr, "usage: again url\n") > 0;
    dial(&p);
    return dx_loop_run(p.loop) < 0;
}
