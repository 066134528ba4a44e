/* From the parameters of a call to what a worker needs to know. */
#ifndef DRAGOMAN_SERVE_REQUEST_JOB_H
#define DRAGOMAN_SERVE_REQUEST_JOB_H

#include "serve/request_log.h"

/* Fills jobs[index] but for its mail, owner and stream. */
void request_job_fill(struct request *request, size_t index);

#endif
