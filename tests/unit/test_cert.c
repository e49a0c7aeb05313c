/* SPDX-License-Identifier: MIT
 * Making, reading and renewing certificates. What openssl says of them is asked in tests/e2e/test_cert.py. */
#include "certs.h"
#include "crypto/cert.h"
#include "os/fd.h"
#include "fails.h"
#include <errno.h>
#include <pthread.h>

/* ---- each of our allocations can fail ---- */

static _Thread_local long countdown; /* 0: nothing fails */

static bool fails(void)
{
    return countdown > 0 && --countdown == 0;
}

/* ---- help ---- */

struct seen {
    int count;
    char subject[100], issuer[100], names[4000], pin[64], fingerprint[80], serial[64], key[40], signature[40],
        permits[4000];
    dx_cert_info last;
};

static void see(void *arg, const dx_cert_info *i)
{
    struct seen *s = arg;
    s->count++;
    s->last = *i;
    snprintf(s->subject, sizeof s->subject, "%s", i->subject);
    snprintf(s->issuer, sizeof s->issuer, "%s", i->issuer);
    snprintf(s->names, sizeof s->names, ",%s,", i->names);
    snprintf(s->pin, sizeof s->pin, "%s", i->pin);
    snprintf(s->fingerprint, sizeof s->fingerprint, "%s", i->fingerprint);
    snprintf(s->serial, sizeof s->serial, "%s", i->serial);
    snprintf(s->key, sizeof s->key, "%s", i->key);
    snprintf(s->signature, sizeof s->signature, "%s", i->signature);
    snprintf(s->permits, sizeof s->permits, ",%s,", i->permits);
}

static struct seen read_one(const char *path)
{
    static struct seen s;
    dx_err err = {0};
    s = (struct seen){0};
    CHECK_SAY(dx_cert_read(path, see, &s, &err) == 1 && s.count == 1, "%s: %s", path, err.text);
    return s;
}

static int days_left(const struct seen *s)
{
    return (int)((s->last.until_s - time(NULL) + 60) / 86400);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    CHECK_SAY(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
    return st.st_mode & 07777;
}

static void make(const char *stem, dx_cert_opts o)
{
    dx_err err = {0};
    unlink(at("%s.pem", stem));
    if (!o.key)
        unlink(at("%s.key", stem));
    CHECK_SAY(dx_cert_make(at("%s.pem", stem), o.key ? NULL : at("%s.key", stem), &o, &err) == 0, "%s", err.text);
}

static void no_make(const char *stem, dx_cert_opts o, int code, int detail, const char *words)
{
    dx_err err = {0};
    int r = dx_cert_make(at("%s.pem", stem), at("%s.key", stem), &o, &err);
    CHECK_SAY(r == code && err.code == code && err.detail == detail, "%s: %d/%d %s", stem, r, err.detail, err.text);
    CHECK_SAY(strstr(err.text, words), "\"%s\" holds no \"%s\"", err.text, words);
}

static bool has(const char *list, const char *name)
{
    char word[500];
    snprintf(word, sizeof word, ",%s,", name);
    return strstr(list, word);
}

/* Nothing but these files is in the folder that the calls of one case fill. */
static int files_in(const char *folder)
{
    char command[300];
    int n = 0;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *f = popen(command, "r");
    CHECK(f && fscanf(f, "%d", &n) == 1 && pclose(f) == 0);
    return n;
}

/* ---- making ---- */

TEST(a_leaf_is_what_it_should_be)
{
    umask(077); /* the modes do not hang on it */
    make("leaf", (dx_cert_opts){.names = "A.example,*.b.example,10.0.0.1,[2001:DB8:0::1],a.example"});
    umask(022);
    struct seen s = read_one(at("leaf.pem"));
    CHECK_STR(s.subject, "CN=a.example");
    CHECK_STR(s.issuer, "CN=a.example");
    CHECK_STR(s.names, ",a.example,*.b.example,10.0.0.1,2001:db8::1,");
    CHECK_STR(s.key, "ECDSA P-256");
    CHECK_STR(s.signature, "ECDSA-SHA256");
    CHECK_STR(s.permits, ",,");
    CHECK_INT(strlen(s.serial), 32);
    CHECK(strchr("4567", s.serial[0]));
    CHECK(s.last.self_signed && s.last.for_server && !s.last.for_client && !s.last.ca);
    CHECK_INT(days_left(&s), 90);
    CHECK(s.last.from_s <= time(NULL) - 3600 && s.last.from_s > time(NULL) - 3700);
    CHECK_INT(mode_of(at("leaf.pem")), 0644);
    CHECK_INT(mode_of(at("leaf.key")), 0600);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "a.example", at("leaf.pem"), NULL), 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "x.b.example", at("leaf.pem"), NULL), 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "10.0.0.1", at("leaf.pem"), NULL), 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "2001:db8::1", at("leaf.pem"), NULL), 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "10.0.0.2", at("leaf.pem"), NULL), DX_TLS);
}

