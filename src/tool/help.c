/* SPDX-License-Identifier: MIT
 * help.c - duplex help, and what is said where no command is. */
#include "tool/describe.h"
#include "tool/options.h"
#include "tool/tool.h"
#include <stdio.h>
#include <string.h>

/* Before a command only help and the version are asked for. */
static int no_option(const char *word)
{
    static const char *const names[] = {"help", "version"};
    const char *near = nearest(word + strspn(word, "-"), names, sizeof names / sizeof *names);
    if (near)
        tool_say("no option %.60s before a command.  Did you mean: duplex --%s%s", word, near,
                 strcmp(near, "version") ? "" : " (-V)");
    else
        tool_say("no option %.60s before a command: options stand behind it.  Try: duplex --help", word);
    return TOOL_USAGE;
}

int tool_no_command(const char *word)
{
    static const struct {
        const char *word, *meant;
    } habits[] = {{"man", "help --man"},
                  {"completion", "help --completion bash"},
                  {"version", "--version"},
                  {"completions", "help --completion bash"},
                  {"exit-codes", "help exit-codes"},
                  {"tls", "help tls"}};
    const char *near = nearest_command(word);
    if (*word == '-')
        return no_option(word);
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (!strcmp(word, habits[i].word)) {
            tool_say("no command '%s'.  Did you mean: duplex %s", word, habits[i].meant);
            return TOOL_USAGE;
        }
    if (near)
        tool_say("no command '%.60s'.  Did you mean: duplex %s", word, near);
    else if (strchr(word, ':'))
        tool_say("no command '%.60s'.  Try: duplex dial %.160s", word, word);
    else
        tool_say("no command '%.60s'.  Try: duplex --help", word);
    return TOOL_USAGE;
}

static int help_completion(const struct options *o)
{
    const char *shell = option_text(o, "completion");
    if (o->arg_count || option_has(o, "man")) {
        tool_say("--completion stands alone: --completion bash or --completion zsh%s%.60s",
                 o->arg_count ? ", not " : "", o->arg_count ? o->args[0] : "");
        return TOOL_USAGE;
    }
    if (shell && !strcmp(shell, "zsh"))
        completion_zsh(stdout);
    else
        completion_bash(stdout);
    return TOOL_DONE;
}

int cmd_help(int argc, char **argv)
{
    struct options o;
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    const struct command *c = o.arg_count ? command_find(o.args[0]) : NULL;
    bool man = option_has(&o, "man");
    if (option_has(&o, "completion"))
        return help_completion(&o);
    if (o.arg_count && !c && !man && help_topic(o.args[0], stdout))
        return TOOL_DONE;
    if (o.arg_count && !c)
        return tool_no_command(o.args[0]);
    if (man)
        man_page(c, stdout);
    else if (c)
        help_command(c, stdout);
    else
        help_overview(stdout);
    return TOOL_DONE;
}
