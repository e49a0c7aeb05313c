/* SPDX-License-Identifier: MIT
 * udp.c - tells each datagram's sender how much it has sent, and never more than it sent: ./udp udp://127.0.0.1:4000 */
#include <duplex/udp.h>
#include <stdio.h>

static void heard(dx_conn *c, const void *data, size_t n, unsigned how)
{
    uint64_t in, out;
    char line[64];
    (void)data, (void)n;
    dx_udp_traffic(c, &in, &out);
    int len = snprintf(line, sizeof line, "%llu bytes\n", (unsigned long long)in);
    if (out + (uint64_t)len <= in) /* a forged sender must not be able to make us louder than itself */
        dx_send(c, line, (size_t)len, how);
}

int main(int argc, char **argv)
{
    const dx_handler on = {.on_data = heard};
    dx_err err = {.text = "usage: udp url"};
    dx_loop *loop = argc == 2 ? dx_loop_new(&err) : NULL;
    if (loop && dx_serve(loop, argv[1], &on, NULL, NULL, &err))
        return dx_loop_run(loop) < 0;
    fprintf(stderr, "udp: %s\n", err.text);
    return 1;
}