TEST(a_clients_leaf_is_for_clients)
{
    dx_err err = {0};
    make("leaf", (dx_cert_opts){.names = "ada", .client = true, .days = 3});
    struct seen s = read_one(at("leaf.pem"));
    CHECK(s.last.for_client && !s.last.for_server);
    CHECK_INT(days_left(&s), 3);
    CHECK_INT(dx_cert_check(at("leaf.pem"), NULL, at("leaf.pem"), &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_USAGE);
}

TEST(a_key_that_is_there_is_kept)
{
    char key[200];
    make("one", (dx_cert_opts){.names = "a.example"});
    snprintf(key, sizeof key, "%s", at("one.key"));
    make("two", (dx_cert_opts){.names = "b.example", .key = key});
    struct seen one = read_one(at("one.pem")), two = read_one(at("two.pem"));
    CHECK_STR(one.pin, two.pin);
    CHECK(strcmp(one.fingerprint, two.fingerprint) && strcmp(one.serial, two.serial));
}

TEST(without_names_it_is_for_this_host)
{
    char host[100];
    CHECK(gethostname(host, sizeof host) == 0);
    make("leaf", (dx_cert_opts){0});
    struct seen s = read_one(at("leaf.pem"));
    CHECK_SAY(has(s.names, "localhost") && has(s.names, "127.0.0.1") && has(s.names, "::1"), "%s", s.names);
    CHECK_SAY(!strchr(s.names, '%') && !strstr(s.names, ",fe80:"), "%s", s.names);
    if (!strpbrk(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        CHECK_SAY(has(s.names, host), "%s is not in %s", host, s.names);
}

TEST(names_that_are_none)
{
    static const char *const bad[] = {
        "",
        ",",
        "a.example,",
        "a..example",
        ".example",
        "a.example.",
        "a b",
        "a/b",
        "*",
        "*.",
        "a*.example",
        "a.*.example",
        "**.a",
        "10.0.0.999",
        "1.2.3",
        "10.0.0.1/8",
        "fe80::1%lo",
        "[::1",
        "[a.example]",
        "b\xc3\xbc.example",
        "a\n",
        "a\x1b[m",
        "a.example,,b",
        "x:80",
        "a123456789012345678901234567890123456789012345678901234567890123.example",
    };
    dx_err err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int r = dx_cert_make(at("bad.pem"), at("bad.key"), &(dx_cert_opts){.names = bad[i]}, &err);
        CHECK_SAY(r == DX_URL && err.text[0], "'%s': %d %s", bad[i], r, err.text);
        CHECK_SAY(!strpbrk(err.text, "\n\x1b"), "%s", err.text);
    }
    CHECK_INT(access(at("bad.key"), F_OK), -1);
}

static char *long_name(size_t n)
{
    static char text[400];
    for (size_t i = 0; i < n; i++)
        text[i] = i % 50 == 49 && i + 1 < n ? '.' : 'a';
    text[n] = 0;
    return text;
}

TEST(a_name_has_at_most_253_letters_and_a_certificate_200_names)
{
    char *list = malloc(NAMES_MAX * 16 + 32), *end = list;
    make("long", (dx_cert_opts){.names = long_name(64)});
    make("long", (dx_cert_opts){.names = long_name(65)});
    struct seen s = read_one(at("long.pem"));
    CHECK_STR(s.subject, "CN=duplex"); /* 64 is what a CN can hold */
    CHECK(has(s.names, long_name(65)));
    make("long", (dx_cert_opts){.names = long_name(253)});
    s = read_one(at("long.pem"));
    CHECK(has(s.names, long_name(253)));
    no_make("x", (dx_cert_opts){.names = long_name(254)}, DX_URL, 0, "253 characters fit");
    for (int i = 0; i < NAMES_MAX; i++)
        end += sprintf(end, "%sn%d.example", i ? "," : "", i);
    make("long", (dx_cert_opts){.names = list});
    strcpy(end, ",one.more");
    no_make("x", (dx_cert_opts){.names = list}, DX_URL, 0, "more than 200 names");
    free(list);
}

TEST(options_that_contradict_are_refused)
{
    make("ca", (dx_cert_opts){.names = "a.example", .ca = true});
    char cert[200], key[200];
    dx_err err;
    snprintf(cert, sizeof cert, "%s", at("ca.pem"));
    snprintf(key, sizeof key, "%s", at("ca.key"));
    no_make("x", (dx_cert_opts){.names = "a", .days = -1}, DX_URL, 0, "days");
    no_make("x", (dx_cert_opts){.names = "a", .days = CERT_DAYS_MAX + 1}, DX_URL, 0, "days");
    no_make("x", (dx_cert_opts){.names = "a", .ca_cert = cert}, DX_URL, 0, "its key: the key is missing");
    no_make("x", (dx_cert_opts){.names = "a", .ca_key = key}, DX_URL, 0, "its key: the certificate is missing");
    no_make("x", (dx_cert_opts){.names = "a", .ca = true, .ca_cert = cert, .ca_key = key}, DX_URL, 0,
            "a CA signs itself");
    no_make("x", (dx_cert_opts){.names = "a", .ca = true, .client = true}, DX_URL, 0, "a CA signs itself");
    CHECK_INT(dx_cert_make(at("x.pem"), NULL, &(dx_cert_opts){.names = "a"}, &err), DX_URL);
    make("x", (dx_cert_opts){.names = "a", .days = CERT_DAYS_MAX});
    /* a newer caller's field that is set; and an older caller's shorter struct */
    struct {
        dx_cert_opts o;
        const char *news;
    } newer = {{.names = "a"}, "x"};
    CHECK_INT(dx_cert_make_sized(at("y.pem"), at("y.key"), &newer.o, sizeof newer, &err), DX_ABSENT);
    newer.news = NULL;
    CHECK_INT(dx_cert_make_sized(at("y.pem"), at("y.key"), &newer.o, sizeof newer, &err), 0);
    CHECK_INT(dx_cert_make_sized(at("z.pem"), at("z.key"), &newer.o, sizeof newer.o.names, &err), 0);
}

/* ---- files ---- */

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static bool holds(const char *path, const char *text)
{
    char *p;
    size_t n;
    CHECK_INT(os_file_read(path, 1000, &p, &n, NULL), 0);
    bool same = !strcmp(p, text);
    free(p);
    return same;
}

TEST(nothing_that_is_there_is_written_over)
{
    dx_err err;
    char folder[200];
    snprintf(folder, sizeof folder, "%s", at("over"));
    CHECK(mkdir(folder, 0700) == 0);
    write_text(at("over/a.pem"), "mine");
    no_make("over/a", (dx_cert_opts){.names = "a"}, DX_SYS, EEXIST, "a.pem: File exists");
    CHECK(holds(at("over/a.pem"), "mine"));
    write_text(at("over/b.key"), "mine");
    no_make("over/b", (dx_cert_opts){.names = "a"}, DX_SYS, EEXIST, "b.key: File exists");
    CHECK(holds(at("over/b.key"), "mine"));
    CHECK(symlink("nowhere", at("over/c.key")) == 0);
    no_make("over/c", (dx_cert_opts){.names = "a"}, DX_SYS, EEXIST, "c.key: File exists");
    CHECK_INT(dx_cert_make(at("over/d"), at("over/d"), &(dx_cert_opts){.names = "a"}, &err), DX_SYS);
    CHECK_INT(err.detail, EEXIST);
    CHECK_INT(files_in(folder), 3); /* and no key without its certificate, no temporary file */
    no_make("none/a", (dx_cert_opts){.names = "a"}, DX_SYS, ENOENT, "none/a.key: No such file");
}

TEST(a_file_is_written_whole_or_not)
{
    char folder[200];
    snprintf(folder, sizeof folder, "%s", at("whole"));
    CHECK(mkdir(folder, 0700) == 0);
    CHECK_INT(os_file_write(at("whole/a"), "one", 3, 0600, false), 0);
    CHECK_INT(os_file_write(at("whole/a"), "two", 3, 0600, false), EEXIST);
    CHECK(holds(at("whole/a"), "one"));
    CHECK_INT(os_file_write(at("whole/a"), "two", 3, 0640, true), 0);
    CHECK(holds(at("whole/a"), "two"));
    CHECK_INT(mode_of(at("whole/a")), 0640);
    CHECK_INT(files_in(folder), 1);
    char *p;
    size_t n;
    CHECK_INT(os_file_read(at("whole/a"), 2, &p, &n, NULL), EFBIG);
    CHECK_INT(os_file_read(at("whole/a"), 3, &p, &n, NULL), 0);
    CHECK_INT(n, 3);
    free(p);
    CHECK_INT(os_file_read(folder, 3, &p, &n, NULL), EISDIR);
    CHECK_INT(os_make_folders(at("whole/b/c/d"), 0700), 0);
    CHECK_INT(mode_of(at("whole/b/c")), 0700);
    CHECK_INT(os_make_folders(at("whole/b/c/d"), 0700), 0);
    CHECK_INT(os_make_folders(at("whole/a/b"), 0700), ENOTDIR);
    CHECK_INT(os_make_folders(at("whole/a"), 0700), ENOTDIR);
    CHECK_INT(os_make_folders("/", 0700), 0);
}

/* ---- a CA ---- */

static void make_signed(const char *stem, const char *names, int days)
{
    char cert[200], key[200];
    snprintf(cert, sizeof cert, "%s", at("ca.pem"));
    snprintf(key, sizeof key, "%s", at("ca.key"));
    make(stem, (dx_cert_opts){.names = names, .days = days, .ca_cert = cert, .ca_key = key});
}

static void no_make_signed(const char *names, const char *words)
{
    char cert[200], key[200];
    snprintf(cert, sizeof cert, "%s", at("ca.pem"));
    snprintf(key, sizeof key, "%s", at("ca.key"));
    no_make("no", (dx_cert_opts){.names = names, .ca_cert = cert, .ca_key = key}, DX_TLS, DX_TLS_FILE, words);
}

TEST(a_ca_signs_for_its_names_and_no_others)
{
    make("ca", (dx_cert_opts){.names = "box,*.w.example,10.0.0.1", .ca = true});
    struct seen s = read_one(at("ca.pem"));
    CHECK_STR(s.subject, "CN=duplex CA of box");
    CHECK(s.last.ca && s.last.self_signed);
    CHECK_STR(s.names, ",,");
    CHECK_STR(s.permits, ",box,w.example,10.0.0.1/32,");
    CHECK_INT(days_left(&s), 365);
    make_signed("leaf", "box,10.0.0.1,x.w.example,*.w.example", 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "box", at("ca.pem"), NULL), 0);
    make_signed("address", "10.0.0.1", 0);
    CHECK_INT(dx_cert_check(at("address.pem"), "10.0.0.1", at("ca.pem"), NULL), 0);
    s = read_one(at("leaf.pem"));
    CHECK_STR(s.issuer, "CN=duplex CA of box");
    CHECK(!s.last.self_signed);
    no_make_signed("c.example", "may not sign for c.example");
    no_make_signed("box,10.0.0.2", "may not sign for 10.0.0.2");
    no_make_signed("::1", "may not sign for ::1"); /* there is no IPv6 name in it */
    make_signed("short", "box", 1000);
    struct seen leaf = read_one(at("short.pem"));
    CHECK_INT(days_left(&leaf), 365); /* as long as its CA, and no longer */
}

TEST(kinds_of_names_that_a_ca_lacks_are_shut)
{
    make("ca", (dx_cert_opts){.names = "10.0.0.1", .ca = true});
    no_make_signed("a.example", "may not sign for a.example");
    no_make_signed("::1", "may not sign for ::1");
    make_signed("leaf", "10.0.0.1", 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "10.0.0.1", at("ca.pem"), NULL), 0);
    make("ca", (dx_cert_opts){.names = "a.example", .ca = true});
    no_make_signed("10.0.0.1", "may not sign for 10.0.0.1");
    no_make_signed("::1", "may not sign for ::1");
    make("ca", (dx_cert_opts){.names = "::1", .ca = true});
    no_make_signed("127.0.0.1", "may not sign for 127.0.0.1");
    make_signed("leaf", "::1", 0);
    CHECK_INT(dx_cert_check(at("leaf.pem"), "::1", at("ca.pem"), NULL), 0);
}

