/* SPDX-License-Identifier: MIT
 * driver.c - replays corpora through a fuzz target without libFuzzer, so that every compiler and sanitizer runs them as
 * ordinary tests. Arguments are files or folders. Each input also runs cut at every length: a peer's bytes may stop
 * anywhere. Prints TAP, a line for each file. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { INPUT_MAX = 1 << 20, CUT_MAX = 1024, PATH_SIZE = 4096 };
static int count, failed;

/* In a block of its own size, so that a sanitizer sees the first byte read past its end. */
static void run_copy(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    if (n)
        memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_file(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(input, 1, sizeof input, f) : 0;
    bool ok = f && !ferror(f);
    if (f)
        fclose(f);
    for (size_t cut = 0; ok && cut < n && cut < CUT_MAX; cut++)
        run_copy(input, cut);
    if (ok)
        run_copy(input, n);
    printf("%sok %d - %s\n", ok ? "" : "not ", ++count, path);
    fflush(stdout);
    failed += !ok;
}

static void run_folder(const char *path)
{
    struct dirent **entry;
    int n = scandir(path, &entry, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char name[PATH_SIZE];
        if (entry[i]->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
            run_file(name);
        }
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    if (count == 0) {
        printf("not ok %d - there is something to replay\n", ++count);
        failed++;
    }
    printf("1..%d\n", count);
    return failed > 0;
}
