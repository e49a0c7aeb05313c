/* SPDX-License-Identifier: MIT
 * test_save.c - dx_save right on a stream: by splice, and what becomes of it where splice is short, refuses or fails. SEED=n
 * repeats a run. */
#include "test.h"
#include <dirent.h>
#include <duplex/duplex.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MIB = 1 << 20, MOST = 5 * MIB, ROOM = 600000 }; /* ROOM: more than one on_data */
static uint8_t bytes[MOST], back[MOST + 1];
static unsigned seed;

/* ---- splice, seen and spoilt ---- */

static int splices, refuse_at; /* refuse_at: this call into a file says EINVAL */
static bool shorten;
ssize_t __real_splice(int in, off_t *in_off, int out, off_t *out_off, size_t n, unsigned flags);
ssize_t __wrap_splice(int in, off_t *in_off, int out, off_t *out_off, size_t n, unsigned flags);
ssize_t __wrap_splice(int in, off_t *in_off, int out, off_t *out_off, size_t n, unsigned flags)
{
    bool to_file = !(flags & SPLICE_F_NONBLOCK);
    splices += to_file;
    if (to_file && splices == refuse_at) {
        errno = EINVAL;
        return -1;
    }
    return __real_splice(in, in_off, out, out_off, shorten ? 1 + (size_t)rand_r(&seed) % n : n, flags);
}

/* ---- a peer that writes ---- */

struct writer {
    const char *url;
    size_t n;
    int urgent_at; /* -1: nothing out of band */
    bool whole;    /* all of it was taken      */
};

static int dial(const char *url)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool is_unix = !strncmp(url, "unix", 4);
    if (is_unix)
        memcpy(un.sun_path + 1, strchr(url, '@') + 1, strlen(strchr(url, '@') + 1));
    else
        in.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    int fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = is_unix ? connect(fd, (struct sockaddr *)&un,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(strchr(url, '@'))))
                    : connect(fd, (struct sockaddr *)&in, sizeof in);
    return r < 0 ? -1 : fd;
}

static void *write_all(void *arg)
{
    struct writer *w = arg;
    unsigned mine = (unsigned)w->n + 1;
    int fd = dial(w->url);
    size_t at = 0;
    while (fd >= 0 && at < w->n) {
        size_t step = rand_r(&mine) % 4 ? 1 + (size_t)rand_r(&mine) % (MIB / 4) : 1 + (size_t)rand_r(&mine) % 5000;
        if (w->urgent_at >= 0 && at >= (size_t)w->urgent_at) {
            send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL);
            w->urgent_at = -1;
        }
        ssize_t got = send(fd, bytes + at, step < w->n - at ? step : w->n - at, MSG_NOSIGNAL);
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    shutdown(fd, SHUT_WR);
    w->whole = at == w->n && read(fd, &(char){0}, 1) == 0;
    close(fd);
    return NULL;
}

/* ---- the saving side ---- */

static struct {
    int fd;
    int64_t n_max;
    size_t first; /* so many bytes by on_data before it is saved */
    size_t heard;
    bool rests;
    int result;
    dx_err why;
    dx_listener *listener;
} save;

static void go_on(dx_conn *c)
{
    dx_pause(c, false);
}

static void rest(dx_conn *c)
{
    dx_pause(c, true);
    dx_after(c, 1, go_on);
    dx_after(c, 3, rest);
}

static void on_open(dx_conn *c)
{
    dx_listener_drain(save.listener, 0);
    if (!save.first)
        save.result = dx_save(c, save.fd, save.n_max);
    if (save.rests)
        rest(c);
}

static void on_data(dx_conn *c, const void *data, size_t n, unsigned how)
{
    (void)how;
    save.heard += n;
    if (write(save.fd, data, n) != (ssize_t)n)
        dx_abort(c);
    if (save.heard >= save.first)
        save.result = dx_save(c, save.fd, save.n_max);
}

static void on_close(dx_conn *c, const dx_err *why)
{
    (void)c;
    save.why = *why;
}

static const dx_handler on = {.on_open = on_open, .on_data = on_data, .on_close = on_close};

static int open_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static int new_file(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* n bytes to url, saved as `save` says; the file is closed. */
static void run(const char *url, size_t n, int urgent_at, bool *ret_whole, size_t *ret_got)
{
    dx_err err = {0};
    pthread_t t;
    int before = open_descriptors();
    dx_loop *l = dx_loop_new(&err);
    save.listener = dx_serve(l, url, &on, NULL, NULL, &err);
    CHECK_SAY(save.listener, "%s", err.text);
    char dialable[120];
    snprintf(dialable, sizeof dialable, "%s", dx_listener_url(save.listener, 0));
    struct writer w = {.url = dialable, .n = n, .urgent_at = urgent_at};
    save.heard = 0;
    pthread_create(&t, NULL, write_all, &w);
    int r = dx_loop_run(l);
    dx_loop_free(l);
    pthread_join(t, NULL);
    CHECK_INT(r, 0);
    CHECK_INT(save.result, 0);
    CHECK_INT(open_descriptors(), before);
    ssize_t got = pread(save.fd, back, sizeof back, 0);
    close(save.fd);
    CHECK(got >= 0);
    *ret_got = (size_t)got;
    *ret_whole = w.whole;
}

static void begin(int fd)
{
    memset(&save, 0, sizeof save);
    save.fd = fd;
    save.n_max = -1;
    splices = refuse_at = 0;
    shorten = false;
    if (bytes[1])
        return;
    seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)getpid();
    printf("# SEED=%u\n", seed);
    for (size_t i = 0; i < MOST; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13 | (i == 1));
}