/* What somebody makes with the CA's key all the same is not believed. */
TEST(a_leaf_beyond_the_constraints_is_not_believed)
{
    dx_err err = {0};
    make("ca", (dx_cert_opts){.names = "box,10.0.0.1", .ca = true});
    struct cert_signer s;
    CHECK_INT(cert_signer_load(&s, at("ca.pem"), at("ca.key"), true, NULL), 0);
    static const char *const names[] = {"a.example", "10.0.0.2", "::1"};
    for (int i = 0; i < 3; i++) {
        struct names *n = names_new(NULL);
        gnutls_x509_crt_t crt;
        CHECK(n && names_add_list(n, names[i], NULL) == 0);
        CHECK_INT(cert_new(&(struct cert_wish){.names = n, .key = s.key, .signer = &s, .days = 3}, &crt, &err), 0);
        write_crt("leaf.pem", crt, "w");
        CHECK_SAY(dx_cert_check(at("leaf.pem"), names[i], at("ca.pem"), &err) == DX_TLS, "%s is believed", names[i]);
        CHECK_SAY(err.detail == DX_TLS_USAGE, "%s: %s", names[i], err.text);
        gnutls_x509_crt_deinit(crt);
        names_free(n);
    }
    cert_signer_free(&s);
}

TEST(what_cannot_sign_says_why)
{
    char ca[200], leaf[200], key[200], other[200];
    make("ca", (dx_cert_opts){.names = "box", .ca = true});
    make("leaf", (dx_cert_opts){.names = "box"});
    snprintf(ca, sizeof ca, "%s", at("ca.pem"));
    snprintf(key, sizeof key, "%s", at("ca.key"));
    snprintf(leaf, sizeof leaf, "%s", at("leaf.pem"));
    snprintf(other, sizeof other, "%s", at("leaf.key"));
    no_make("no", (dx_cert_opts){.names = "box", .ca_cert = leaf, .ca_key = other}, DX_TLS, DX_TLS_FILE, "is no CA's");
    no_make("no", (dx_cert_opts){.names = "box", .ca_cert = ca, .ca_key = other}, DX_TLS, DX_TLS_FILE,
            "is not the key of");
    no_make("no", (dx_cert_opts){.names = "box", .ca_cert = ca, .ca_key = leaf}, DX_TLS, DX_TLS_FILE,
            "no key is in it");
    no_make("no", (dx_cert_opts){.names = "box", .ca_cert = key, .ca_key = key}, DX_TLS, DX_TLS_FILE,
            "no certificate is in it");
    no_make("no", (dx_cert_opts){.names = "box", .key = ca}, DX_TLS, DX_TLS_FILE, "no key is in it");
    no_make("no", (dx_cert_opts){.names = "box", .key = "/nowhere"}, DX_SYS, ENOENT, "/nowhere");
    struct made old = make_cert(
        &(struct cert_spec){.file = "old.pem", .cn = "old", .ca = true, .from_days = -9, .until_days = -2}, NULL);
    gnutls_datum_t pem;
    MUST(gnutls_x509_privkey_export2(old.key, GNUTLS_X509_FMT_PEM, &pem));
    write_text(at("old.key"), (char *)pem.data);
    gnutls_free(pem.data);
    snprintf(ca, sizeof ca, "%s", at("old.pem"));
    snprintf(key, sizeof key, "%s", at("old.key"));
    no_make("no", (dx_cert_opts){.names = "box", .ca_cert = ca, .ca_key = key}, DX_TLS, DX_TLS_FILE,
            "out of its dates");
    made_free(old);
}

