/*
 * The lists. Words are in lower case, but compared without regard to the case of ASCII letters,
 * and separated by single spaces. Starters are compared as they stand.
 */
#include "text/abbreviation.h"

#include <string.h>

struct sentence_rules {
    const char *language;
    const char *inner, *number, *final, *starters, *words;
    bool ordinals;
};

#define SHARED_INNER "dr prof st vs cf mr mrs ms mme mlle mgr rev"
#define SHARED_NUMBER "no nr p pp vol fig art sec"
#define SHARED_FINAL "etc al"

static const struct sentence_rules rules[] = {
    {.language = "",
     .inner = SHARED_INNER,
     .number = SHARED_NUMBER,
     .final = SHARED_FINAL,
     .starters = "",
     .words = ""},
    {.language = "en",
     .inner = SHARED_INNER
     " messrs mx capt cmdr col gen gov hon lt maj sen rep sgt pres supt adm brig cpl fr mt ft "
     "e.g i.e viz ca approx est dept univ assn bros",
     .number = SHARED_NUMBER
     " nos ch chap eq ex ed eds para pt sect ser tab jan feb mar apr jun jul aug sep sept oct nov "
     "dec mon tue tues wed thu thurs fri sat sun tel ext fl",
     .final = SHARED_FINAL
     " inc ltd corp co llc plc jr sr esq a.m p.m ph.d m.d b.a m.a b.sc m.sc u.s u.k u.n e.u u.s.a "
     "d.c b.c a.d c.e b.c.e ave blvd rd hwy ibid min max",
     .starters = "The A An He She It We You They I This That These Those There Here In On At But "
                 "And So If When While What Who Why How Where Which Then Now Today Tomorrow "
                 "Yesterday However His Her My Our Your Their Its After Before Since As For From "
                 "No Not Do Does Did Is Are Was Were Will Would Can Could Please Let Nobody "
                 "Everyone Some Many Most",
     .words = "I"},
    {.language = "fr",
     .inner = SHARED_INNER
     " m mm mmes mlles mgrs me ste ss drs prs gal col lt cdt sgt env ex chap r.-v b.p c.p "
     "f\xc3\xa9"
     "d c.-\xc3\xa0-d",
     .number =
         SHARED_NUMBER " n t pp chap \xc3\xa9"
                       "d par tabl sect t\xc3\xa9l janv f\xc3\xa9vr avr juil sept oct nov d\xc3\xa9"
                       "c lun mar mer jeu ven sam dim",
     .final = SHARED_FINAL " s.a s.a.r.l cie ch-l j.-c bd av boul u.e o.n.u \xc3\xa9.-u r.-u",
     .starters =
         "Le La Les L\xe2\x80\x99 Un Une Des Il Elle Ils Elles On Je Tu Nous Vous Ce Cet "
         "Cette Ces C'est Dans Sur Mais Et Donc Or Si Quand Que Qui Pourquoi Comment O\xc3\xb9 "
         "Alors Puis Maintenant Aujourd'hui Demain Hier Cependant Son Sa Ses Mon Ma Mes "
         "Notre Votre Leur Apr\xc3\xa8s Avant Depuis Comme Pour Non Oui Y Personne Voici "
         "Voil\xc3\xa0",
     .words = "Y"},
    {.language = "de",
     .inner = SHARED_INNER
     " hr fr frl hrn dipl ing z.b d.h u.a i.d.r i.a z.t z.zt u.u v.a s.o s.u o.g o.\xc3\xa4 bzw ca "
     "evtl ggf inkl exkl zzgl vgl sog ehem geb gest verh lfd bspw insb bes einschl gem lt mind max "
     "sen phil med jur rer nat hl",
     .number = SHARED_NUMBER " abb abs anm aufl bd bde hrsg jg jh kap s st tab tel z ziff ab jan "
                             "feb m\xc3\xa4r apr jun jul "
                             "aug sept okt nov dez mo di mi do fr sa so",
     .final = SHARED_FINAL
     " usw usf u.v.m o.\xc3\xa4 u.dgl v.chr n.chr str jr sr min std mio mrd stk gmbh co",
     .starters =
         "Der Die Das Den Dem Ein Eine Einen Er Sie Es Wir Ihr Ich Du Dies Diese Dieser "
         "Dieses Jene Da Dort Hier In Im Am An Auf Aber Und Oder Wenn Als Was Wer Warum Wie "
         "Wo Dann Nun Jetzt Heute Morgen Gestern Doch Sein Seine Ihre Mein Meine Unser "
         "Nach Vor Seit F\xc3\xbcr Nein Ja Nicht Niemand Bitte Man",
     .words = "",
     .ordinals = true},
};

const struct sentence_rules *sentence_rules_of(const char *language)
{
    size_t len = language ? strcspn(language, "-_") : 0;
    for (size_t i = 1; i < sizeof rules / sizeof rules[0]; i++)
        if (strlen(rules[i].language) == len && strncmp(rules[i].language, language, len) == 0)
            return &rules[i];
    return &rules[0];
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same(const char *a, const char *b, size_t len, bool fold)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && (!fold || a[i] != lower(b[i])))
            return false;
    return true;
}

/* Whether `word` is one of the list's, which are parted by single spaces. */
static bool has(const char *list, const char *word, size_t len, bool fold)
{
    while (*list) {
        size_t size = strcspn(list, " ");
        if (size == len && is_same(list, word, len, fold))
            return true;
        list += size + (list[size] == ' ');
    }
    return false;
}

enum abbreviation abbreviation_find(const struct sentence_rules *own, const char *word, size_t len)
{
    if (has(own->final, word, len, true))
        return ABBREVIATION_FINAL;
    if (has(own->number, word, len, true))
        return ABBREVIATION_NUMBER;
    return has(own->inner, word, len, true) ? ABBREVIATION_INNER : ABBREVIATION_NONE;
}

bool abbreviation_is_starter(const struct sentence_rules *own, const char *word, size_t len)
{
    return has(own->starters, word, len, false);
}

bool abbreviation_has_ordinals(const struct sentence_rules *own)
{
    return own->ordinals;
}

bool abbreviation_is_word(const struct sentence_rules *own, char letter)
{
    return has(own->words, &letter, 1, false);
}
