/* SPDX-License-Identifier: MIT
 * topics.c - pages of help that are about no one command. What the tables say is taken from them. */
#include "tool/describe.h"
#include "tool/tool.h"
#include <string.h>

static void put_exit(FILE *to, const struct tool_exit_row *r)
{
    fprintf(to, "  %3d  %-13s %s\n", r->code, r->name, r->words);
}

static void help_exits(FILE *to)
{
    fprintf(to, "Exit codes (curl's numbers where it has them)\n");
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        put_exit(to, r);
}

/* ---- tls ---- */

static const char tls_examples[] =
    "duplex serve --tls                               # https, wss and tls on the same port; the banner shows the pin\n"
    "duplex listen tls://:4000 --cert auto --echo     # this machine's own certificate; or tls://:4000#cert=auto\n"
    "duplex cert                                      # the pin of that certificate, to be told to who dials\n"
    "duplex dial tls://10.0.0.9:4000 --pin sha256:... # believe that key and no other\n"
    "duplex dial tls://a.example:443                  # believe what the system believes\n"
    "duplex cert check tls://a.example:443            # would a dial believe it? and if not, why not\n";

static const char tls_trust[] =
    "Who dials asks who is there, in this order: a --pin decides alone; else the certificate must have the name in "
    "the\n"
    "URL, be in date, and be signed by the --ca, or without one by an issuer in the system's store. --insecure asks\n"
    "nothing. Who listens shows a certificate: --cert FILE --key FILE, or --cert auto, which makes one for all names "
    "of\n"
    "this machine. A pin is sha256: and the digest of the key. Certificates come and go and the key stays, so its pin\n"
    "does. Compare it by another way than the wire: duplex cert shows it, and so do the banner of serve and -v of "
    "dial.\n"
    "A client that asks for a name which no certificate has is refused (sni): serve --host NAME adds a name to auto.\n"
    "SIGHUP reads the files anew, and drops nobody.\n";

static const char tls_urls[] =
    "#cert=FILE or #cert=auto, #key=FILE, #ca=FILE, #pin=sha256:..., #insecure, with commas between: the same for\n"
    "one URL. An option wins over them.\n";

static const char tls_files[] =
    "leaf.pem, leaf.key       this machine's own certificate (auto)\n"
    "ca.pem, ca.key           a CA of its own, if duplex cert ca made one\n"
    "both in $XDG_STATE_HOME/duplex or ~/.local/state/duplex. Files are PEM; a key that others may "
    "read is refused.\n"
    "$SSLKEYLOGFILE           gets the secrets of every connection, for Wireshark\n";

/* The row of that name, and whose it is; what cert makes is another matter. */
static void put_option(FILE *to, const char *name)
{
    for (const struct opt *o = option_table; o->name; o++)
        if (!strcmp(o->name, name) && strcmp(o->commands, "cert")) {
            help_option(to, o);
            fprintf(to, "%27s(%s)\n", "", o->commands);
            return;
        }
}

static void help_tls(FILE *to)
{
    static const char *const options[] = {"tls", "cert", "key", "client-ca", "pin", "ca", "insecure"};
    fprintf(to, "TLS: tls:// wss:// https://, and any:// beside clear text\n\nExamples\n");
    help_indented(to, tls_examples, 2);
    fprintf(to, "\nWhom to believe\n");
    help_indented(to, tls_trust, 2);
    fprintf(to, "\nOptions, and the commands that have them\n");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        put_option(to, options[i]);
    fprintf(to, "\nIn URLs\n");
    help_indented(to, tls_urls, 2);
    fprintf(to, "\nFiles\n");
    help_indented(to, tls_files, 2);
    fprintf(to, "\nExit codes\n");
    for (const struct tool_exit_row *r = tool_exits; r->name; r++)
        if (tls_is_exit(r->code))
            put_exit(to, r);
}

bool help_topic(const char *name, FILE *to)
{
    if (!strcmp(name, "exit-codes"))
        help_exits(to);
    else if (!strcmp(name, "tls"))
        help_tls(to);
    else
        return false;
    return true;
}
