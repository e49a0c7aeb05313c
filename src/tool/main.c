/* SPDX-License-Identifier: MIT
 * main.c - finds the subcommand and runs it. */
#include "tool/options.h"
#include "tool/tool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int run(int argc, char **argv)
{
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        help_overview(stdout);
        return TOOL_DONE;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("duplex %s\n", dx_version());
        return TOOL_DONE;
    }
    const struct command *c = command_find(argv[1]);
    return c ? c->run(argc - 1, argv + 1) : tool_no_command(argv[1]);
}

/* What was printed may still be on its way: a full disk shows here, and is no success. */
int main(int argc, char **argv)
{
    standard_fill();
    int code = run(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE) /* a reader that has enough, as in "| head", needs no words */
        tool_say("standard output: %s", standard_fault(STDOUT_FILENO, errno));
    return code ? code : TOOL_LOCAL;
}
