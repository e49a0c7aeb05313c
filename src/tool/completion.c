/* SPDX-License-Identifier: MIT
 * completion.c - what completes command lines in bash and zsh, as scripts made of the tables. */
#include "tool/describe.h"
#include <duplex/text.h>
#include <ctype.h>
#include <string.h>

enum { WANTS_MAX = 200, PLACES_MAX = 4 };
static const char help_help[] = "examples first, then the options";
static const char version_help[] = "which one this is";

/* What a shell can offer for a part of "[show [FILE] | ca | URL]": a word as it is, FILE, DIR, URL or COMMAND. 0: nothing. */
static size_t wanted(const char *part, size_t n, const char **ret_want)
{
    size_t lower = strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789-");
    *ret_want = part;
    if (n > 3 && !memcmp(part + n - 3, "...", 3))
        n -= 3;
    if (n > 4 && !memcmp(part + n - 4, "-URL", 4)) {
        *ret_want = "URL";
        return 3;
    }
    if ((n == 3 && (!memcmp(part, "URL", 3) || !memcmp(part, "DIR", 3))) || (n == 4 && !memcmp(part, "FILE", 4)) ||
        (n == 7 && !memcmp(part, "COMMAND", 7)))
        return n;
    return n > 1 && lower >= n && isalpha((unsigned char)*part) ? n : 0;
}

/* Is want, n bytes of it, in that list already? */
static bool is_in(const char *list, char between, const char *want, size_t n)
{
    for (const char *p = list; p; p = strchr(p, between)) {
        p += *p == between;
        if (!strncmp(p, want, n) && (p[n] == between || !p[n]))
            return true;
    }
    return false;
}

/* All that is wanted by this text, each once, behind what the list has. */
static void add_wants(const char *arg, size_t arg_n, char between, char ret_list[WANTS_MAX])
{
    size_t at = strlen(ret_list), n;
    for (const char *p = arg, *want; p < arg + arg_n; p += n ? n : 1) {
        n = strcspn(p, "[]| ");
        size_t length = wanted(p, n, &want);
        if (!length || at + length + 2 > WANTS_MAX || is_in(ret_list, between, want, length))
            continue;
        if (at)
            ret_list[at++] = between;
        memcpy(ret_list + at, want, length);
        ret_list[at += length] = 0;
    }
}

static void wants(const char *arg, char between, char ret_list[WANTS_MAX])
{
    ret_list[0] = 0;
    add_wants(arg, strlen(arg), between, ret_list);
}

/* What a command wants as its arguments, place by place: of "[show [FILE] | ca] URL..." a word, a file, URLs. */
struct places {
    char list[PLACES_MAX][WANTS_MAX];
    int count;
    bool repeats; /* the last of them */
};

static void find_places(const char *args, char between, struct places *ret)
{
    int at = 0, group = 0, depth = 0;
    *ret = (struct places){0};
    for (size_t n; *args; args += n + (args[n] == ' ')) {
        n = strcspn(args, " ");
        if (!strncmp(args, "[OPTION]", 8))
            continue;
        if (n == 1 && *args == '|') {
            at = group;
            continue;
        }
        if (!depth)
            group = at;
        for (size_t i = 0; i < n; i++)
            depth += (args[i] == '[') - (args[i] == ']');
        if (at == PLACES_MAX)
            continue;
        size_t before = strlen(ret->list[at]);
        add_wants(args, n, between, ret->list[at]);
        bool wanted_here = ret->list[at++][before] != 0;
        if (wanted_here && at > ret->count)
            ret->count = at;
        ret->repeats |= wanted_here && at == ret->count && n > 3 && !memcmp(args + n - 3, "...", 3);
    }
}

/* What an option wants whose value is one of many names: the shells have these as lists. */
static void option_wants(const struct opt *o, char between, char ret_list[WANTS_MAX])
{
    static const char *const named[][2] = {{"checksum", "SUM"}, {"encoding", "CODING"}, {"frame", "FRAME"}};
    wants(o->arg, between, ret_list);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (!strcmp(o->name, named[i][0]))
            snprintf(ret_list, WANTS_MAX, "%s", named[i][1]);
}

/* Text inside of single quotes, in one line; before each letter of escaped comes a backslash. */
static void put_quoted(FILE *to, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            fputc('\\', to);
        if (*text == '\'')
            fputs("'\\''", to);
        else
            fputc(*text == '\n' ? ' ' : *text, to);
    }
}

