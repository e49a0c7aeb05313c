/* SPDX-License-Identifier: MIT
 * fetch.c - what is at each URL, redirects followed and compression taken off; one connection serves those at one place:
 *   ./fetch https://a.example/1 https://a.example/2 */
#include <duplex/fetch.h>
#include <stdio.h>

static int left, failed;

static void data(dx_conn *c, const void *p, size_t n, unsigned how)
{
    (void)how;
    if (fwrite(p, 1, n, stdout) < n)
        dx_abort(c);
}

static void next(dx_conn *c, const dx_err *why);
static const dx_handler on = {.on_data = data, .on_close = next};

static void ask(dx_loop *loop, char **urls)
{
    const dx_fetch_opts o = {.redirects_max = 10, .decode = true};
    dx_err err;
    if (left-- > 0 && !dx_fetch(loop, *urls, &on, urls, &o, &err))
        failed = fprintf(stderr, "fetch: %s\n", err.text);
}

static void next(dx_conn *c, const dx_err *why)
{
    fprintf(stderr, "%d\n", dx_http_status(c));
    if (why->code != DX_END)
        failed = fprintf(stderr, "fetch: %s\n", why->text);
    ask(dx_loop_of(c), (char **)dx_user(c) + 1);
}

int main(int argc, char **argv)
{
    dx_loop *loop = dx_loop_new(NULL);
    left = argc - 1;
    ask(loop, argv + 1);
    dx_loop_run(loop);
    dx_loop_free(loop);
    return failed != 0;
}
