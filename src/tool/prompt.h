/* SPDX-License-Identifier: MIT
 * prompt.h - one line to type in at the bottom of the terminal, while others' words arrive above it. Where the terminal can do
 * nothing ($TERM is dumb) it is read line by line, and only written to. */
#ifndef TOOL_PROMPT_H
#define TOOL_PROMPT_H
#include <duplex/duplex.h>

struct prompt;
struct prompt_watch {
    void (*line)(void *arg, const char *utf8, size_t n); /* Enter: without its end; may be empty           */
    void (*end)(void *arg);                              /* Ctrl-D on an empty line, or the terminal is gone */
    bool (*forgets)(const char *utf8, size_t n);         /* a line for no history file, as those that begin with a blank
                                                            always are; NULL: no others                     */
    bool suspends;                                       /* Ctrl-Z stops the process                          */
};
/* Takes the controlling terminal over until prompt_free, which gives it back as it was; stderr's words (tool_say) come above the
 * line too, where stderr is a terminal. w stays the caller's. One a process, with the loop of tool_signals. */
struct prompt *prompt_new(dx_loop *loop, const char *mark, const struct prompt_watch *w, void *arg, dx_err *err);
/* In the line callback: takes the line as typed off the screen, because the caller shows it in another form. */
void prompt_take_back(struct prompt *p);
/* In the line callback: is it one of several that were pasted and entered together? */
bool prompt_is_one_of_many(const struct prompt *p);
void prompt_free(struct prompt *p); /* NULL is fine */
/* Lines, safe to show as they are; they go above the line being typed. What lacks its line end gets one. */
void prompt_print(struct prompt *p, const char *text, size_t n);
/* The same on an empty screen, where the terminal can. */
void prompt_print_anew(struct prompt *p, const char *text, size_t n);
void prompt_pause(struct prompt *p, bool on); /* no line, no end while on */
/* Any UTF-8 locale knows how wide characters are. */
void prompt_locale(void);
#endif