/* "tcp://" of "tcp://HOST:PORT" */
static int wire_prefix(const struct wire *w)
{
    return (int)strcspn(w->url, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static void put_wires(FILE *to)
{
    for (const struct wire *w = wire_table; w->url; w++)
        fprintf(to, "%s%.*s", w == wire_table ? "" : " ", wire_prefix(w), w->url);
}

static void put_sums(FILE *to)
{
    for (size_t i = 0; dx_sum_at(i); i++)
        fprintf(to, "%s%s", i ? " " : "", dx_sum_at(i)->name);
}

/* A value that goes on after a colon. */
static const char frames[] = "line none gap: fixed: delim: length:";
static const char codings[] = "auto utf-8 gb18030 gbk gb2312 big5 euc-jp sjis euc-kr iso-8859-1 windows-1252";

static void put_lists(FILE *to, const char *begin, const char *end)
{
    fprintf(to, "_duplex_urls=%s", begin);
    put_wires(to);
    fprintf(to, "%s\n_duplex_sums=%s", end, begin);
    put_sums(to);
    fprintf(to, "%s\n_duplex_codings=%s%s%s\n_duplex_frames=%s%s%s\n", end, begin, codings, end, begin, frames, end);
}

/* ---- bash ---- */

static const char bash_code[] =
    "# Words that bash took apart at : and = are whole again in words; cut is what it keeps of the last one.\n"
    "_duplex_join()\n"
    "{\n"
    "    local i word glue=\n"
    "    words=() cut=\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((${#words[@]} > 1)) && [[ $glue || $word =~ ^[:=]+$ ]]; then\n"
    "            cut=${words[-1]}\n"
    "            words[-1]+=$word\n"
    "            [[ $word =~ ^[:=]+$ ]] && cut+=$word\n"
    "        else\n"
    "            words+=(\"$word\") cut=\n"
    "        fi\n"
    "        [[ $word =~ ^[:=]+$ ]] && glue=1 || glue=\n"
    "    done\n"
    "}\n"
    "\n"
    "# WORD HELP: one more, if it goes on from what is typed. The help is shown where bash only lists (63).\n"
    "_duplex_offer()\n"
    "{\n"
    "    [[ $1 == \"$typed\"* ]] || return\n"
    "    local reply=$before$1\n"
    "    reply=${reply#\"$cut\"}\n"
    "    [[ ${COMP_TYPE-} == 63 && ${2-} ]] && printf -v reply '%-16s  %.*s' \"$reply\" $((${COLUMNS:-80} - 24)) "
    "\"$2\"\n"
    "    COMPREPLY+=(\"$reply\")\n"
    "}\n"
    "\n"
    "# LINES: the first word of each, with the others as help.\n"
    "_duplex_lines()\n"
    "{\n"
    "    local word help\n"
    "    while read -r word help; do\n"
    "        _duplex_offer \"$word\" \"$help\"\n"
    "    done <<<\"$1\"\n"
    "}\n"
    "\n"
    "# LIST: what it wants, by commas.\n"
    "_duplex_want()\n"
    "{\n"
    "    local want word files=\n"
    "    for want in ${1//,/ }; do\n"
    "        case $want in\n"
    "        FILE)\n"
    "            while IFS= read -r word; do\n"
    "                [[ $word ]] && _duplex_offer \"$word\" && files=1\n"
    "            done <<<\"$(compgen -f -- \"$typed\")\" ;;\n"
    "        DIR)\n"
    "            while IFS= read -r word; do\n"
    "                [[ $word ]] && _duplex_offer \"$word\" && files=1\n"
    "            done <<<\"$(compgen -d -- \"$typed\")\" ;;\n"
    "        URL)\n"
    "            for word in $_duplex_urls; do\n"
    "                _duplex_offer \"$word\" && compopt -o nospace 2>/dev/null && files=\n"
    "            done ;;\n"
    "        SUM) _duplex_lines \"${_duplex_sums// /$'\\n'}\" ;;\n"
    "        CODING) _duplex_lines \"${_duplex_codings// /$'\\n'}\" ;;\n"
    "        FRAME)\n"
    "            _duplex_lines \"${_duplex_frames// /$'\\n'}\"\n"
    "            [[ ${COMPREPLY-} == *: ]] && compopt -o nospace 2>/dev/null ;;\n"
    "        COMMAND) _duplex_lines \"$_duplex_commands\" ;;\n"
    "        any) ;;\n"
    "        *) _duplex_offer \"$want\" ;;\n"
    "        esac\n"
    "    done\n"
    "    [[ $files ]] && compopt -o filenames 2>/dev/null\n"
    "}\n"
    "\n"
    "# Which of the places of args is the last word for? What stands there is wanted.\n"
    "_duplex_place()\n"
    "{\n"
    "    local i word name letter value help skip= place=0 places=($args)\n"
    "    for ((i = 2; i < ${#words[@]} - 1; i++)); do\n"
    "        word=${words[i]}\n"
    "        [[ $skip ]] && skip= && continue\n"
    "        [[ $word != -?* ]] && ((place += 1)) && continue\n"
    "        while read -r name letter value help; do\n"
    "            [[ $value != - && ($word == \"$name\" || $word == \"$letter\") ]] || continue\n"
    "            [[ $value != \\?* || ,${value#\\?}, == *,\"${words[i + 1]}\",* ]] && skip=1\n"
    "        done <<<\"$rows\"\n"
    "    done\n"
    "    ((place >= ${#places[@]})) && [[ $args == *... ]] && place=$((${#places[@]} - 1))\n"
    "    args=${places[place]-}\n"
    "    args=${args%...}\n"
    "}\n"
    "\n"
    "_duplex()\n"
    "{\n"
    "    local IFS=$' \\t\\n' rows args cut typed before= option= name letter value help words=()\n"
    "    COMPREPLY=()\n"
    "    _duplex_join\n"
    "    typed=${words[-1]}\n"
    "    if ((${#words[@]} == 2)); then\n"
    "        _duplex_lines \"$_duplex_commands\"\n"
    "        [[ $typed == -* ]] && _duplex_want --help,--version\n"
    "        return\n"
    "    fi\n"
    "    _duplex_rows \"${words[1]}\"\n"
    "    if [[ $typed == --*=* ]]; then\n"
    "        option=${typed%%=*} before=$option= typed=${typed#*=}\n"
    "    elif ((${#words[@]} > 3)) && [[ ${words[-2]} == -?* ]]; then\n"
    "        option=${words[-2]}\n"
    "    fi\n"
    "    while [[ $option ]] && read -r name letter value help; do\n"
    "        [[ $value != - && ($option == \"$name\" || $option == \"$letter\") ]] || continue\n"
    "        _duplex_want \"${value#\\?}\"\n"
    "        [[ $value == \\?* && ! $before ]] || return\n"
    "    done <<<\"$rows\"\n"
    "    [[ $before ]] && return\n"
    "    _duplex_place\n"
    "    if [[ $typed == -* || ! $args ]]; then\n"
    "        while read -r name letter value help; do\n"
    "            _duplex_offer \"$name\" \"$help\"\n"
    "        done <<<\"$rows\"\n"
    "    else\n"
    "        _duplex_want \"$args\"\n"
    "    fi\n"
    "}\n"
    "complete -F _duplex duplex\n";

static void bash_option(FILE *to, const struct opt *o)
{
    char list[WANTS_MAX] = "-";
    if (o->arg && o->kind != OPT_MAYBE) /* a flag, but for what stands behind = */
        option_wants(o, ',', list);
    fprintf(to, "--%s -%.1s %s%s ", o->name, o->letter ? &o->letter : "", o->kind == OPT_WORD ? "?" : "",
            *list ? list : "any");
    put_quoted(to, o->help, "");
    fputc('\n', to);
}

/* What the options and arguments of a command are. */
static void bash_command(FILE *to, const struct command *c)
{
    struct places p;
    find_places(c->args, ',', &p);
    fprintf(to, "    %s)\n        args='", c->name);
    for (int i = 0; i < p.count; i++)
        fprintf(to, "%s%s", i ? " " : "", *p.list[i] ? p.list[i] : "any");
    fprintf(to, "%s'\n        rows='", p.repeats ? "..." : "");
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        bash_option(to, o);
    fprintf(to, "--help -h - %s' ;;\n", help_help);
}

void completion_bash(FILE *to)
{
    fputs("# bash completion for duplex, as duplex help --completion bash writes it.\n\n_duplex_commands='", to);
    for (const struct command *c = command_table; c->name; c++) {
        fprintf(to, "%s%s ", c == command_table ? "" : "\n", c->name);
        put_quoted(to, c->summary, "");
    }
    fputs("'\n", to);
    put_lists(to, "'", "'");
    fputs("\n# COMMAND: args is what it takes, place by place; rows its options: name, letter, value, "
          "help.\n_duplex_rows()\n{\n"
          "    rows= args=\n    case $1 in\n",
          to);
    for (const struct command *c = command_table; c->name; c++)
        bash_command(to, c);
    fprintf(to, "    esac\n}\n\n%s", bash_code);
}

/* ---- zsh ---- */

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
    put_quoted(to, help, "\\[]:");
    fputc(']', to);
    if (o->arg) {
        fputs(maybe || o->kind == OPT_WORD ? "::" : ":", to);
        put_quoted(to, o->arg, "\\:");
        option_wants(o, ' ', list);
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
    fprintf(to, " \\\n            '(- *)'{-h,--help}'[%s]'", help_help);
    find_places(c->args, ' ', &p);
    for (int i = 0; i < p.count; i++)
        fprintf(to, " \\\n            '%d: : %s%s'", i + 1, *p.list[i] ? "_duplex_want " : "", p.list[i]);
    if (p.repeats)
        fprintf(to, " \\\n            '*: : _duplex_want %s'", p.list[p.count - 1]);
    fputs(" && ret=0 ;;\n", to);
}

void completion_zsh(FILE *to)
{
    fputs("#compdef duplex\n# zsh completion for duplex, as duplex help --completion zsh writes it.\n\n", to);
    put_lists(to, "(", ")");
    fputs("_duplex_commands()\n{\n    local -a list=(\n", to);
    for (const struct command *c = command_table; c->name; c++) {
        fprintf(to, "        '%s:", c->name);
        put_quoted(to, c->summary, "\\:");
        fputs("'\n", to);
    }
    fputs("    )\n", to);
    fprintf(to, zsh_code, help_help, version_help);
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
