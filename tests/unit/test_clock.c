/* The clocks: monotonic time never goes back, wall time is the system's. */
#include <time.h>

#include "base/clock.h"
#include "unit.h"

static void monotonic_time_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_ns(), first = last;
    while (last - first < 1000000) {
        int64_t now = clock_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void wall_time_is_the_systems(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) - 1; /* time() may lag by a tick */
    int64_t now = clock_wall_ms();
    int64_t after = (int64_t)time(NULL) + 1;
    assert_true(now >= before * 1000);
    assert_true(now <= after * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_time_never_goes_back),
        cmocka_unit_test(wall_time_is_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
