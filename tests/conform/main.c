/* SPDX-License-Identifier: MIT
 * main.c - runs every behaviour over every scheme that has what it needs, each in a process of its own, and prints TAP
 * and the table.
 *
 *   conform [--page FILE] [--list] [--here] [WORD]...    only the cases whose name holds every WORD
 *
 * --here: in this process, for a debugger. */
#include "conform.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char scratch[64];

static const struct behaviour *const groups[] = {behave_echo,   behave_close, behave_queue,   behave_time, behave_many,
                                                 behave_thread, behave_file,  behave_relay,   behave_raw,  behave_http,
                                                 behave_any,    behave_local, behave_address, behave_loop};
enum { GROUPS = sizeof groups / sizeof *groups, ROWS_MAX = 200, COLUMNS_MAX = 24, LEAK_EXIT = 23 };
enum mark { NOT_ASKED, PASSED, FAILED, ABSENT };

static struct report *report;
static uint8_t marks[ROWS_MAX][COLUMNS_MAX];

static int open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static void list_fds(char *words, size_t room)
{
    size_t n = strlen(words);
    for (int fd = 3; fd < 64 && n < room; fd++) {
        char path[32], target[100] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) > 0)
            n += (size_t)snprintf(words + n, room - n, " %d=%s", fd, target);
    }
}

/* The case, its world taken down, and what must be as it was before. */
static void run_case(const struct scheme *s, const struct behaviour *b)
{
    struct world w;
    int before = open_fds(), after;
    if (world_init(&w, s, report))
        b->run(&w);
    world_free(&w);
    after = open_fds();
    if (report->failed)
        return;
    if (after != before) {
        snprintf(report->words, WORDS_MAX, "%d descriptors before, %d after:", before, after);
        list_fds(report->words, WORDS_MAX);
        report->failed = true;
    } else if (dx_memory_used()) {
        snprintf(report->words, WORDS_MAX, "dx_memory_used says %zu when all is over", dx_memory_used());
        report->failed = true;
    }
}

static void describe_death(int status)
{
    size_t n = strlen(report->words);
    if (WIFSIGNALED(status))
        snprintf(report->words + n, WORDS_MAX - n, "%skilled by signal %d (%s), at %s", n ? "; " : "", WTERMSIG(status),
                 strsignal(WTERMSIG(status)), report->where);
    else if (WEXITSTATUS(status) == LEAK_EXIT)
        snprintf(report->words + n, WORDS_MAX - n, "%sa sanitizer complained; see stderr (exit status %d)",
                 n ? "; " : "", WEXITSTATUS(status));
    else if (!n)
        snprintf(report->words, WORDS_MAX, "exit status %d, at %s", WEXITSTATUS(status), report->where);
}

static enum mark run_apart(const struct scheme *s, const struct behaviour *b)
{
    int status;
    pid_t pid;
    memset(report, 0, sizeof *report);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(30);
        run_case(s, b);
        exit(report->failed);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (report->absent)
        return ABSENT;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return PASSED;
    describe_death(status);
    return FAILED;
}

static bool fits(const struct scheme *s, const struct behaviour *b)
{
    return (s->has & b->needs) == b->needs && !(s->has & b->lacks);
}

static bool asked_for(const char *name, char **words)
{
    for (; *words; words++)
        if (!strstr(name, *words))
            return false;
    return true;
}

static void diagnose(const char *words)
{
    printf("# ");
    for (; *words; words++)
        printf(*words == '\n' ? "\n# " : "%c", *words);
    printf("\n");
}

static enum mark one(int number, const char *name, const struct scheme *s, const struct behaviour *b, bool here)
{
    struct timespec t0, t1;
    enum mark m;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    if (here) {
        run_case(s, b);
        m = report->absent ? ABSENT : report->failed ? FAILED : PASSED;
    } else {
        m = run_apart(s, b);
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    if (m == FAILED)
        diagnose(report->words);
    printf("%sok %d - %s%s\n", m == FAILED ? "not " : "", number, name, m == ABSENT ? " # SKIP not in this build" : "");
    if (getenv("CONFORM_TIMES"))
        printf("# %ld ms\n", (long)((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000));
    return m;
}

static void write_table(FILE *f, const char *lead)
{
    static const char *const signs[] = {"", "yes", "**NO**", "absent"};
    int row = 0;
    fprintf(f, "%s| behaviour |", lead);
    for (const struct scheme *s = all_schemes; s->name; s++)
        fprintf(f, " %s |", s->name);
    fprintf(f, "\n%s|---|", lead);
    for (const struct scheme *s = all_schemes; s->name; s++)
        fprintf(f, "---|");
    for (int g = 0; g < GROUPS; g++)
        for (const struct behaviour *b = groups[g]; b->name; b++, row++) {
            int column = 0, any = 0;
            for (const struct scheme *s = all_schemes; s->name; s++)
                any += marks[row][s - all_schemes];
            if (!any)
                continue;
            fprintf(f, "\n%s| %s |", lead, b->name);
            for (const struct scheme *s = all_schemes; s->name; s++, column++)
                fprintf(f, " %s |", signs[marks[row][column]]);
        }
    fprintf(f, "\n");
}

static void write_page(const char *path)
{
    FILE *f = path ? fopen(path, "we") : NULL;
    if (!f)
        return;
    fprintf(f, "# Behaviours and wires\n\nMade by `tests/conform`. Empty: the wire has no such thing.\n\n");
    write_table(f, "");
    fclose(f);
}

static void remove_scratch(void)
{
    DIR *d = opendir(scratch);
    struct dirent *e;
    char path[400];
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", scratch, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(scratch);
}

static int run_all(char **words, bool here, bool list)
{
    int number = 0, failed = 0, row = 0;
    char name[200];
    for (int g = 0; g < GROUPS; g++)
        for (const struct behaviour *b = groups[g]; b->name; b++, row++)
            for (const struct scheme *s = all_schemes; s->name; s++) {
                snprintf(name, sizeof name, "%s: %s", s->name, b->name);
                if (!fits(s, b) || !asked_for(name, words))
                    continue;
                number++;
                if (list) {
                    printf("%s\n", name);
                    continue;
                }
                marks[row][s - all_schemes] = (uint8_t)one(number, name, s, b, here);
                failed += marks[row][s - all_schemes] == FAILED;
            }
    if (!list)
        printf("1..%d\n", number);
    return failed;
}

int main(int argc, char **argv)
{
    const char *page = NULL;
    bool here = false, list = false;
    int failed;
    char **words = argv + 1;
    for (; *words && words[0][0] == '-' && words[0][1] == '-'; words++) {
        if (!strcmp(*words, "--page") && words + 1 < argv + argc)
            page = *++words;
        here |= !strcmp(*words, "--here");
        list |= !strcmp(*words, "--list");
    }
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(scratch, sizeof scratch, "/tmp/duplex-XXXXXX");
    if (report == MAP_FAILED || !mkdtemp(scratch))
        return 2;
    signal(SIGPIPE, SIG_DFL); /* so that one raised by the library kills its case */
    pattern(0);
    failed = run_all(words, here, list);
    remove_scratch();
    if (!list)
        write_table(stdout, "# ");
    write_page(page);
    return failed > 0;
}