/* ---- this host's own ---- */

static void fresh_state(void)
{
    static char path[200];
    static int turn;
    snprintf(path, sizeof path, "%s", at("state%d", turn++));
    setenv("XDG_STATE_HOME", path, 1);
}

static char leaf_pem[CERT_PATH_ROOM], leaf_key[CERT_PATH_ROOM];

static struct seen own(const char *names)
{
    dx_err err = {0};
    CHECK_SAY(dx_cert_auto(names, leaf_pem, leaf_key, sizeof leaf_pem, &err) == 0, "%s", err.text);
    return read_one(leaf_pem);
}

/* Puts a leaf of the host's own key there, with the host's names and these dates. */
static void put_leaf(int days)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    struct names *n = names_new(NULL);
    CHECK_INT(cert_key_load(leaf_key, true, &key, NULL), 0);
    names_add_host(n);
    CHECK_INT(cert_new(&(struct cert_wish){.names = n, .key = key, .days = days}, &crt, NULL), 0);
    CHECK_INT(cert_save(leaf_pem, crt, true, NULL), 0);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    names_free(n);
}

TEST(the_own_leaf_is_made_once_and_stays)
{
    char folder[CERT_PATH_ROOM];
    fresh_state();
    struct seen a = own(NULL), b = own(NULL);
    CHECK_STR(a.fingerprint, b.fingerprint);
    CHECK_INT(days_left(&a), 90);
    CHECK_INT(dx_cert_folder(folder, sizeof folder, NULL), 0);
    CHECK(!strncmp(leaf_pem, folder, strlen(folder)) && !strcmp(leaf_pem + strlen(folder), "/leaf.pem"));
    CHECK_INT(mode_of(folder), 0700);
    CHECK_INT(mode_of(leaf_key), 0600);
    CHECK_INT(mode_of(leaf_pem), 0644);
    CHECK_INT(files_in(folder), 2);
}

