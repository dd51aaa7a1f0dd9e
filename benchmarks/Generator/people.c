#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_MEETINGS = 512 };

/// So many who come, of whom `begun` have asked.
struct arrival {
    char meeting[64];
    unsigned count, begun, rate, window;
    /// When the first one asked.
    uint64_t start;
};

static struct gathering gathering;
static struct person people[MAXIMUM_PEOPLE];
/// Those who asked; those of them who have arrived, from the first on without a gap; all who have.
static unsigned asked, settled, arrived;
/// The first one whose times were not told.
static unsigned untold;

static struct arrival arrivals[MAXIMUM_MEETINGS];
static unsigned arrival_count, arrival_at;

static struct {
    enum act kind;
    /// The first one to change something.
    unsigned first;
    unsigned count, begun;
    uint64_t period, next;
    /// When the last one was said, and how long the others took to hear each.
    uint64_t said;
    uint64_t delays[MAXIMUM_PEOPLE];
    unsigned delay_count;
} change;

// ---- times

static int compare(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/// `"NAME":[p50, p99, max]`, sorting `times`.
static void print_times(const char *name, uint64_t *times, unsigned count) {
    if (count == 0) return;
    qsort(times, count, sizeof *times, compare);
    printf(",\"%s\":[%lu,%lu,%lu]", name, times[(count - 1) / 2], times[(count - 1) * 99 / 100], times[count - 1]);
}

static void tell_arrivals(void) {
    static uint64_t placed[MAXIMUM_PEOPLE], connected[MAXIMUM_PEOPLE];
    unsigned count = asked - untold;
    uint64_t last = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct person *person = &people[untold + i];
        placed[i] = person->placed - person->asked;
        connected[i] = person->connected - person->asked;
        if (person->placed > last) last = person->placed;
        if (person->connected > last) last = person->connected;
    }
    printf("{\"arrived\":%u,\"took\":%lu", count, last - people[untold].asked);
    print_times("placed", placed, count);
    if (gathering.connects) print_times("connected", connected, count);
    printf("}\n");
    untold = asked;
}

// ---- who comes

/// People who are on their way in.
static unsigned under_way(void) { return asked - arrived; }

static void count_arrived(void) {
    arrived = settled;
    for (unsigned i = settled; i < asked; i++) {
        if (!person_arrived(&people[i])) continue;
        arrived++;
        if (i == settled) settled++;
    }
}

static void let_in(struct arrival *arrival, uint64_t now) {
    if (asked == MAXIMUM_PEOPLE) fail("more than %d people", MAXIMUM_PEOPLE);
    if (arrival->begun == 0) arrival->start = now;
    arrival->begun++;
    person_join(&people[asked], &gathering, asked, arrival->meeting, now);
    asked++;
}

static uint64_t arrive(uint64_t now) {
    while (arrival_at < arrival_count) {
        struct arrival *arrival = &arrivals[arrival_at];
        if (arrival->begun == arrival->count) {
            arrival_at++;
            continue;
        }
        if (arrival->rate == 0 && under_way() >= arrival->window) return NEVER;
        if (arrival->rate > 0 && arrival->begun > 0) {
            uint64_t due = arrival->start + (uint64_t)SECOND * arrival->begun / arrival->rate;
            if (now < due) return due;
        }
        let_in(arrival, now);
    }
    if (asked > untold && under_way() == 0) tell_arrivals();
    return NEVER;
}

// ---- who changes

static void note_delay(void) {
    if (change.begun == 0 || gathering.last_heard < change.said) return;
    change.delays[change.delay_count++ % MAXIMUM_PEOPLE] = gathering.last_heard - change.said;
}

static bool all_answered(void) {
    for (unsigned i = 0; i < asked; i++) {
        if (people[i].unanswered) return false;
    }
    return true;
}

static uint64_t make_changes(uint64_t now) {
    if (change.count == 0) return NEVER;
    while (change.begun < change.count && now >= change.next) {
        note_delay();
        person_change(&people[(change.first + change.begun) % asked], change.kind);
        change.said = now;
        change.begun++;
        change.next += change.period;
    }
    // The last one is given as long to be heard as the others.
    if (now < change.next) return change.next;
    if (!all_answered()) return NEVER;
    note_delay();
    printf("{\"changed\":%u", change.count);
    print_times("delays", change.delays, change.delay_count);
    printf("}\n");
    change.count = 0;
    return NEVER;
}

// ---- the program's side

void people_configure(int epoll, const struct people_plan *plan) {
    if (asked) fail("people are here already");
    gathering = (struct gathering){
        .epoll = epoll, .server = plan->server, .first = plan->first, .media = plan->media,
        .hello = template_load(plan->hello), .connects = plan->connects};
    snprintf(gathering.host, sizeof gathering.host, "%s", plan->host);
    if (strcmp(plan->offer, "-")) gathering.offer = template_load(plan->offer);
}

void people_join(unsigned count, const char *meeting, unsigned rate, unsigned window) {
    if (arrival_at == arrival_count) arrival_at = arrival_count = 0;
    if (arrival_count == MAXIMUM_MEETINGS) fail("more than %d meetings at once", MAXIMUM_MEETINGS);
    struct arrival *arrival = &arrivals[arrival_count++];
    *arrival = (struct arrival){.count = count, .rate = rate, .window = window};
    snprintf(arrival->meeting, sizeof arrival->meeting, "%s", meeting);
}

void people_change(enum act kind, unsigned first, unsigned count, double rate) {
    if (asked == 0) fail("nobody is here");
    change.kind = kind;
    change.first = first;
    change.count = count;
    change.begun = change.delay_count = 0;
    change.period = (uint64_t)(SECOND / rate);
    change.next = 0;
}

void people_dismiss(void) { gathering.is_over = true; }

uint64_t people_turn(uint64_t now) {
    uint64_t due = NEVER;
    for (unsigned i = 0; i < asked; i++) due = earlier(due, person_turn(&people[i], now));
    count_arrived();
    if (change.next == 0) change.next = now;
    due = earlier(due, arrive(now));
    return earlier(due, make_changes(now));
}

void people_report(void) {
    printf(
        "\"asked\":%u,\"arrived\":%u,\"heard\":%lu,\"frames\":%lu,\"bytes\":%lu", asked, arrived, gathering.heard,
        gathering.frames, gathering.bytes);
}
