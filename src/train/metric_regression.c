/* How far numbers are from those that they should be. The mean comes first, then the squares: sums
   of squares of large numbers would cancel. */
#include <math.h>

#include "train/metric.h"

struct metric_regression metric_regression(const double *actual, const double *predicted,
                                           size_t count)
{
    const double n = (double)count;
    struct metric_regression metric = {0};
    double mean_actual = 0, mean_predicted = 0;
    double actual_squares = 0, predicted_squares = 0, products = 0;
    for (size_t i = 0; i < count; i++) {
        const double error = predicted[i] - actual[i];
        metric.mse += error * error / n;
        metric.mae += fabs(error) / n;
        mean_actual += actual[i] / n;
        mean_predicted += predicted[i] / n;
    }
    for (size_t i = 0; i < count; i++) {
        const double a = actual[i] - mean_actual, p = predicted[i] - mean_predicted;
        actual_squares += a * a / n;
        predicted_squares += p * p / n;
        products += a * p / n;
    }
    metric.rmse = sqrt(metric.mse);
    if (actual_squares > 0)
        metric.r2 = 1 - metric.mse / actual_squares;
    if (actual_squares > 0 && predicted_squares > 0)
        metric.correlation = products / sqrt(actual_squares * predicted_squares);
    return metric;
}
