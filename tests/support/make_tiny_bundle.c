/* make_tiny_bundle FOLDER: writes one tiny bundle of each kind below FOLDER, for black-box tests.
 */
#include <stdio.h>

#include "tiny_bundle.h"

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    if (argc != 2) {
        fprintf(stderr, "usage: make_tiny_bundle FOLDER\n");
        return 2;
    }
    if (tiny_bundle_write_all(argv[1], &err) < 0) {
        fprintf(stderr, "make_tiny_bundle: %s\n", err.message);
        return 1;
    }
    return 0;
}
