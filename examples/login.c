/* SPDX-License-Identifier: MIT
 * login.c - who may come in, by prefix:  ./login http://127.0.0.1:4000   curl -u ada:lovelace 127.0.0.1:4000/
 *   curl -H 'Authorization: Bearer let-me-in' 127.0.0.1:4000/robots/ */
#include <duplex/router.h>
#include <stdio.h>
#include <string.h>

static bool is(dx_bytes given, const char *secret)
{
    return dx_secret_same(given, (dx_bytes){secret, strlen(secret)});
}

static int check(dx_conn *c, const dx_http_login *l, void *user)
{
    (void)user;
    if (l->scheme == DX_LOGIN_BEARER)
        return is(l->token, "let-me-in") ? dx_http_set_user(c, "a robot") : 401;
    return is(l->user, "ada") && is(l->password, "lovelace") ? 0 : is(l->user, "bob") ? 403 : 401;
}

static void greet(dx_conn *c)
{
    char text[600];
    int n = snprintf(text, sizeof text, "hello %s\n", dx_http_user(c));
    dx_http_reply(c, 200, "text/plain", text, (size_t)n, NULL, 0);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_open = greet};
    const dx_route people = {.auth = DX_AUTH_BASIC, .realm = "people", .check = check};
    const dx_route robots = {.auth = DX_AUTH_BEARER, .realm = "robots", .check = check};
    dx_err err = {.text = "usage: login url"};
    dx_router *router = argc == 2 ? dx_router_new(&err) : NULL;
    dx_loop *loop = router ? dx_loop_new(&err) : NULL;
    dx_opts opts = {.router = router};
    if (loop && dx_router_add(router, "/", &on, NULL, &people, &err) == 0 &&
        dx_router_add(router, "/robots/", &on, NULL, &robots, &err) == 0 &&
        dx_serve(loop, argv[1], NULL, NULL, &opts, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "login: %s\n", err.text);
    return 1;
}
