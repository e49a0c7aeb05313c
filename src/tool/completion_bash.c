/* SPDX-License-Identifier: MIT
 * completion_bash.c - what completes command lines in bash. */
#include "tool/completion.h"

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
        completion_wants(o, ',', list);
    fprintf(to, "--%s -%.1s %s%s ", o->name, o->letter ? &o->letter : "", o->kind == OPT_WORD ? "?" : "",
            *list ? list : "any");
    completion_quoted(to, o->help, "");
    fputc('\n', to);
}

/* What the options and arguments of a command are. */
static void bash_command(FILE *to, const struct command *c)
{
    struct places p;
    completion_places(c->args, ',', &p);
    fprintf(to, "    %s)\n        args='", c->name);
    for (int i = 0; i < p.count; i++)
        fprintf(to, "%s%s", i ? " " : "", *p.list[i] ? p.list[i] : "any");
    fprintf(to, "%s'\n        rows='", p.repeats ? "..." : "");
    for (const struct opt *o = option_row(c, NULL); o; o = option_row(c, o))
        bash_option(to, o);
    fprintf(to, "--help -h - %s' ;;\n", COMPLETION_HELP);
}

void completion_bash(FILE *to)
{
    fputs("# bash completion for duplex, as duplex help --completion bash writes it.\n\n_duplex_commands='", to);
    for (const struct command *c = command_table; c->name; c++) {
        fprintf(to, "%s%s ", c == command_table ? "" : "\n", c->name);
        completion_quoted(to, c->summary, "");
    }
    fputs("'\n", to);
    completion_lists(to, "'", "'");
    fputs("\n# COMMAND: args is what it takes, place by place; rows its options: name, letter, value, "
          "help.\n_duplex_rows()\n{\n"
          "    rows= args=\n    case $1 in\n",
          to);
    for (const struct command *c = command_table; c->name; c++)
        bash_command(to, c);
    fprintf(to, "    esac\n}\n\n%s", bash_code);
}
