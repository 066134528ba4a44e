/* Scores of classification, from counts of which label was taken for which. */
#include "train/metric.h"

#include <stdint.h>
#include "base/mem.h"

int metric_confusion_init(struct metric_confusion *confusion, size_t labels, struct err *err)
{
    confusion->labels = 0;
    confusion->counts = NULL;
    if (labels > 0 && labels > SIZE_MAX / labels)
        return err_set(err, ERR_LIMIT, "too many labels: %zu", labels);
    confusion->counts = mem_alloc(labels * labels, sizeof(*confusion->counts), err);
    if (confusion->counts == NULL)
        return ERR_MEMORY;
    confusion->labels = labels;
    return 0;
}

void metric_confusion_release(struct metric_confusion *confusion)
{
    mem_free(confusion->counts);
    confusion->counts = NULL;
    confusion->labels = 0;
}

void metric_confusion_add(struct metric_confusion *confusion, size_t actual, size_t predicted)
{
    confusion->counts[actual * confusion->labels + predicted]++;
}

struct metric_label metric_confusion_label(const struct metric_confusion *confusion, size_t label)
{
    struct metric_label result = {0};
    for (size_t i = 0; i < confusion->labels; i++) {
        result.actual += confusion->counts[label * confusion->labels + i];
        result.predicted += confusion->counts[i * confusion->labels + label];
    }
    result.correct = confusion->counts[label * confusion->labels + label];
    double correct = (double)result.correct;
    if (result.predicted > 0)
        result.precision = correct / (double)result.predicted;
    if (result.actual > 0)
        result.recall = correct / (double)result.actual;
    if (result.actual + result.predicted > 0)
        result.f1 = 2 * correct / (double)(result.actual + result.predicted);
    return result;
}

double metric_accuracy(const struct metric_confusion *confusion)
{
    size_t correct = 0, total = 0;
    for (size_t label = 0; label < confusion->labels; label++) {
        struct metric_label counts = metric_confusion_label(confusion, label);
        correct += counts.correct;
        total += counts.actual;
    }
    return total == 0 ? 0 : (double)correct / (double)total;
}

double metric_macro_f1(const struct metric_confusion *confusion)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t label = 0; label < confusion->labels; label++) {
        struct metric_label counts = metric_confusion_label(confusion, label);
        seen += counts.actual + counts.predicted > 0;
        sum += counts.f1;
    }
    return seen == 0 ? 0 : sum / (double)seen;
}
