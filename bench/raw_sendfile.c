/* SPDX-License-Identifier: MIT
 * raw_sendfile.c - the simple limit of sending a file: raw_sendfile FILE PORT. Blocking, sendfile until all is out, our end,
 * and then the peer's. raw_splice.c is the other side. */
#include "raw.h"
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { STEP = 16 << 20 };

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    struct stat st;
    int file = argc == 3 ? open(argv[1], O_RDONLY) : -1, to = file >= 0 ? dial(atoi(argv[2])) : -1;
    if (to < 0 || fstat(file, &st) < 0) {
        perror("raw_sendfile FILE PORT");
        return 1;
    }
    for (off_t at = 0; at < st.st_size;)
        if (sendfile(to, file, &at, STEP) <= 0) {
            perror("sendfile");
            return 1;
        }
    shutdown(to, SHUT_WR);
    return read(to, &(char){0}, 1) != 0;
}
