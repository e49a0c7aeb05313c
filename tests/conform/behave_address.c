/* SPDX-License-Identifier: MIT
 * behave_address.c - names: who we are, who they are, what is taken, what is left behind. */
#include "conform.h"
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void names(struct world *w)
{
    struct end *e;
    const char *local, *peer;
    char kept[300];
    MUST_DO(both(w, &on_quiet, &on_quiet));
    e = w->s ? w->s : w->c;
    MUST_STR(dx_wire(e->c), w->scheme->wire);
    MUST_INT(dx_kind_of(e->c), has(w, HAS_BYTES) ? DX_BYTES : DX_MESSAGES);
    MUST(dx_loop_of(e->c) == w->loop);
    MUST(dx_find(w->loop, dx_id_of(e->c)) == e->c);
    MUST(dx_find(w->loop, 0) == NULL);
    MUST(dx_user(e->c) == e);
    MUST_INT(dx_why(e->c)->code, 0);
    local = dx_local(e->c);
    MUST(local != NULL);
    snprintf(kept, sizeof kept, "%s", local);
    peer = dx_peer(e->c);
    MUST(peer != NULL);
    if (!has(w, HAS_LISTENER))
        return;
    MUST_INT(dx_listener_conns(w->listener), 1);
    MUST(dx_is_loopback(w->s->c) && dx_is_loopback(w->c->c));
    if (w->scheme->family == AF_UNIX)
        return;
    MUST_SAY(!strncmp(kept, w->scheme->wire, strlen(w->scheme->wire)), "dx_local is %s", kept);
    MUST_SAY(!strncmp(peer, w->scheme->wire, strlen(w->scheme->wire)), "dx_peer is %s", peer);
    snprintf(kept, sizeof kept, "%s", peer);
    MUST_STR(dx_local(w->c->c), kept); /* what the server calls its peer, the client calls itself */
}

/* Each url of a listener can be dialled as it stands. */
static void every_url_dials(struct world *w)
{
    int n = 0, port = 0;
    MUST_DO(serve(w, &on_echo));
    for (const char *url; (url = dx_listener_url(w->listener, n)); n++) {
        MUST_SAY(strncmp(url + strlen(url) - 2, ":0", 2), "%s has port 0", url);
        if (w->scheme->family != AF_UNIX) {
            MUST_SAY(!port || port == atoi(strrchr(url, ':') + 1), "%s has another port than %d", url, port);
            port = atoi(strrchr(url, ':') + 1);
        }
        w->c = NULL;
        MUST_DO(dial(w, url, &on_quiet));
        WAIT(w->c->opens);
        put(w->c, 10);
        WAIT(w->c->got == 10);
    }
    MUST(n >= 1);
    MUST(w->scheme->name[3] != '-' || n >= 2);
    MUST(dx_listener_url(w->listener, -1) == NULL);
}

static void taken(struct world *w)
{
    dx_err err = {0};
    MUST_DO(serve(w, &on_echo));
    MUST(!dx_serve(w->loop, w->url, &on_default, NULL, &w->so, &err));
    MUST_INT(err.code, DX_BUSY);
    MUST_SAY(strstr(err.text, strchr(w->url, ':') + 3), "the words do not name %s: %s", w->url, err.text);
    MUST_DO(dial(w, NULL, &on_quiet));
    WAIT(w->c->opens);
    put(w->c, 10);
    WAIT(w->c->got == 10);
}

/* A socket that a dead server left behind is replaced; a living one is not; ours is gone when we are. */
static void path_left_behind(struct world *w)
{
    char url[256], *path;
    dx_err err = {0};
    struct stat st;
    int fd;
    name_url(w, url, sizeof url);
    path = url + strlen(w->scheme->wire) + 3;
    fd = raw_socket(w, url, true, 4, NULL, 0);
    MUST(fd >= 0);
    MUST(!dx_serve(w->loop, url, &on_default, NULL, NULL, &err));
    MUST_INT(err.code, DX_BUSY);
    close(fd);
    MUST(lstat(path, &st) == 0);
    w->listener = dx_serve(w->loop, url, &on_default, NULL, NULL, &err);
    MUST_SAY(w->listener, "%d %s", err.code, err.text);
    MUST(lstat(path, &st) == 0);
    MUST_SAY((st.st_mode & 0777) == 0600, "mode %o", st.st_mode & 0777);
    dx_listener_drain(w->listener, 0);
    pass(w, 1);
    MUST(lstat(path, &st) < 0);
}

/* A file that is no socket is not ours to remove. */
static void path_is_a_file(struct world *w)
{
    char url[256], *path;
    dx_err err = {0};
    FILE *f;
    name_url(w, url, sizeof url);
    path = url + strlen(w->scheme->wire) + 3;
    f = fopen(path, "we");
    MUST(f != NULL);
    fclose(f);
    MUST(!dx_serve(w->loop, url, &on_default, NULL, NULL, &err));
    MUST(err.code < 0 && strstr(err.text, path));
    MUST(access(path, F_OK) == 0);
    unlink(path);
}

static void raw_echo_once(struct raw *r)
{
    if (raw_want(r, 10) && raw_put(r, 10))
        raw_want_end(r);
}

/* A name with addresses of two families, one of which nobody listens on. */
static void by_name(struct world *w)
{
    struct raw *r;
    char url[300];
    MUST_DO(r = raw_listens(w, raw_echo_once));
    snprintf(url, sizeof url, "%s://localhost:%s", w->scheme->wire, strrchr(r->url, ':') + 1);
    MUST_DO(dial(w, url, &on_quiet));
    WAIT(w->c->opens);
    put(w->c, 10);
    WAIT(w->c->got == 10);
    end_close(w->c);
    MUST_DO(raw_join(r));
    WAIT(w->c->closes);
}

const struct behaviour behave_address[] = {
    {"names of both ends", 0, HAS_HTTP | HAS_ANY | HAS_NO_WIRE, names},
    {"every url of a listener dials", HAS_LISTENER, 0, every_url_dials},
    {"a taken address is DX_BUSY", HAS_LISTENER, 0, taken},
    {"a path left behind is taken over", HAS_PATH, 0, path_left_behind},
    {"a path that is a file stays", HAS_PATH, 0, path_is_a_file},
    {"by name, one family dead", HAS_BY_NAME, 0, by_name},
    {0},
};
