/* SPDX-License-Identifier: MIT */
/*
 * micro_boost.cpp - measures of bench/micro with Boost.Fiber, and a bare switch of Boost.Context.
 *
 * A measure is missing where Boost.Fiber has no such thing: semaphores, cancellation, timeouts
 * around code, a loop of events. Stacks are of 64 KiB unless --stack says otherwise, and have no
 * guards: with those (protected_fixedsize_stack) 100,000 fibers need more mappings than the kernel
 * allows. Each measure uses the allocator that is best for it: fixedsize_stack, or
 * pooled_fixedsize_stack where many stacks are used again.
 */
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/fiber/all.hpp>

#include "../micro/measure.h"

namespace
{

namespace fibers = boost::fibers;
namespace context = boost::context;

constexpr int yields_before = 2; /* until all fibers have started */
constexpr int warm_repeats = 3;
constexpr double sleep_max_ns = 0.5e9;

using fixed_stacks = fibers::fixedsize_stack;
using pooled_stacks = fibers::pooled_fixedsize_stack;

size_t stack_size(const struct bench *bench)
{
    constexpr size_t usual = 65536; /* more than that, and malloc maps each stack */

    return bench->stack_size > 0 ? bench->stack_size : usual;
}

/* A fiber that starts later, not inside the call. */
template <typename Stacks, typename Function>
fibers::fiber make(Stacks &stacks, Function &&function)
{
    return fibers::fiber(fibers::launch::post, std::allocator_arg, stacks,
                         std::forward<Function>(function));
}

double all_rounds(const struct bench *bench)
{
    return static_cast<double>(bench->count) * static_cast<double>(bench->rounds);
}

void yield_some(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++)
        boost::this_fiber::yield();
}

void join(std::vector<fibers::fiber> &all)
{
    for (fibers::fiber &fiber : all)
        fiber.join();
}

/* The clock runs from the first fiber's third turn on, when all of them have started. */
int bench_yield(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));
    std::vector<fibers::fiber> all;

    all.reserve(bench->count);
    for (size_t i = 0; i < bench->count; i++) {
        all.push_back(make(stacks, [bench, first = i == 0] {
            yield_some(yields_before);
            if (first)
                bench_start(bench);
            yield_some(bench->rounds);
            if (first)
                bench_stop(bench);
        }));
    }
    join(all);
    bench->ops = all_rounds(bench);
    return 0;
}

/* Without a scheduler: to a context and back. */
int bench_context_switch(struct bench *bench)
{
    context::fiber other{[](context::fiber &&caller) {
        for (;;)
            caller = std::move(caller).resume();
        return std::move(caller);
    }};

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds; i++)
        other = std::move(other).resume();
    bench_stop(bench);
    bench->ops = 2.0 * static_cast<double>(bench->rounds);
    return 0;
}

int bench_spawn_join(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds; i++)
        make(stacks, [] {}).join();
    bench_stop(bench);
    bench->ops = static_cast<double>(bench->rounds);
    return 0;
}

/* Fibers that start, count themselves and wait until they are released. */
class crowd
{
  public:
    /* What they do then; with a limit, they wait no longer than that. */
    template <typename Stacks, typename Function>
    void start(Stacks &stacks, size_t count, Function then, std::chrono::hours limit = no_limit)
    {
        all.reserve(count);
        for (size_t i = 0; i < count; i++)
            all.push_back(make(stacks, [this, then, limit] {
                ready++;
                wait(limit);
                then();
            }));
        while (ready < count)
            boost::this_fiber::yield();
    }

    void release_and_join()
    {
        {
            std::lock_guard<fibers::mutex> hold(lock);
            released = true;
        }
        release.notify_all();
        join(all);
    }

  private:
    static constexpr std::chrono::hours no_limit{0};

    void wait(std::chrono::hours limit)
    {
        std::unique_lock<fibers::mutex> hold(lock);

        if (limit == no_limit)
            release.wait(hold, [this] { return released; });
        else
            release.wait_for(hold, limit, [this] { return released; });
    }

