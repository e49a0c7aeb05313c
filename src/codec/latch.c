/* SPDX-License-Identifier: MIT
 * latch.c - UTF-8 or GB18030? Both are read at once; whichever cannot be is out. What can be both is a guess.
 *
 * GB 2312 pairs C2-D7, A1-BF are whole 2-byte UTF-8 sequences as well: 682 hanzi, all of level 1, against Latin with
 * accents, Greek and Cyrillic. Only those below count as hanzi; one other pair, and the message is UTF-8. */
#include "latch.h"
#include "base/utf8.h"

enum { ZONE_LEAD = 0xC2, ZONE_LEAD_END = 0xD7, ZONE_TRAIL = 0xA1 };

/* The hanzi of the zone that are among the 2,100 most frequent of simplified Chinese (by the counts of a word list),
 * less five whose bytes UTF-8 needs more: ³ é ñ ö ü. So 25°C, µm, ±5, café and Müller stay what they are.
 * Row: the first byte. Bit: the second byte less A1. */
/* clang-format off */
static const uint32_t common[ZONE_LEAD_END - ZONE_LEAD + 1] = {
    0x19604911, /* C2: 隆楼漏卢炉露路鹿录陆 */
    0x564E8CA0, /* C3: 忙猫毛矛冒貌贸么梅煤没媒每 */
    0x75E52F7C, /* C4: 模膜磨摩魔末莫墨默漠谋某亩姆母墓幕慕木目 */
    0x0A507FAC, /* C5: 牛扭纽浓农弄奴努怒女暖诺欧藕偶 */
    0x70F97E18, /* C6: 皮匹篇偏片骗飘漂票拼频贫品聘平凭瓶 */
    0x5507ADC5, /* C7: 恰牵千迁签谦乾钱前潜遣浅枪腔墙强 */
    0x2E49D6B9, /* C8: 取趣去圈权泉全拳券劝缺却确群然燃染 */
    0x1235B496, /* C9: 散桑丧扫色森僧砂杀沙傻啥珊山 */
    0x7D77EFFF, /* CA: 省盛剩胜圣师失狮施湿诗尸十石拾时什食实识史使驶始式示士 */
    0x7914F452, /* CB: 刷衰帅双谁水睡税顺说斯思私司丝 */
    0x79868DD8, /* CC: 踏胎抬台泰太态贪滩坛谈坦碳探叹炭 */
    0x7CFC58FE, /* CD: 廷停亭庭挺艇通同铜童统痛偷投头透突图徒途涂 */
    0x56AFCADE, /* CE: 微危韦违围唯为维委伟伪尾纬未味胃魏位谓慰 */
    0x51DAE24F, /* CF: 稀息希悉惜溪袭席习喜洗系戏细瞎辖峡 */
    0x151BDB67, /* D0: 小孝校笑效些歇鞋协携邪斜胁写械泄谢薪 */
    0x13B2D3C1, /* D1: 选学穴雪血循询寻巡训讯迅压押呀 */
    0x1737E745, /* D2: 摇遥咬药要耀耶爷野冶也页业叶夜液一医 */
    0x4116F233, /* D3: 印英鹰应营迎赢盈影硬映拥庸涌 */
    0x3FBBBA18, /* D4: 预豫元袁原援园员圆源缘远愿怨院曰约越跃 */
    0x39246080, /* D5: 炸债寨粘斩展占战站 */
    0x3DDFEA6E, /* D6: 症郑证枝支知脂之织职直植殖执值址指止只旨纸志 */
    0x184EC39F, /* D7: 住注祝驻抓专砖转庄装撞壮状追准捉 */
};
/* clang-format on */

static bool is_common(uint8_t a, uint8_t b)
{
    return a >= ZONE_LEAD && a <= ZONE_LEAD_END && b >= ZONE_TRAIL && common[a - ZONE_LEAD] >> (b - ZONE_TRAIL) & 1;
}

struct view {
    size_t bad;      /* bytes that do not decode                                      */
    size_t cut;      /* bytes of a character that the message's end cuts               */
    size_t strong;   /* characters that the other coding would hardly make by chance   */
    bool all_common; /* of UTF-8: every character but ASCII is one of the zone's hanzi */
};

static bool in_range(uint8_t c, uint8_t from, uint8_t to)
{
    return c >= from && c <= to;
}

