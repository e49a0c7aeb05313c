/* SPDX-License-Identifier: MIT
 * main.c - runs every behaviour over every scheme that has what it needs, each in a process of its own, and prints TAP
 * and the table.
 *
 *   conform [--page FILE] [--at-once N] [--list] [--here] [WORD]...    only the cases whose name holds every WORD
 *
 * --here: in this process, for a debugger. */
#include "conform.h"
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char scratch[64];

static const struct behaviour *const groups[] = {
    behave_echo, behave_close, behave_queue,   behave_time,   behave_many,   behave_thread,
    behave_file, behave_relay, behave_raw,     behave_http,   behave_asks,   behave_answers,
    behave_any,  behave_local, behave_address, behave_loop,   behave_frame,  behave_storm,
    behave_oom,  behave_tls,   behave_router,  behave_limits, behave_hostile};
enum {
    GROUPS = sizeof groups / sizeof *groups,
    ROWS_MAX = 400,
    COLUMNS_MAX = 24,
    CASES_MAX = 2000,
    AT_ONCE = 8,
    LEAK_EXIT = 23
};
enum mark { NOT_ASKED, PASSED, FAILED, ABSENT };

struct job {
    const struct scheme *scheme;
    const struct behaviour *behaviour;
    int row;
    struct report *report; /* shared with its process                        */
    pid_t pid;
    long begun_ms, ms;
    enum mark mark;
};
static struct job jobs[CASES_MAX];
static int jobs_n;
static uint8_t marks[ROWS_MAX][COLUMNS_MAX];

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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
static void run_case(const struct scheme *s, const struct behaviour *b, struct report *report)
{
    struct world w;
    int before = open_fds(), after;
    if (world_init(&w, s, report))
        b->run(&w);
    world_free(&w);
    after = open_fds();
    for (long until = now_ms() + 3000; after > before && now_ms() < until; after = open_fds())
        sched_yield(); /* a name that nobody waits for any more is still being looked up */
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

static void describe_death(struct report *report, int status)
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

static void start(struct job *j)
{
    fflush(stdout);
    j->begun_ms = now_ms();
    j->pid = fork();
    if (j->pid == 0) {
        alarm((unsigned)(watch_ms() / 1000 * 2 + 5)); /* for a loop that does not come round */
        run_case(j->scheme, j->behaviour, j->report);
        exit(j->report->failed);
    }
}

static void ended(pid_t pid, int status)
{
    for (int i = 0; i < jobs_n; i++) {
        struct job *j = &jobs[i];
        if (j->pid != pid)
            continue;
        j->ms = now_ms() - j->begun_ms;
        j->mark = FAILED;
        if (j->report->absent)
            j->mark = ABSENT;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            j->mark = PASSED;
        else
            describe_death(j->report, status);
    }
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

static void tell(int number, const struct job *j)
{
    if (j->mark == FAILED)
        diagnose(j->report->words);
    printf("%sok %d - %s: %s%s\n", j->mark == FAILED ? "not " : "", number, j->scheme->name, j->behaviour->name,
           j->mark == ABSENT ? " # SKIP not in this build" : "");
    if (getenv("CONFORM_TIMES"))
        printf("# %ld ms\n", j->ms);
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

static void collect(char **words)
{
    char name[200];
    int row = 0;
    for (int g = 0; g < GROUPS; g++)
        for (const struct behaviour *b = groups[g]; b->name; b++, row++)
            for (const struct scheme *s = all_schemes; s->name; s++) {
                snprintf(name, sizeof name, "%s: %s", s->name, b->name);
                if (row == ROWS_MAX || jobs_n == CASES_MAX)
                    abort(); /* make them larger */
                if (fits(s, b) && asked_for(name, words))
                    jobs[jobs_n++] = (struct job){.scheme = s, .behaviour = b, .row = row};
            }
}

/* A few at once, for most of them wait for a clock; told in order. */
static int run_all(int at_once)
{
    int started = 0, running = 0, told = 0, failed = 0, status;
    while (told < jobs_n) {
        while (running < at_once && started < jobs_n) {
            start(&jobs[started++]);
            running++;
        }
        pid_t pid = waitpid(-1, &status, 0);
        if (pid > 0) {
            ended(pid, status);
            running--;
        }
        for (; told < started && jobs[told].mark != NOT_ASKED; told++) {
            tell(told + 1, &jobs[told]);
            marks[jobs[told].row][jobs[told].scheme - all_schemes] = (uint8_t)jobs[told].mark;
            failed += jobs[told].mark == FAILED;
        }
    }
    printf("1..%d\n", jobs_n);
    return failed;
}

static int run_here(void)
{
    for (int i = 0; i < jobs_n; i++) {
        run_case(jobs[i].scheme, jobs[i].behaviour, jobs[i].report);
        jobs[i].mark = jobs[i].report->absent ? ABSENT : jobs[i].report->failed ? FAILED : PASSED;
        tell(i + 1, &jobs[i]);
    }
    return 0;
}

static void list(void)
{
    for (int i = 0; i < jobs_n; i++)
        printf("%s: %s\n", jobs[i].scheme->name, jobs[i].behaviour->name);
}

int main(int argc, char **argv)
{
    const char *page = NULL;
    bool here = false, only_list = false;
    int failed, at_once = AT_ONCE;
    char **words = argv + 1;
    for (; *words && words[0][0] == '-' && words[0][1] == '-'; words++) {
        if (!strcmp(*words, "--page") && words + 1 < argv + argc)
            page = *++words;
        else if (!strcmp(*words, "--at-once") && words + 1 < argv + argc)
            at_once = atoi(*++words);
        here |= !strcmp(*words, "--here");
        only_list |= !strcmp(*words, "--list");
    }
    collect(words);
    if (only_list) {
        list();
        return 0;
    }
    struct report *reports =
        mmap(NULL, CASES_MAX * sizeof *reports, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(scratch, sizeof scratch, "/tmp/duplex-XXXXXX");
    if (reports == MAP_FAILED || !mkdtemp(scratch) || !secret_files() || at_once < 1)
        return 2;
    for (int i = 0; i < jobs_n; i++)
        jobs[i].report = &reports[i];
    signal(SIGPIPE, SIG_DFL); /* so that one raised by the library kills its case */
    pattern(0);
    failed = here ? run_here() : run_all(at_once);
    remove_scratch();
    write_table(stdout, "# ");
    write_page(page);
    return failed > 0;
}