TEST(a_leaf_that_is_due_is_made_anew_with_its_key)
{
    fresh_state();
    struct seen first = own(NULL);
    static const struct {
        int days;
        bool kept;
    } cases[] = {{31, true}, {30, true}, {29, false}, {1, false}, {0, false}, {-5, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_leaf(cases[i].days +
                 (cases[i].days == 30)); /* at 30 to the second it would be due by the time it is read */
        struct seen before = read_one(leaf_pem), after = own(NULL);
        CHECK_SAY(!strcmp(before.fingerprint, after.fingerprint) == cases[i].kept, "%d days", cases[i].days);
        CHECK_STR(after.pin, first.pin);
    }
}

TEST(a_leaf_that_lacks_a_name_is_made_anew_with_its_key)
{
    fresh_state();
    struct seen a = own(NULL), b = own("extra.example,192.0.2.7"), c = own("extra.example"), d = own(NULL);
    CHECK(strcmp(a.fingerprint, b.fingerprint));
    CHECK_STR(a.pin, b.pin);
    CHECK(has(b.names, "extra.example") && has(b.names, "192.0.2.7") && has(b.names, "localhost"));
    CHECK_STR(b.fingerprint, c.fingerprint);
    CHECK_STR(b.fingerprint, d.fingerprint);
    dx_err err;
    CHECK_INT(dx_cert_auto("a b", leaf_pem, leaf_key, sizeof leaf_pem, &err), DX_URL);
}

TEST(a_damaged_leaf_is_mended_and_a_damaged_key_is_not)
{
    dx_err err = {0};
    fresh_state();
    struct seen a = own(NULL);
    write_text(leaf_pem, "rubbish");
    struct seen b = own(NULL);
    CHECK_STR(a.pin, b.pin);
    unlink(leaf_pem);
    b = own(NULL);
    CHECK_STR(a.pin, b.pin);
    /* a leaf of another key */
    make("foreign", (dx_cert_opts){0});
    CHECK(rename(at("foreign.pem"), leaf_pem) == 0);
    b = own(NULL);
    CHECK_STR(a.pin, b.pin);
    CHECK(chmod(leaf_key, 0640) == 0);
    CHECK_INT(dx_cert_auto(NULL, leaf_pem, leaf_key, sizeof leaf_pem, &err), DX_TLS);
    CHECK_INT(err.detail, DX_TLS_FILE);
    CHECK_SAY(strstr(err.text, "chmod 600 ") && strstr(err.text, "leaf.key"), "%s", err.text);
    CHECK(chmod(leaf_key, 0400) == 0); /* narrower is fine */
    own(NULL);
    CHECK(chmod(leaf_key, 0600) == 0);
    write_text(leaf_key, "rubbish");
    CHECK_INT(dx_cert_auto(NULL, leaf_pem, leaf_key, sizeof leaf_pem, &err), DX_TLS);
    CHECK(strstr(err.text, "leaf.key"));
    CHECK(holds(leaf_key, "rubbish"));
}

static void make_own_ca(const char *names, int days)
{
    char folder[200], cert[220], key[220];
    dx_err err = {0};
    CHECK_INT(dx_cert_folder(folder, sizeof folder, NULL), 0);
    snprintf(cert, sizeof cert, "%s/ca.pem", folder);
    snprintf(key, sizeof key, "%s/ca.key", folder);
    unlink(cert);
    unlink(key);
    CHECK_SAY(dx_cert_make(cert, key, &(dx_cert_opts){.names = names, .ca = true, .days = days}, &err) == 0, "%s",
              err.text);
}

TEST(a_ca_beside_it_signs_the_own_leaf)
{
    dx_err err;
    char ca[300], folder[200];
    fresh_state();
    struct seen self = own(NULL);
    CHECK(self.last.self_signed);
    make_own_ca(NULL, 0);
    CHECK_INT(dx_cert_folder(folder, sizeof folder, NULL), 0);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    struct seen signed_one = own(NULL), again = own(NULL);
    CHECK(!signed_one.last.self_signed);
    CHECK_STR(signed_one.pin, self.pin);
    CHECK_STR(signed_one.fingerprint, again.fingerprint);
    CHECK_INT(dx_cert_check(leaf_pem, "localhost", ca, NULL), 0);
    CHECK_INT(dx_cert_check(leaf_pem, "127.0.0.1", ca, NULL), 0);
    /* it does not cover these */
    struct seen beyond = own("extra.example");
    CHECK(beyond.last.self_signed);
    /* another CA of the same name: the leaf follows it */
    make_own_ca(NULL, 0);
    struct seen moved = own(NULL);
    CHECK(strcmp(moved.fingerprint, signed_one.fingerprint));
    CHECK_INT(dx_cert_check(leaf_pem, "localhost", ca, NULL), 0);
    CHECK_STR(moved.pin, self.pin);
    snprintf(ca, sizeof ca, "%s/ca.key", folder);
    CHECK(chmod(ca, 0644) == 0);
    CHECK_INT(dx_cert_auto(NULL, leaf_pem, leaf_key, sizeof leaf_pem, &err), DX_TLS);
    CHECK(strstr(err.text, "chmod 600 "));
    /* its key was carried away: what it has signed stays until it is due */
    unlink(ca);
    struct seen left = own(NULL);
    CHECK_STR(left.fingerprint, moved.fingerprint);
}

TEST(a_ca_near_its_end_signs_one_leaf_and_not_one_a_call)
{
    fresh_state();
    own(NULL);
    make_own_ca(NULL, 7);
    struct seen a = own(NULL), b = own(NULL);
    CHECK(!a.last.self_signed);
    CHECK_INT(days_left(&a), 7);
    CHECK_STR(a.fingerprint, b.fingerprint);
}

TEST(folders_follow_the_environment)
{
    char path[200], home[100];
    dx_err err;
    setenv("XDG_STATE_HOME", "/x/y", 1);
    CHECK_INT(dx_cert_folder(path, sizeof path, &err), 0);
    CHECK_STR(path, "/x/y/duplex");
    CHECK_INT(dx_cert_folder(path, 12, &err), 0);
    CHECK_INT(dx_cert_folder(path, 11, &err), DX_SYS);
    CHECK_INT(err.detail, ENAMETOOLONG);
    snprintf(home, sizeof home, "%s", getenv("HOME") ? getenv("HOME") : "");
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", "/home/ada", 1);
    CHECK_INT(dx_cert_folder(path, sizeof path, &err), 0);
    CHECK_STR(path, "/home/ada/.local/state/duplex");
    unsetenv("HOME");
    unsetenv("XDG_STATE_HOME");
    CHECK_INT(dx_cert_folder(path, sizeof path, &err), 0); /* from the list of users */
    CHECK(strstr(path, "/.local/state/duplex"));
    setenv("HOME", home, 1);
    fresh_state();
}

/* ---- at once, and without memory ---- */

static void *own_in_thread(void *arg)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    dx_err err = {0};
    *(int *)arg = dx_cert_auto(NULL, cert, key, sizeof cert, &err);
    return NULL;
}

