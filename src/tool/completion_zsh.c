/* SPDX-License-Identifier: MIT
 * completion_zsh.c - what completes command lines in zsh. */
#include "tool/completion.h"
#include <string.h>

static const char zsh_code[] = "    _describe command list\n"
                               "}\n"
                               "\n"
                               "# WANT...: FILE, DIR, URL, COMMAND or words\n"
                               "_duplex_want()\n"
                               "{\n"
                               "    local want ret=1\n"
                               "    for want; do\n"
                               "        case $want in\n"
                               "        FILE) _files && ret=0 ;;\n"
                               "        DIR) _files -/ && ret=0 ;;\n"
                               "        URL) compadd -S '' -a _duplex_urls && ret=0 ;;\n"
                               "        SUM) compadd -a _duplex_sums && ret=0 ;;\n"
                               "        CODING) compadd -a _duplex_codings && ret=0 ;;\n"
                               "        FRAME) compadd -S '' -a _duplex_frames && ret=0 ;;\n"
                               "        COMMAND) _duplex_commands && ret=0 ;;\n"
                               "        *) compadd -- $want && ret=0 ;;\n"
                               "        esac\n"
                               "    done\n"
                               "    return ret\n"
                               "}\n"
                               "\n"
                               "_duplex()\n"
                               "{\n"
                               "    local curcontext=$curcontext state line ret=1\n"
                               "    typeset -A opt_args\n"
                               "    _arguments -C '(- *)'{-h,--help}'[%s]' '(- *)'{-V,--version}'[%s]' \\\n"
                               "        '1: :_duplex_commands' '*:: :->rest' && ret=0\n"
                               "    [[ $state == rest ]] || return ret\n"
                               "    case $words[1] in\n";

static void zsh_option(FILE *to, const struct opt *o)
{
    static const char twice[] = "several times";
    char list[WANTS_MAX], help[400];
    snprintf(help, sizeof help, "%s", o->help);
    for (char *p = help; (p = strchr(p, '\n'));)
        *p = ' ';
    bool many = strstr(help, twice) != NULL;
    bool maybe = o->kind == OPT_MAYBE;
    const char *eq = maybe ? "=-" : o->arg ? "=" : "", *plus = o->arg && !maybe ? "+" : "";
    if (o->letter && many)
        fprintf(to, " \\\n            '*'{-%c%s,--%s%s}'[", o->letter, plus, o->name, eq);
    else if (o->letter)
        fprintf(to, " \\\n            '(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter, plus, o->name, eq);
    else
        fprintf(to, " \\\n            '%s--%s%s[", many ? "*" : "", o->name, eq);
    completion_quoted(to, help, "\\[]:");
    fputc(']', to);
    if (o->arg) {
        fputs(maybe || o->kind == OPT_WORD ? "::" : ":", to);
        completion_quoted(to, o->arg, "\\:");
        completion_wants(o, ' ', list);
        fprintf(to, ": %s%s", *list ? "_duplex_want " : "", list);
    }
    fputc('\'', to);
}

static void zsh_command(FILE *to, const struct command *c)
{
    struct places p;
    fprintf(to, "    %s)\n        _arguments -s -S :", c->name);
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        zsh_option(to, o);
    fprintf(to, " \\\n            '(- *)'{-h,--help}'[%s]'", COMPLETION_HELP);
    completion_places(c->args, ' ', &p);
    for (int i = 0; i < p.count; i++)
        fprintf(to, " \\\n            '%d: : %s%s'", i + 1, *p.list[i] ? "_duplex_want " : "", p.list[i]);
    if (p.repeats)
        fprintf(to, " \\\n            '*: : _duplex_want %s'", p.list[p.count - 1]);
    fputs(" && ret=0 ;;\n", to);
}

void completion_zsh(FILE *to)
{
    fputs("#compdef duplex\n# zsh completion for duplex, as duplex help --completion zsh writes it.\n\n", to);
    completion_lists(to, "(", ")");
    fputs("_duplex_commands()\n{\n    local -a list=(\n", to);
    for (const struct command *c = command_table; c->name; c++) {
        fprintf(to, "        '%s:", c->name);
        completion_quoted(to, c->summary, "\\:");
        fputs("'\n", to);
    }
    fputs("    )\n", to);
    fprintf(to, zsh_code, COMPLETION_HELP, COMPLETION_VERSION);
    for (const struct command *c = command_table; c->name; c++)
        zsh_command(to, c);
    fputs("    esac\n    return ret\n}\n\n"
          "if [[ $funcstack[1] == _duplex ]]; then # loaded from a folder of completions, at its first use\n"
          "    _duplex \"$@\"\n"
          "else\n"
          "    compdef _duplex duplex\n"
          "fi\n",
          to);
}
