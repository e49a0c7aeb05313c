/* SPDX-License-Identifier: MIT
 * date.c - dates of HTTP (RFC 9110 5.6.7), by the calendar alone: no clock, no time zone, no locale. */
#include <duplex/http.h>
#include <string.h>

enum { DAY_S = 86400, YEAR_MAX = 9999 };
static const char weekdays[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
    int year, month, day, hour, minute, second; /* month: 1-12 */
};

/* From 1970-01-01 to that day. Years begin in March here, so that a leap day is the last of its year; 400 of them are always of
 * the same length, and one such round before the year 0 keeps all numbers positive. */
static int64_t days_to(int year, int month, int day)
{
    int64_t y = year + 400 - (month < 3);
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 - 865565;
}

static struct date date_of_day(int64_t days)
{
    struct date d = {.year = (int)(1970 + days * 400 / 146097), .month = 12};
    while (d.year < YEAR_MAX && days_to(d.year + 1, 1, 1) <= days)
        d.year++;
    while (days_to(d.year, 1, 1) > days)
        d.year--;
    while (days_to(d.year, d.month, 1) > days)
        d.month--;
    d.day = (int)(days - days_to(d.year, d.month, 1)) + 1;
    return d;
}

static void put(char *at, int digits, int n)
{
    for (; digits-- > 0; n /= 10)
        at[digits] = (char)('0' + n % 10);
}

void dx_http_date(char ret[30], int64_t s)
{
    int64_t least = days_to(0, 1, 1) * DAY_S, most = days_to(YEAR_MAX, 12, 31) * DAY_S + DAY_S - 1;
    s = s < least ? least : s > most ? most : s;
    int64_t days = (s - least) / DAY_S + days_to(0, 1, 1);
    int rest = (int)(s - days * DAY_S);
    struct date d = date_of_day(days);
    memcpy(ret, "www, DD bbb YYYY hh:mm:ss GMT", 30);
    memcpy(ret, weekdays + (days - days_to(0, 1, 1) + 6) % 7 * 3, 3); /* that was a Saturday */
    memcpy(ret + 8, months + 3 * (d.month - 1), 3);
    put(ret + 5, 2, d.day), put(ret + 12, 4, d.year);
    put(ret + 17, 2, rest / 3600), put(ret + 20, 2, rest / 60 % 60), put(ret + 23, 2, rest % 60);
}

static int month_of(const char *p)
{
    for (int i = 0; i < 12; i++)
        if (!memcmp(p, months + 3 * i, 3))
            return i + 1;
    return 0;
}

static bool is_letters(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z')
            return false;
    return true;
}

/* Is all of s of that form? In it a letter of "YDhms" is a digit of that number, b a letter of the month, _ a blank or the day's first
 * digit; anything else is itself. */
static bool reads(const char *s, size_t n, const char *form, struct date *ret)
{
    struct date d = {0};
    if (n != strlen(form))
        return false;
    for (size_t i = 0; i < n; i++) {
        char f = form[i] == '_' && s[i] != ' ' ? 'D' : form[i];
        int *number = f == 'Y'   ? &d.year
                      : f == 'D' ? &d.day
                      : f == 'h' ? &d.hour
                      : f == 'm' ? &d.minute
                      : f == 's' ? &d.second
                                 : NULL;
        if (number && s[i] >= '0' && s[i] <= '9')
            *number = *number * 10 + (s[i] - '0');
        else if (f == 'b')
            d.month = d.month ? d.month : month_of(s + i); /* its three letters stand there: n is right */
        else if (number || s[i] != (f == '_' ? ' ' : f))
            return false;
    }
    *ret = d;
    return true;
}

/* A year of two digits that seems to be more than 50 years ahead is of the century before. */
static int full_year(int two, int64_t now_s)
{
    int now = date_of_day(now_s / DAY_S).year, year = now / 100 * 100 + two;
    return year > now + 50 ? year - 100 : year;
}

int dx_http_date_read(dx_bytes field, int64_t now_s, int64_t *ret_s)
{
    const char *p = field.p, *comma = p ? memchr(p, ',', field.n) : NULL;
    size_t weekday = comma ? (size_t)(comma - p) : 3, behind = comma ? weekday + 2 : 4;
    struct date d;
    if (!p || field.n < behind || weekday < 3 || weekday > 9 || !is_letters(p, weekday) || p[behind - 1] != ' ')
        return DX_URL;
    if (comma && reads(p + behind, field.n - behind, "DD-bbb-YY hh:mm:ss GMT", &d))
        d.year = full_year(d.year, now_s);
    else if (!reads(p + behind, field.n - behind, comma ? "DD bbb YYYY hh:mm:ss GMT" : "bbb _D hh:mm:ss YYYY", &d))
        return DX_URL;
    if (!d.month || d.hour > 23 || d.minute > 59 || d.second > 60)
        return DX_URL;
    int64_t days = days_to(d.year, d.month, d.day);
    if (!d.day || days >= days_to(d.year + d.month / 12, d.month % 12 + 1, 1))
        return DX_URL;
    *ret_s = days * DAY_S + d.hour * 3600 + d.minute * 60 + d.second;
    return 0;
}
