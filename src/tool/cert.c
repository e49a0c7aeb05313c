/* SPDX-License-Identifier: MIT
 * cert.c - duplex cert: this host's certificate, others', a CA of one's own. */
#include "tool/cert.h"
#include "tool/tool.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- show ---- */

static int show(const struct options *o, const char *file)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    dx_text t = {0};
    dx_err err = {0};
    if (!file && dx_cert_auto(NULL, cert, key, sizeof cert, &err) < 0)
        return cert_fail(&err, NULL);
    int r = cert_show(file ? file : cert, option_has(o, "json"), &t);
    int printed = cert_print(&t);
    return r ? r : printed;
}

/* ---- make ---- */

/* The arguments from the second on, as one list. */
static void join_names(const struct options *o, dx_text *ret)
{
    for (int i = 1; i < o->arg_count; i++) {
        dx_text_add(ret, ",", i > 1);
        dx_text_add(ret, o->args[i], strlen(o->args[i]));
    }
}

static bool is_file_name(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && (!strcmp(name + n - 4, ".pem") || !strcmp(name + n - 4, ".key"));
}

/* PREFIX.pem and PREFIX.key; without --out the first name, in which no '*' is to trouble a shell. */
static int choose_paths(const struct options *o, char *cert, char *key)
{
    const char *out = option_text(o, "out"), *name = o->args[1];
    bool wild = !out && *name == '*';
    int n = (int)(out ? strlen(out) : strcspn(name, ",")) - wild;
    const char *stem = out ? out : name + wild;
    if (n > CERT_PATH_ROOM - 32)
        return -1;
    snprintf(cert, CERT_PATH_ROOM, "%s%.*s.pem", wild ? "_wildcard" : "", n, stem);
    snprintf(key, CERT_PATH_ROOM, "%s%.*s.key", wild ? "_wildcard" : "", n, stem);
    return 0;
}

static int make_as(const struct options *o, const char *cert, const char *key, const dx_cert_opts *opts)
{
    dx_err err = {0};
    dx_text t = {0};
    if (dx_cert_make(cert, key, opts, &err) < 0)
        return cert_fail(&err, err.code == DX_SYS && err.detail == EEXIST ? "--out another/name" : NULL);
    int r = cert_show(cert, option_has(o, "json"), &t);
    if (!r && !option_has(o, "json"))
        cert_line(&t, "key file", opts->key ? opts->key : key);
    int printed = cert_print(&t);
    return r ? r : printed;
}

static int make(const struct options *o)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    dx_text names = {0};
    if (o->arg_count < 2) {
        tool_say("cert make wants a name.  Try: duplex cert make a.example 10.0.0.1");
        return TOOL_USAGE;
    }
    if (!option_has(o, "out") && is_file_name(o->args[1])) {
        tool_say("cert make wants the name of a host, and '%.60s' is one of a file.  Try: duplex cert make a.example "
                 "--out %.*s",
                 o->args[1], (int)strlen(o->args[1]) - 4, o->args[1]);
        return TOOL_USAGE;
    }
    if (choose_paths(o, cert, key) < 0) {
        tool_say("cert make: the name of the file is too long");
        return TOOL_USAGE;
    }
    join_names(o, &names);
    int r = make_as(o, cert, key,
                    &(dx_cert_opts){.names = names.p ? names.p : "",
                                    .days = (int)option_number(o, "days", 0),
                                    .client = option_has(o, "client"),
                                    .ca_cert = option_text(o, "ca-cert"),
                                    .ca_key = option_text(o, "ca-key"),
                                    .key = option_text(o, "key")});
    dx_text_free(&names);
    return r;
}

/* ---- ca ---- */

/* '@' stands for the CA's file. */
static void say_how_to_trust(const char *ca)
{
    static const char text[] =
        "It signs for those names, for names that end in one of them (x.NAME), and for nothing else: TLS alone, no CA\n"
        "below it. Who has ca.key can sign as you: it stays here, and is never served; nor is ca.pem. Where you want "
        "it\n"
        "trusted, carry ca.pem there yourself (a stick, scp, a cable):\n"
        "  this Debian    sudo cp @ /usr/local/share/ca-certificates/duplex.crt && sudo update-ca-certificates\n"
        "  Chromium       certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n duplex -i @\n"
        "                 or Settings, Privacy and security, Security, Manage certificates, Import\n"
        "  Firefox        Settings, Privacy & Security, View Certificates, Authorities, Import\n"
        "  Android        Settings, Security, Encryption & credentials, Install a certificate, CA certificate\n"
        "  iPhone         open the file, install the profile; then General, About, Certificate Trust Settings\n"
        "  one program    duplex dial tls://HOST:2333#ca=@    curl --cacert @ https://HOST:2333/\n";
    dx_text t = {0};
    for (const char *p = text; *p; p++) {
        size_t n = strcspn(p, "@");
        dx_text_add(&t, p, n);
        p += n;
        if (!*p)
            break;
        dx_visible(ca, strlen(ca), NULL, &t);
    }
    fputs(t.p ? t.p : "", stderr);
    dx_text_free(&t);
}