static void saves(const char *url, size_t n)
{
    bool whole;
    size_t got;
    run(url, n, -1, &whole, &got);
    CHECK_SAY(save.why.code == DX_END, "%s: %zu bytes: %d %s", url, n, save.why.code, save.why.text);
    CHECK_MEM(back, got, bytes, n);
    CHECK(whole);
}

static const char *const urls[] = {"tcp://127.0.0.1:0", "unix://@duplex-test-save"};

TEST(every_size_near_a_boundary_arrives_whole)
{
    static const size_t near[] = {1, 4096, 65536, 512 << 10, MIB, MIB + 4096, 3 * MIB};
    for (size_t u = 0; u < 2; u++)
        for (size_t i = 0; i < sizeof near / sizeof *near; i++)
            for (size_t n = near[i] - 1; n <= near[i] + 1; n++) {
                begin(new_file());
                save.n_max = i % 2 ? (int64_t)n : -1;
                saves(urls[u], n);
                CHECK(n == 0 || splices > 0);
            }
}

TEST(random_sizes_with_pauses_and_short_splices)
{
    for (int i = 0; i < 30; i++) {
        begin(new_file());
        shorten = i % 2;
        save.rests = i % 3 == 0;
        save.first = i % 5 == 0 ? 1000 : 0;
        saves(urls[i / 2 % 2], 200000 + (size_t)rand_r(&seed) % (shorten ? MIB : MOST - 200000));
    }
}

TEST(a_file_that_refuses_splice_gets_it_all_the_same)
{
    for (int at = 1; at <= 5; at++)
        for (size_t u = 0; u < 2; u++) {
            begin(new_file());
            refuse_at = at;
            shorten = at > 2;
            save.rests = at == 3;
            saves(urls[u], 3 * MIB);
            CHECK(splices >= at);
        }
    char path[] = "/tmp/duplex-test-save-XXXXXX";
    int fd = mkstemp(path), append = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    unlink(path);
    close(fd);
    begin(append);
    saves(urls[0], 3 * MIB);
    CHECK_INT(splices, 1); /* and was not asked again */
}

TEST(one_byte_more_than_its_limit_is_too_much)
{
    for (size_t u = 0; u < 2; u++)
        for (size_t n = 1; n <= 2 * MIB; n = n * 7 + 1) {
            bool whole;
            size_t got;
            begin(new_file());
            save.n_max = (int64_t)n - 1;
            run(urls[u], n, -1, &whole, &got);
            CHECK_INT(save.why.code, DX_BIG);
            CHECK_MEM(back, got, bytes, got < n - 1 ? got : n - 1);
        }
}

TEST(urgent_data_stops_nothing)
{
    bool whole;
    size_t got;
    begin(new_file());
    run(urls[0], 2 * MIB, MIB, &whole, &got);
    CHECK_INT(save.why.code, DX_END);
    CHECK_MEM(back, got, bytes, 2 * MIB);
    CHECK(whole);
}

/* What a full disk says, without one. */
TEST(a_file_that_takes_no_more_is_an_error_with_its_cause)
{
    struct rlimit before, small = {.rlim_cur = ROOM};
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    for (size_t u = 0; u < 2; u++)
        for (int first = 0; first < 2; first++) {
            bool whole;
            size_t got;
            begin(new_file());
            save.first = first ? 1000 : 0;
            setrlimit(RLIMIT_FSIZE, &small);
            run(urls[u], 2 * MIB, -1, &whole, &got);
            setrlimit(RLIMIT_FSIZE, &before);
            CHECK_INT(save.why.code, DX_SYS);
            CHECK_INT(save.why.detail, EFBIG);
            CHECK_INT(got, ROOM);
            CHECK(!whole);
        }
}

static dx_loop *dialling;

static void send_all(dx_conn *c)
{
    dx_listener_drain(save.listener, 0);
    dx_send(c, bytes, MIB, DX_LAST);
}

TEST(a_dial_is_saved_before_it_stands)
{
    static const dx_handler server = {.on_open = send_all}, client = {.on_close = on_close};
    dx_err err = {0};
    begin(new_file());
    dialling = dx_loop_new(&err);
    save.listener = dx_serve(dialling, urls[0], &server, NULL, NULL, &err);
    CHECK_SAY(save.listener, "%s", err.text);
    dx_conn *c = dx_connect(dialling, dx_listener_url(save.listener, 0), &client, NULL, NULL, &err);
    CHECK_INT(dx_save(c, save.fd, MIB), 0);
    CHECK_INT(dx_loop_run(dialling), 0);
    dx_loop_free(dialling);
    CHECK_INT(save.why.code, DX_END);
    CHECK_MEM(back, pread(save.fd, back, sizeof back, 0), bytes, MIB);
    CHECK(splices > 0);
    close(save.fd);
}

TEST_MAIN
