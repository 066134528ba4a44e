/* Jobs that are done in one go: classification, tagging, regression. */
#ifndef DRAGOMAN_SERVE_INSTANT_H
#define DRAGOMAN_SERVE_INSTANT_H

#include "serve/job.h"

/* Carries the job out; job->result is complete. */
void instant_run(struct job *job);

#endif
