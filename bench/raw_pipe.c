/* SPDX-License-Identifier: MIT
 * raw_pipe.c - what stands around a program that joins a pipe to TCP, and the simple limit in its place. Blocking.
 *
 *   raw_pipe feed MIB      writes so much to stdout, from memory that is in the cache, in pieces like cat's
 *   raw_pipe dial PORT     in the program's place: splices stdin into a conn
 *   raw_pipe waste         reads stdin to its end by splice and throws it away
 *   raw_pipe sink          takes one conn, throws away what comes without a copy, and prints how many bytes it was
 *   raw_pipe source MIB    takes one conn, and says so much from memory */
#include "raw.h"
#include <fcntl.h>

enum { STEP = 1 << 20, PIECE = 128 << 10 };
static char piece[PIECE] __attribute__((aligned(4096)));

static int feed(int to, long mib)
{
    for (long long left = (long long)mib << 20; left > 0;) {
        ssize_t n = write(to, piece, left < PIECE ? (size_t)left : PIECE);
        if (n <= 0)
            return -1;
        left -= n;
    }
    return 0;
}

static int splice_to(int to)
{
    ssize_t n;
    fcntl(0, F_SETPIPE_SZ, STEP);
    while ((n = splice(0, NULL, to, NULL, STEP, SPLICE_F_MOVE)) > 0)
        ;
    return (int)n;
}

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)port);
    int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (to < 0 || connect(to, (struct sockaddr *)&a, sizeof a) < 0 || splice_to(to) < 0)
        return -1;
    shutdown(to, SHUT_WR);
    return read(to, &(char){0}, 1) == 0 ? 0 : -1;
}

static int taken(void)
{
    int listener = raw_listen("tcp");
    fcntl(listener, F_SETFL, 0);
    return accept(listener, NULL, NULL);
}

static int swallow(int from)
{
    long long total = 0;
    ssize_t n;
    while ((n = recv(from, NULL, STEP, MSG_TRUNC)) > 0)
        total += n;
    printf("%lld\n", total);
    return (int)n;
}

static int source(long mib)
{
    int to = taken();
    if (to < 0 || feed(to, mib) < 0)
        return -1;
    shutdown(to, SHUT_WR);
    return read(to, &(char){0}, 1) == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;
    int r = -1;
    memset(piece, 7, sizeof piece); /* pages of its own, not all the zero page */
    if (!strcmp(verb, "feed"))
        r = feed(1, n);
    else if (!strcmp(verb, "dial"))
        r = dial((int)n);
    else if (!strcmp(verb, "waste"))
        r = splice_to(open("/dev/null", O_WRONLY));
    else if (!strcmp(verb, "sink"))
        r = swallow(taken());
    else if (!strcmp(verb, "source"))
        r = source(n);
    if (r < 0)
        perror("raw_pipe feed MIB | dial PORT | waste | sink | source MIB");
    return r < 0;
}