    std::vector<fibers::fiber> all;
    size_t ready = 0;
    bool released = false;
    fibers::mutex lock;
    fibers::condition_variable release;
};

template <typename Stacks> void spawn_once(struct bench *bench, Stacks &stacks)
{
    crowd all;

    bench_start(bench);
    all.start(stacks, bench->count, [] {});
    all.release_and_join();
    bench_stop(bench);
}

/* All fibers live at once: each waits until the last has started. */
int bench_spawn_cold(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));

    spawn_once(bench, stacks);
    bench->ops = static_cast<double>(bench->count);
    return 0;
}

/* The mean of three after a first. */
int bench_spawn_warm(struct bench *bench)
{
    pooled_stacks stacks(stack_size(bench));

    spawn_once(bench, stacks);
    bench->total = 0;
    for (int i = 0; i < warm_repeats; i++)
        spawn_once(bench, stacks);
    bench->ops = warm_repeats * static_cast<double>(bench->count);
    return 0;
}

template <typename Channel> int pass_items(struct bench *bench, Channel &channel)
{
    fixed_stacks stacks(stack_size(bench));
    bench_start(bench);
    uint64_t received = 0;
    uint64_t item = 0;
    fibers::fiber producer = make(stacks, [bench, &channel] {
        for (uint64_t i = 0; i < bench->rounds; i++)
            channel.push(i);
        channel.close();
    });

    while (channel.pop(item) == fibers::channel_op_status::success) {
        if (item != received++)
            return -1;
    }
    producer.join();
    bench_stop(bench);
    bench->ops = static_cast<double>(received);
    return received == bench->rounds ? 0 : -1;
}

/* A buffered channel keeps one slot free, and the number of slots is a power of two: the next one
 * would be twice as many as asked for, so there is room for one item less. */
int bench_memory_stream(struct bench *bench)
{
    if (bench->count == 0) {
        fibers::unbuffered_channel<uint64_t> channel;

        return pass_items(bench, channel);
    }
    size_t slots = 2;
    while (slots < bench->count)
        slots *= 2;
    fibers::buffered_channel<uint64_t> channel(slots);
    return pass_items(bench, channel);
}

int bench_lock_free(struct bench *bench)
{
    fibers::mutex lock;

    bench_start(bench);
    for (uint64_t i = 0; i < bench->rounds; i++) {
        lock.lock();
        lock.unlock();
    }
    bench_stop(bench);
    bench->ops = static_cast<double>(bench->rounds);
    return 0;
}

/* Each holder lets the others run, so that they queue up. */
int bench_lock_contended(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));
    bench_start(bench);
    std::vector<fibers::fiber> all;
    fibers::mutex lock;

    for (size_t i = 0; i < bench->count; i++)
        all.push_back(make(stacks, [bench, &lock] {
            for (uint64_t round = 0; round < bench->rounds; round++) {
                std::lock_guard<fibers::mutex> hold(lock);
                boost::this_fiber::yield();
            }
        }));
    join(all);
    bench_stop(bench);
    bench->ops = all_rounds(bench);
    return 0;
}

/* A flag that one fiber sets and another waits for and takes back. */
class flag
{
  public:
    void set()
    {
        {
            std::lock_guard<fibers::mutex> hold(lock);
            is_set = true;
        }
        changed.notify_one();
    }

    void wait()
    {
        std::unique_lock<fibers::mutex> hold(lock);

        changed.wait(hold, [this] { return is_set; });
        is_set = false;
    }

  private:
    bool is_set = false;
    fibers::mutex lock;
    fibers::condition_variable changed;
};

/* Two fibers that wake each other in turn. */
int bench_event_wake(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));
    bench_start(bench);
    flag ping;
    flag pong;
    fibers::fiber answering = make(stacks, [bench, &ping, &pong] {
        for (uint64_t i = 0; i < bench->rounds; i++) {
            ping.wait();
            pong.set();
        }
    });

    for (uint64_t i = 0; i < bench->rounds; i++) {
        ping.set();
        pong.wait();
    }
    answering.join();
    bench_stop(bench);
    bench->ops = 2.0 * static_cast<double>(bench->rounds);
    return 0;
}

