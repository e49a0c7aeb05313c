/* SPDX-License-Identifier: MIT
 * Options of the command: what reads, what does not, and what the words then say. */
#include "test.h"
#include "tool/options.h"
#include "tool/tool.h"

static struct options got;
static char why[240];

enum { WORDS_MAX = 80 };

/* Parses words separated by blanks as the command that the first one names. */
static int parse(const char *line)
{
    static char copy[1024];
    static char *argv[WORDS_MAX + 1];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w && argc < WORDS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    why[0] = 0;
    const struct command *c = command_find(argv[0]);
    CHECK(c != NULL);
    return options_parse(c, argc, argv, &got, why, sizeof why);
}

TEST(an_option_and_its_argument_read_in_every_spelling)
{
    static const char *const lines[] = {
        "dial --frame line tcp://:1", "dial --frame=line tcp://:1",
        "dial -f line tcp://:1",      "dial -fline tcp://:1",
        "dial tcp://:1 --frame line", "dial -vf line -- tcp://:1",
        "dial -vfline tcp://:1",      "dial --frame gap:20ms --frame line tcp://:1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CHECK_SAY(parse(lines[i]) == 0, "%s: %s", lines[i], why);
        CHECK_STR(option_text(&got, "frame"), "line");
        CHECK_INT(got.arg_count, 1);
        CHECK_STR(got.args[0], "tcp://:1");
    }
}

TEST(an_option_not_given_is_absent)
{
    CHECK_INT(parse("dial tcp://:1"), 0);
    CHECK(!option_has(&got, "verbose"));
    CHECK(!option_text(&got, "frame"));
    CHECK_INT(option_number(&got, "timeout", 77), 77);
}

TEST(a_host_and_a_port_apart_are_shown_as_a_url)
{
    CHECK(parse("dial localhost 80") < 0);
    CHECK_SAY(strstr(why, "Did you mean: duplex dial tcp://localhost:80"), "%s", why);
    CHECK(parse("dial localhost eighty") < 0);
    CHECK_SAY(strstr(why, "one argument too many"), "%s", why);
}

TEST(a_number_that_may_stand_stands_behind_an_equals_sign)
{
    CHECK_INT(parse("dial --retry tcp://:1"), 0);
    CHECK(option_has(&got, "retry"));
    CHECK_INT(option_number(&got, "retry", 9), 0);
    CHECK_INT(parse("dial --retry=5 tcp://:1"), 0);
    CHECK_INT(option_number(&got, "retry", 9), 5);
    CHECK(parse("dial --retry=x tcp://:1") < 0);
    CHECK(parse("dial --retry= tcp://:1") < 0);
}

TEST(a_duration_without_a_unit_is_seconds)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"0", 0},
                {"1", 1000},
                {"0.5", 500},
                {".5", 500},
                {"250ms", 250},
                {"1s", 1000},
                {"1.5s", 1500},
                {"0.25s", 250},
                {"2m", 120000},
                {"1h", 3600000},
                {"30", 30000},
                {"5ms", 5},
                {"4000000000", 4000000000000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[80];
        snprintf(line, sizeof line, "dial --timeout %s tcp://:1", rows[i].text);
        CHECK_SAY(parse(line) == 0, "%s: %s", line, why);
        CHECK_INT(option_number(&got, "timeout", -1), rows[i].ms);
    }
}