TEST(threads_that_begin_at_once_get_one_key)
{
    pthread_t t[8];
    int r[8];
    char folder[CERT_PATH_ROOM];
    fresh_state();
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&t[i], NULL, own_in_thread, &r[i]) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 8; i++)
        CHECK_INT(r[i], 0);
    gnutls_x509_privkey_t key;
    struct cert_list l;
    own(NULL);
    CHECK_INT(cert_key_load(leaf_key, true, &key, NULL), 0);
    CHECK_INT(cert_load(leaf_pem, &l, NULL), 0);
    CHECK(cert_is_of(l.crt[0], key));
    CHECK_INT(dx_cert_folder(folder, sizeof folder, NULL), 0);
    CHECK_INT(files_in(folder), 2);
    cert_list_free(&l);
    gnutls_x509_privkey_deinit(key);
}

TEST(without_memory_it_says_so)
{
    dx_err err = {0};
    struct seen s;
    int r = DX_NOMEM;
    make("leaf", (dx_cert_opts){.names = "a.example"});
    for (long n = 1; r < 0; n++) {
        CHECK(n < 500);
        countdown = n;
        r = dx_cert_check(at("leaf.pem"), "a.example", at("leaf.pem"), &err);
        if (r >= 0)
            r = dx_cert_read(at("leaf.pem"), see, &s, &err);
        countdown = 0;
        CHECK_SAY(r >= 0 || r == DX_NOMEM, "%ld: %d %s", n, r, err.text);
    }
    r = DX_NOMEM;
    for (long n = 1; r < 0; n++) {
        CHECK(n < 500);
        fresh_state();
        countdown = n;
        r = dx_cert_auto("a.example", leaf_pem, leaf_key, sizeof leaf_pem, &err);
        countdown = 0;
        CHECK_SAY(r >= 0 || r == DX_NOMEM, "%ld: %d %s", n, r, err.text);
    }
}

TEST_MAIN