static void look_who_signed(void *arg, const dx_cert_info *i)
{
    *(bool *)arg = i->self_signed;
}

/* The own leaf follows the CA at once; it tells whether it can. */
static void say_of_own_leaf(void)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM];
    dx_err err = {0};
    bool self_signed = true;
    if (dx_cert_auto(NULL, cert, key, sizeof cert, &err) < 0 ||
        dx_cert_read(cert, look_who_signed, &self_signed, &err) < 0)
        tool_say("%s", err.text);
    else if (self_signed)
        fprintf(stderr, "This host's own leaf stays signed by itself: it has names that this CA may not sign for.\n");
    else
        fprintf(stderr, "This host's own leaf is signed by it from now on; its key and its pin stay.\n");
}

static int make_ca(const struct options *o)
{
    char cert[CERT_PATH_ROOM], key[CERT_PATH_ROOM], folder[CERT_PATH_ROOM - 16];
    dx_err err = {0};
    dx_text t = {0};
    const dx_cert_opts opts = {.names = option_text(o, "names"), .days = (int)option_number(o, "days", 0), .ca = true};
    /* The first call makes the folder, and a leaf whose key is kept. */
    if (dx_cert_folder(folder, sizeof folder, &err) < 0 || dx_cert_auto(NULL, cert, key, sizeof cert, &err) < 0)
        return cert_fail(&err, NULL);
    snprintf(cert, sizeof cert, "%s/ca.pem", folder);
    snprintf(key, sizeof key, "%s/ca.key", folder);
    if (dx_cert_make(cert, key, &opts, &err) < 0) {
        bool there = err.code == DX_SYS && err.detail == EEXIST;
        return cert_fail(&err, there ? "duplex cert show with that file, or move ca.pem and ca.key away first" : NULL);
    }
    int r = cert_show(cert, option_has(o, "json"), &t);
    int printed = cert_print(&t);
    say_how_to_trust(cert);
    say_of_own_leaf();
    return r ? r : printed;
}

/* ---- which ---- */

enum { VERB_OPTIONS_MAX = 8 };
static const struct verb {
    const char *name, *options[VERB_OPTIONS_MAX];
    int args_max;
} verbs[] = {
    {"show", {"json"}, 2},
    {"make", {"out", "days", "client", "ca-cert", "ca-key", "key", "json"}, OPTIONS_ARGS_MAX},
    {"ca", {"days", "names", "json"}, 1},
    {"check", {"host", "ca", "timeout"}, 2},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static bool has_option(const struct verb *v, const char *name)
{
    for (int i = 0; i < VERB_OPTIONS_MAX && v->options[i]; i++)
        if (!strcmp(v->options[i], name))
            return true;
    return false;
}

static const struct verb *find_verb(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (!strcmp(verbs[i].name, name))
            return &verbs[i];
    return NULL;
}

static int refuse(const char *name)
{
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    const char *near = nearest(name, names, VERBS);
    if (near)
        tool_say("no cert command '%.60s'.  Did you mean: duplex cert %s", name, near);
    else
        tool_say("no cert command '%.60s'.  Try: duplex cert show %.160s", name, name);
    return TOOL_USAGE;
}

/* The table has one list of options for all that cert does; -1: each given one is v's. */
static int check_use(const struct options *o, const struct verb *v)
{
    for (int i = 0; i < o->given_count; i++)
        if (!has_option(v, o->given[i].opt->name)) {
            tool_say("cert %s has no option --%s.  Try: duplex cert --help", v->name, o->given[i].opt->name);
            return TOOL_USAGE;
        }
    if (o->arg_count > v->args_max) {
        tool_say("cert %s: '%.60s' is one argument too many.  Try: duplex cert --help", v->name, o->args[v->args_max]);
        return TOOL_USAGE;
    }
    return -1;
}

int cmd_cert(int argc, char **argv)
{
    struct options o;
    int r = options_read(argc, argv, &o);
    if (r >= 0)
        return r;
    const struct verb *v = find_verb(o.arg_count ? o.args[0] : "show");
    if (!v)
        return refuse(o.args[0]);
    r = check_use(&o, v);
    if (r >= 0)
        return r;
    if (!strcmp(v->name, "make"))
        return make(&o);
    if (!strcmp(v->name, "ca"))
        return make_ca(&o);
    if (!strcmp(v->name, "show"))
        return show(&o, o.arg_count > 1 ? o.args[1] : NULL);
    if (o.arg_count < 2) {
        tool_say("cert check wants a file or a URL.  Try: duplex cert check tls://a.example:443");
        return TOOL_USAGE;
    }
    return cert_check(&o, o.args[1]);
}