TEST(what_does_not_read_is_refused_with_words)
{
    static const struct {
        const char *line, *words;
    } rows[] = {
        {"dial", "dial wants [OPTION]... URL  Try: duplex dial --help"},
        {"dial a b", "'b' is one argument too many.  Usage: duplex dial [OPTION]... URL"},
        {"dial --frmae line x", "dial has no option --frmae.  Did you mean --frame?"},
        {"dial --enc gbk x", "dial has no option --enc.  Did you mean --encoding?"},
        {"dial --hlep x", "dial has no option --hlep.  Did you mean --help?"},
        {"dial --zzzz x", "dial has no option --zzzz.  Try: duplex dial --help"},
        {"dial --echo x", "dial has no option --echo: it is one of duplex listen"},
        {"dial -x y", "dial has no option -x.  Try: duplex dial --help"},
        {"dial x --frame", "--frame wants a value: --frame SPEC"},
        {"dial x -f", "-f wants a value: -f SPEC"},
        {"dial --verbose=2 x", "--verbose takes no value"},
        {"dial --timeout 5d x", "--timeout wants a duration such as 500ms, 2s or 1m, not '5d'"},
        {"dial --timeout -5 x", "--timeout wants a duration such as 500ms, 2s or 1m, not '-5'"},
        {"dial --timeout 9999999999999 x", "--timeout wants a duration such as 500ms, 2s or 1m, not '9999999999999'"},
        {"dial --timeout 4000000001 x", "--timeout wants a duration such as 500ms, 2s or 1m, not '4000000001'"},
        {"dial --pin", "--pin wants a value: --pin PIN"},
        {"dial --client-ca a x",
         "dial has no option --client-ca: it is one of duplex listen, send, recv, relay, replay"},
        {"dial --tls x", "dial has no option --tls: it is one of duplex serve"},
        {"dial --insecure=yes x", "--insecure takes no value"},
        {"dial --insecur x", "dial has no option --insecur.  Did you mean --insecure?"},
        {"serve --port 80", "serve has no option --port.  Try: --listen any://HOST:PORT"},
        {"serve -p 80", "serve has no option -p.  Try: --listen any://HOST:PORT"},
        {"serve tcp://:80", "serve takes its URLs by option.  Did you mean: duplex serve --listen tcp://:80"},
        {"dial --port 80 x", "dial has no option --port.  The port is part of the URL: tcp://HOST:PORT"},
        {"listen -p 80 x", "listen has no option -p.  The port is part of the URL: tcp://HOST:PORT"},
        {"dial --host a x", "dial has no option --host.  The host is part of the URL: tcp://HOST:PORT"},
        {"recv --bind a x", "recv has no option --bind.  What to listen on is the URL: tcp://ADDRESS:PORT"},
        {"recv --resume x y",
         "recv has no option --resume.  A transfer begins anew each time; --force takes the place of a .part"},
        {"fetch -L x", "fetch has no option -L.  Redirects are followed; --no-location follows none"},
        {"fetch -sSL x", "fetch has no option -s.  Did you mean --quiet?"},
        {"fetch --location x", "fetch has no option --location.  Redirects are followed; --no-location follows none"},
        {"fetch --output a x", "fetch has no option --output.  Did you mean --out?"},
        {"dial -u x 1", "dial has no option -u.  Try: udp://HOST:PORT"},
        {"hex --port 1", "hex has no option --port.  Try: duplex hex --help"},
        {"bench --max 1 x", "bench has no option --max: it is one of duplex listen, relay"},
        {"listen --max 0 x", "--max wants a whole number from 1 on, not '0'"},
        {"listen --max 1.5 x", "--max wants a whole number from 1 on, not '1.5'"},
        {"listen --max 2x x", "--max wants a whole number from 1 on, not '2x'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_SAY(parse(rows[i].line) == -1, "%s reads", rows[i].line);
        CHECK_STR(why, rows[i].words);
    }
}

TEST(a_word_of_a_few_may_be_left_out)
{
    static const struct {
        const char *line, *word;
        int args;
    } rows[] = {{"relay --tap a b", NULL, 2},
                {"relay --tap hex a b", "hex", 2},
                {"relay --tap=text a b", "text", 2},
                {"relay a b --tap", NULL, 2},
                {"relay --tap he a", NULL, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_SAY(parse(rows[i].line) == 0, "%s: %s", rows[i].line, why);
        CHECK(option_has(&got, "tap"));
        CHECK_INT(got.arg_count, rows[i].args);
        const char *word = option_text(&got, "tap");
        CHECK_STR(word ? word : "none", rows[i].word ? rows[i].word : "none");
    }
    CHECK_INT(parse("relay --tap=he a b"), -1);
    CHECK_STR(why, "--tap is [text|hex], not 'he'");
}

TEST(help_wins_over_what_follows_it)
{
    CHECK_INT(parse("dial --help --nonsense"), 0);
    CHECK(got.help);
    CHECK_INT(parse("dial -h"), 0);
    CHECK(got.help);
}

TEST(what_stands_after_two_dashes_is_an_argument)
{
    CHECK_INT(parse("dial -- --verbose"), 0);
    CHECK_STR(got.args[0], "--verbose");
    CHECK_INT(parse("dial -"), 0);
    CHECK_STR(got.args[0], "-");
}

TEST(more_options_or_arguments_than_there_is_room_for_are_refused)
{
    char line[1024] = "dial";
    for (int i = 0; i < OPTIONS_GIVEN_MAX + 1; i++)
        strcat(line, " -v");
    CHECK_INT(parse(line), -1);
    line[strlen(line) - 3] = 0;
    strcat(line, " x");
    CHECK_SAY(parse(line) == 0, "%s", why);
    strcpy(line, "listen");
    for (int i = 0; i < OPTIONS_ARGS_MAX + 1; i++)
        strcat(line, " x");
    CHECK_INT(parse(line), -1);
}

TEST(a_repeated_option_gives_each_value_in_order)
{
    int at = 0;
    CHECK_INT(parse("dial --frame a --encoding z --frame b x"), 0);
    CHECK_STR(option_next(&got, "frame", &at), "a");
    CHECK_STR(option_next(&got, "frame", &at), "b");
    CHECK(!option_next(&got, "frame", &at));
}

TEST(a_mistyped_command_finds_the_nearest)
{
    CHECK_STR(nearest_command("dail"), "dial");
    CHECK_STR(nearest_command("lisen"), "listen");
    CHECK_STR(nearest_command("li"), "listen");
    CHECK(!nearest_command("tcp://127.0.0.1:1"));
    CHECK(!nearest_command(""));
}

TEST(the_tables_agree_with_each_other)
{
    for (const struct opt *o = option_table; o->name; o++) {
        CHECK_SAY((o->kind == OPT_FLAG) == !o->arg, "--%s: a flag has no value, the others name theirs", o->name);
        char list[200];
        snprintf(list, sizeof list, "%s", o->commands);
        for (char *w = strtok(list, " "); w; w = strtok(NULL, " "))
            CHECK_SAY(command_find(w) != NULL, "--%s is for %s, which is no command", o->name, w);
        for (const struct opt *p = o + 1; p->name; p++) {
            CHECK_SAY(strcmp(o->name, p->name) || o->kind != p->kind || strcmp(o->help, p->help),
                      "--%s of %s and of %s is one row", o->name, o->commands, p->commands);
            CHECK_SAY(!o->letter || o->letter != p->letter || !strcmp(o->name, p->name), "-%c is --%s and --%s",
                      o->letter, o->name, p->name);
        }
    }
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        CHECK_SAY(r == tool_exits || r[-1].code < r->code, "exit code %d stands in order", r->code);
}

/* The table has rows for commands that are linked into the program alone. */
int cmd_dial(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_listen(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_serve(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_cert(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_hex(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_send(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_recv(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_bench(int argc, char **argv)
{
    return argc + !argv;
}
int cmd_help(int argc, char **argv)
{
    return argc + !argv;
}

TEST_MAIN