/* Is p[0..n) the beginning of a character that goes on behind it? */
static bool utf8_is_cut(const uint8_t *p, size_t n)
{
    uint32_t state = 0;
    return n < 4 && utf8_check(&state, p, n) && state != 0;
}

static struct view view_utf8(const uint8_t *p, size_t n)
{
    struct view v = {.all_common = true};
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t k = utf8_next(p + i, n - i, &cp);
        if (k == 0 && utf8_is_cut(p + i, n - i)) {
            v.cut = n - i;
            break;
        }
        v.bad += k == 0;
        v.strong += k >= 3;
        if (k > 1 && !(k == 2 && is_common(p[i], p[i + 1])))
            v.all_common = false;
        i += k ? k : 1;
    }
    return v;
}

/* The length of the GB18030 character at p by its shape; 0: none; *ret_cut: the end comes first. */
static size_t gb_next(const uint8_t *p, size_t n, bool *ret_cut)
{
    if (p[0] < 0x80)
        return 1;
    if (!in_range(p[0], 0x81, 0xFE))
        return 0;
    if (n < 2)
        return *ret_cut = true, 0;
    if (in_range(p[1], 0x40, 0x7E) || in_range(p[1], 0x80, 0xFE))
        return 2;
    if (!in_range(p[1], 0x30, 0x39) || (n > 2 && !in_range(p[2], 0x81, 0xFE)) || (n > 3 && !in_range(p[3], 0x30, 0x39)))
        return 0;
    if (n < 4)
        return *ret_cut = true, 0;
    return 4;
}

/* Punctuation, letters and hanzi of GB 2312: what nearly all GB text is made of. */
static bool is_gb2312(uint8_t a, uint8_t b)
{
    return (in_range(a, 0xA1, 0xA9) || in_range(a, 0xB0, 0xF7)) && in_range(b, 0xA1, 0xFE);
}

static struct view view_gb(const uint8_t *p, size_t n)
{
    struct view v = {0};
    for (size_t i = 0; i < n;) {
        bool cut = false;
        size_t k = gb_next(p + i, n - i, &cut);
        if (cut) {
            v.cut = n - i;
            break;
        }
        v.bad += k == 0;
        v.strong += k == 4 || (k == 2 && is_gb2312(p[i], p[i + 1]));
        i += k ? k : 1;
    }
    return v;
}

/* Controls that no text has: such bytes decide nothing for the messages after them. */
static bool is_binary(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 && !in_range(p[i], '\a', '\r') && p[i] != 0x1B)
            return true;
    return false;
}

static enum latch guess(struct latch_state *s, enum latch as)
{
    s->guessed = true;
    return as;
}

static enum latch fewest_bad(struct latch_state *s, const struct view *u, const struct view *g, enum latch tie)
{
    size_t in_utf8 = u->bad + u->cut, in_gb = g->bad + g->cut;
    if (in_utf8 != in_gb)
        return guess(s, in_utf8 < in_gb ? LATCH_UTF8 : LATCH_GB);
    return guess(s, s->last ? (enum latch)s->last : tie);
}

static enum latch judge(struct latch_state *s, const uint8_t *p, size_t n, enum latch tie)
{
    struct view u = view_utf8(p, n), g = view_gb(p, n);
    if (u.bad == 0 && u.strong > 0) {
        s->latched = LATCH_UTF8;
        return LATCH_UTF8;
    }
    if (u.bad == 0 && u.cut == 0)
        return u.all_common ? guess(s, tie) : LATCH_UTF8;
    if (u.bad > 0 && u.strong > u.bad) /* UTF-8 with a damaged place: GB text hardly ever looks so */
        return guess(s, LATCH_UTF8);
    if (u.bad > 0 && g.bad == 0 && g.strong > 0 && !is_binary(p, n)) {
        s->latched = LATCH_GB;
        return LATCH_GB;
    }
    return fewest_bad(s, &u, &g, tie);
}

enum latch latch_message(struct latch_state *s, const uint8_t *p, size_t n, bool guess_gb)
{
    size_t ascii = 0;
    s->guessed = false;
    while (ascii < n && p[ascii] < 0x80)
        ascii++;
    if (ascii == n)
        return LATCH_UTF8;
    enum latch as = s->latched ? (enum latch)s->latched : judge(s, p, n, guess_gb ? LATCH_GB : LATCH_UTF8);
    s->last = (uint8_t)as;
    return as;
}
