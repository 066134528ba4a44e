#include "train/html.h"

#include <string.h>

#include "text/utf8.h"

/* Series colours c0 to c7 differ in lightness as well as in hue; all have a contrast of at least
   3:1 against their background, texts of 4.5:1 (WCAG 2.1). */
static const char style[] =
    ":root{color-scheme:light dark;--back:#f7f6f3;--card:#fff;--ink:#1f2328;--muted:#5a636d;"
    "--line:#dfdcd5;--hit:#e3f1e6;--c0:#1f5fa8;--c1:#b84a12;--c2:#17784f;--c3:#8140a8;"
    "--c4:#8a6508;--c5:#b52a64;--c6:#0b7285;--c7:#57606a}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#15171a;--card:#1d2024;--ink:#e8e6e1;"
    "--muted:#a0a8b1;--line:#363b42;--hit:#1d3527;--c0:#74b1f3;--c1:#f59a63;--c2:#62cf9f;"
    "--c3:#cb9cec;--c4:#e2be5a;--c5:#f387b0;--c6:#5cc8dc;--c7:#aab2bb}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--back);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif}\n"
    "main{max-width:76rem;margin:0 auto;padding:2rem 1rem 4rem}\n"
    "h1{font-size:2rem;line-height:1.2;margin:0}\n"
    "h2{font-size:1.3rem;margin:2.8rem 0 .8rem}\n"
    "h3{font-size:1rem;margin:1.4rem 0 .4rem}\n"
    "p{margin:.4rem 0;max-width:60rem}\n"
    ".muted{color:var(--muted)}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;"
    "margin:1.4rem 0 0}\n"
    ".card,figure,.wide,details{background:var(--card);border:1px solid var(--line);"
    "border-radius:.6rem}\n"
    ".card{padding:.7rem .9rem}\n"
    ".card b{display:block;font-size:1.45rem;line-height:1.25;font-variant-numeric:tabular-nums;"
    "overflow-wrap:anywhere}\n"
    ".card span{color:var(--muted);font-size:.85rem}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));"
    "gap:.9rem}\n"
    ".heats{display:flex;flex-wrap:wrap;gap:.9rem}.heats figure{max-width:100%}\n"
    "figure{margin:0;padding:.8rem .9rem .5rem;overflow-x:auto}\n"
    "figcaption{font-weight:600;margin-bottom:.2rem}\n"
    "figcaption small{font-weight:400;color:var(--muted)}\n"
    ".keys{display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.85rem}\n"
    ".keys i{display:inline-block;width:1.1em;height:.25em;margin-right:.4em;"
    "vertical-align:middle;border-radius:.2em;background:currentColor}\n"
    "svg{display:block;max-width:100%;height:auto}\n"
    "svg text{fill:var(--muted);font-size:13px;font-family:inherit}\n"
    ".lines{width:100%}\n"
    ".grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}\n"
    ".axis{stroke:var(--muted);stroke-width:1;vector-effect:non-scaling-stroke}\n"
    ".curve{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round;"
    "stroke-linecap:round;vector-effect:non-scaling-stroke}\n"
    ".fine{stroke-width:1.3}\n"
    ".points{fill:none;stroke:currentColor;stroke-width:5;stroke-opacity:.55;"
    "stroke-linecap:round;vector-effect:non-scaling-stroke}\n"
    ".dot{fill:currentColor;stroke:var(--card);stroke-width:1}\n"
    ".s0{color:var(--c0)}.s1{color:var(--c1)}.s2{color:var(--c2)}.s3{color:var(--c3)}"
    ".s4{color:var(--c4)}.s5{color:var(--c5)}.s6{color:var(--c6)}.s7{color:var(--c7)}\n"
    ".cell{fill:var(--c0)}.frame{fill:none;stroke:var(--line)}\n"
    ".heat text{fill:var(--ink)}.heat .name{fill:var(--muted)}\n"
    ".wide{overflow-x:auto}\n"
    ".wide+.wide{margin-top:.9rem}\n"
    "table{border-collapse:collapse;width:100%;font-size:.93rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .8rem;"
    "border-top:1px solid var(--line)}\n"
    "tr:first-child th,tr:first-child td{border-top:0}\n"
    "th{font-weight:600}thead th{color:var(--muted);font-weight:500}\n"
    "tbody th{white-space:nowrap;font-weight:500}\n"
    "td{overflow-wrap:anywhere}\n"
    ".right{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "thead .right{width:6.5rem}\n"
    ".hit td,.hit th{background:var(--hit)}\n"
    "caption{text-align:left;padding:.6rem .8rem;caption-side:top}\n"
    "details{margin:.8rem 0;padding:.5rem .9rem}summary{cursor:pointer;font-weight:600}\n"
    "code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em;"
    "overflow-wrap:anywhere}\n"
    "@media print{body{background:none}figure,.card,table{break-inside:avoid}}\n";

int html_begin(struct buf *out, const char *title, struct err *err)
{
    return html_begin_styled(out, title, "", err);
}

int html_begin_styled(struct buf *out, const char *title, const char *more, struct err *err)
{
    buf_text(out,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>",
             err);
    html_text(out, title, err);
    buf_text(out, "</title>\n<style>\n", err);
    buf_text(out, style, err);
    buf_text(out, more, err);
    return buf_text(out, "</style>\n</head>\n<body>\n<main>\n", err);
}

int html_end(struct buf *out, struct err *err)
{
    return buf_text(out, "</main>\n</body>\n</html>\n", err);
}

/* XML reads the marks of CDATA, HTML the comments in front of them. */
int html_script_begin(struct buf *out, struct err *err)
{
    return buf_text(out, "<script>//<![CDATA[\n", err);
}

int html_script_end(struct buf *out, struct err *err)
{
    return buf_text(out, "//]]></script>\n", err);
}

int html_figure(struct buf *out, const char *id, const char *title, const char *note,
                struct err *err)
{
    buf_printf(out, err, "<figure>\n<figcaption id=\"%s-name\">", id);
    html_text(out, title, err);
    if (note) {
        buf_text(out, " <small>", err);
        html_text(out, note, err);
        buf_text(out, "</small>", err);
    }
    return buf_text(out, "</figcaption>\n", err);
}

static const char *escape(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    }
    /* what neither XML 1.0 nor HTML allows */
    const bool control = (code < 0x20 && code != '\t' && code != '\n') ||
                         (code >= 0x7F && code < 0xA0) || (code >= 0xFDD0 && code <= 0xFDEF) ||
                         (code & 0xFFFE) == 0xFFFE;
    return control ? "\xEF\xBF\xBD" : NULL;
}

int html_bytes(struct buf *out, const char *text, size_t len, struct err *err)
{
    struct buf repaired = BUF_INIT;
    int status = 0;
    if (utf8_valid_length(text, len) < len) {
        status = utf8_repair(text, len, &repaired, err);
        text = repaired.data;
        len = repaired.len;
    }
    size_t plain = 0;
    for (size_t i = 0, n; status == 0 && i < len; i += n) {
        uint32_t code = 0;
        n = utf8_decode(text + i, len - i, &code);
        const char *instead = escape(code);
        if (!instead)
            continue;
        status = buf_append(out, text + plain, i - plain, err);
        if (status == 0)
            status = buf_text(out, instead, err);
        plain = i + n;
    }
    if (status == 0)
        status = buf_append(out, text + plain, len - plain, err);
    buf_release(&repaired);
    return status;
}

int html_text(struct buf *out, const char *text, struct err *err)
{
    return html_bytes(out, text, strlen(text), err);
}