/* From the release to the end of the last of `count` waiters. */
int bench_event_wake_all(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));

    for (uint64_t i = 0; i < bench->rounds; i++) {
        crowd all;

        all.start(stacks, bench->count, [] {});
        bench_start(bench);
        all.release_and_join();
        bench_stop(bench);
    }
    bench->ops = all_rounds(bench);
    return 0;
}

/* From the moment all fibers begin to sleep, 0 to 0.5 s each, until the last has ended. */
int bench_sleep(struct bench *bench)
{
    fixed_stacks stacks(stack_size(bench));
    crowd all;
    uint64_t state = RANDOM_START;

    all.start(stacks, bench->count, [&state] {
        boost::this_fiber::sleep_for(
            std::chrono::nanoseconds(static_cast<int64_t>(random_next(&state) * sleep_max_ns)));
    });
    bench_start(bench);
    all.release_and_join();
    bench_stop(bench);
    bench->ops = static_cast<double>(bench->count);
    return 0;
}

int fall_asleep(struct bench *bench)
{
    double before = memory_bytes();
    fixed_stacks stacks(stack_size(bench));
    size_t ready = 0;

    for (size_t i = 0; i < bench->count; i++) {
        make(stacks, [&ready] {
            ready++;
            boost::this_fiber::sleep_for(std::chrono::hours(1));
        }).detach();
    }
    while (ready < bench->count)
        boost::this_fiber::yield();
    bench->total = memory_bytes() - before;
    return 0;
}

/* In a process that ends with its fibers asleep. */
int bench_task_memory(struct bench *bench)
{
    int rc = measure_in_children(bench, fall_asleep);

    bench->ops = static_cast<double>(bench->count);
    return rc;
}

const struct measure measures[] = {
    {"yield", "yield_1", 1, "ns", 0, false, false, bench_yield},
    {"yield", "yield_2", 2, "ns", 0, false, false, bench_yield},
    {"yield", "yield_1000", 1000, "ns", 0, false, false, bench_yield},
    {"yield", "yield_100000", 100000, "ns", 0, false, false, bench_yield},
    {"context_switch", "context_switch", 2, "ns", 0, false, false, bench_context_switch},
    {"spawn_join", "spawn_join", 1, "ns", 0, false, false, bench_spawn_join},
    {"spawn_cold", "spawn_cold", 100000, "ns", 0, true, false, bench_spawn_cold},
    {"spawn_warm", "spawn_warm", 100000, "ns", 0, true, false, bench_spawn_warm},
    {"memory_stream", "memory_stream_0", 0, "ns", 0, false, false, bench_memory_stream},
    {"memory_stream", "memory_stream_128", 128, "ns", 0, false, false, bench_memory_stream},
    {"lock_free", "lock_free", 1, "ns", 0, false, false, bench_lock_free},
    {"lock_contended", "lock_contended", 10, "ns", 0, false, false, bench_lock_contended},
    {"event_wake", "event_wake", 2, "ns", 0, false, false, bench_event_wake},
    {"event_wake_all", "event_wake_all", 1000, "ns", 0, false, false, bench_event_wake_all},
    {"sleep", "sleep", 100000, "cpu ns", 0, true, false, bench_sleep},
    {"task_memory", "task_memory_100k", 100000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_100k_64k", 100000, "bytes", 64, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m", 1000000, "bytes", 0, true, false, bench_task_memory},
    {"task_memory", "task_memory_1m_64k", 1000000, "bytes", 64, true, false, bench_task_memory},
};

int micro_take(const struct measure *measure, struct bench *bench)
{
    int rc = -1;

    try {
        rc = measure_take(measure, bench);
        if (rc < 0)
            std::fprintf(stderr, "%s: items got lost\n", measure->name);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s: %s\n", measure->name, error.what());
    }
    return rc;
}

} /* namespace */

int main(int argc, char **argv)
{
    static const struct program program = {"micro_boost", measures,
                                           sizeof measures / sizeof measures[0], false, micro_take};

    return program_main(&program, argc, argv);
}
