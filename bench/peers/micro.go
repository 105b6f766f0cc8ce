// SPDX-License-Identifier: MIT

// micro.go - the measures of bench/micro with goroutines, channels, mutexes and contexts.
//
// Names, counts and units are those of bench/micro, so that bench/run.py can put them side by side.
// Where Go has no such thing (an event loop that is started and ended) the measure is missing. The
// stack of a goroutine grows by itself, so the size in a measure's name is that of other programs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A measure runs `rounds` rounds with `count` tasks or items and answers the time they took, in
// ns or CPU ns or bytes, and how many operations that was. A fixed one has exactly one round;
// otherwise rounds are doubled until they take longEnough.
type measure struct {
	family string
	name   string
	count  int
	unit   string
	fixed  bool
	run    func(count, rounds int) (total float64, ops int)
}

const longEnough = 100e6 // ns

var measures = []measure{
	{"yield", "yield_1", 1, "ns", false, yield},
	{"yield", "yield_2", 2, "ns", false, yield},
	{"yield", "yield_1000", 1000, "ns", false, yield},
	{"yield", "yield_100000", 100000, "ns", false, yield},
	{"yield_mixed", "yield_mixed", 2, "ns", false, yieldMixed},
	{"spawn_join", "spawn_join", 1, "ns", false, spawnJoin},
	{"spawn_cold", "spawn_cold", 100000, "ns", true, spawn},
	{"spawn_warm", "spawn_warm", 100000, "ns", true, spawnWarm},
	{"memory_stream", "memory_stream_0", 0, "ns", false, memoryStream},
	{"memory_stream", "memory_stream_128", 128, "ns", false, memoryStream},
	{"lock_free", "lock_free", 1, "ns", false, lockFree},
	{"lock_contended", "lock_contended", 10, "ns", false, lockContended},
	{"semaphore", "semaphore", 1, "ns", false, semaphore},
	{"event_wake", "event_wake", 2, "ns", false, eventWake},
	{"event_wake_all", "event_wake_all", 1000, "ns", false, eventWakeAll},
	{"sleep", "sleep", 100000, "cpu ns", true, sleep},
	{"timeout_noop", "timeout_noop", 1, "ns", false, timeoutNoop},
	{"timeout_checkpoint", "timeout_checkpoint", 1, "ns", false, timeoutCheckpoint},
	{"echo", "echo", 1, "ns", false, echo},
	{"echo_timeout", "echo_timeout", 1, "ns", false, echoTimeout},
	{"cancel", "cancel", 100000, "ns", true, cancelBlocked},
	{"million", "million", 1000000, "ns", true, million},
	{"to_thread", "to_thread", 1, "ns", false, toThread},
	{"task_memory", "task_memory_100k", 100000, "bytes", true, taskMemory},
	{"task_memory", "task_memory_100k_64k", 100000, "bytes", true, taskMemory},
	{"task_memory", "task_memory_1m", 1000000, "bytes", true, taskMemory},
	{"task_memory", "task_memory_1m_64k", 1000000, "bytes", true, taskMemory},
}

func since(start time.Time) float64 { return float64(time.Since(start).Nanoseconds()) }

// yield counts from the first goroutine's third turn on, when all of them have started.
func yield(count, rounds int) (float64, int) {
	const before = 2
	var done sync.WaitGroup
	var total float64
	done.Add(count)
	for i := 0; i < count; i++ {
		go func(first bool) {
			defer done.Done()
			for r := 0; r < before; r++ {
				runtime.Gosched()
			}
			start := time.Now()
			for r := 0; r < rounds; r++ {
				runtime.Gosched()
			}
			if first {
				total = since(start)
			}
		}(i == 0)
	}
	done.Wait()
	return total, count * rounds
}

// yieldMixed: the second goroutine runs other code.
func yieldMixed(_, rounds int) (float64, int) {
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		for r := 0; r <= rounds; r++ {
			runtime.Gosched()
		}
		done.Done()
	}()
	runtime.Gosched()
	start := time.Now()
	for r := 0; r < rounds; r++ {
		runtime.Gosched()
	}
	total := since(start)
	done.Wait()
	return total, 2 * rounds
}

func spawnJoin(_, rounds int) (float64, int) {
	var done sync.WaitGroup
	start := time.Now()
	for r := 0; r < rounds; r++ {
		done.Add(1)
		go done.Done()
		done.Wait()
	}
	return since(start), rounds
}

// spawn starts goroutines that all live at once: each blocks until the last has started.
func spawn(count, _ int) (float64, int) {
	var ready, done sync.WaitGroup
	release := make(chan struct{})
	ready.Add(count)
	done.Add(count)
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			ready.Done()
			<-release
			done.Done()
		}()
	}
	ready.Wait()
	close(release)
	done.Wait()
	return since(start), count
}

// spawnWarm: the mean of three after a first.
func spawnWarm(count, rounds int) (float64, int) {
	const repeats = 3
	sum := 0.0
	spawn(count, rounds)
	for r := 0; r < repeats; r++ {
		total, _ := spawn(count, rounds)
		sum += total
	}
	return sum, repeats * count
}

func memoryStream(size, rounds int) (float64, int) {
	stream := make(chan int64, size)
	start := time.Now()
	go func() {
		for i := 0; i < rounds; i++ {
			stream <- int64(i)
		}
		close(stream)
	}()
	items := 0
	for range stream {
		items++
	}
	return since(start), items
}

func lockFree(_, rounds int) (float64, int) {
	var lock sync.Mutex
	shared := 0
	start := time.Now()
	for i := 0; i < rounds; i++ {
		lock.Lock()
		shared++
		lock.Unlock()
	}
	return since(start), shared
}

// lockContended yields inside the lock, so that the others queue up.
func lockContended(count, rounds int) (float64, int) {
	var lock sync.Mutex
	var done sync.WaitGroup
	done.Add(count)
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			for r := 0; r < rounds; r++ {
				lock.Lock()
				runtime.Gosched()
				lock.Unlock()
			}
			done.Done()
		}()
	}
	done.Wait()
	return since(start), count * rounds
}

func semaphore(_, rounds int) (float64, int) {
	tokens := make(chan struct{}, 10)
	start := time.Now()
	for i := 0; i < rounds; i++ {
		tokens <- struct{}{}
		<-tokens
	}
	return since(start), rounds
}

// eventWake: two goroutines wake each other in turn. A channel with room for one is an event that
// whoever waited for it resets by that; closing one and making another is several times dearer.
func eventWake(_, rounds int) (float64, int) {
	ping, pong := make(chan struct{}, 1), make(chan struct{}, 1)
	var done sync.WaitGroup
	done.Add(1)
	start := time.Now()
	go func() {
		for i := 0; i < rounds; i++ {
			<-ping
			pong <- struct{}{}
		}
		done.Done()
	}()
	for i := 0; i < rounds; i++ {
		ping <- struct{}{}
		<-pong
	}
	done.Wait()
	return since(start), 2 * rounds
}

func eventWakeAll(count, rounds int) (float64, int) {
	total := 0.0
	for r := 0; r < rounds; r++ {
		var ready, done sync.WaitGroup
		event := make(chan struct{})
		ready.Add(count)
		done.Add(count)
		for i := 0; i < count; i++ {
			go func() {
				ready.Done()
				<-event
				done.Done()
			}()
		}
		ready.Wait()
		runtime.Gosched()
		start := time.Now()
		close(event)
		done.Wait()
		total += since(start)
	}
	return total, count * rounds
}

func cpuTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// sleep: from the moment all tasks start to sleep, 0 to 0.5 s each, until the last has ended.
func sleep(count, _ int) (float64, int) {
	var ready, done sync.WaitGroup
	release := make(chan struct{})
	random := rand.New(rand.NewSource(1))
	ready.Add(count)
	done.Add(count)
	for i := 0; i < count; i++ {
		go func(delay time.Duration) {
			ready.Done()
			<-release
			time.Sleep(delay)
			done.Done()
		}(time.Duration(random.Float64() * 0.5e9))
	}
	ready.Wait()
	runtime.Gosched()
	start := cpuTime()
	close(release)
	done.Wait()
	return cpuTime() - start, count
}

func timeoutNoop(_, rounds int) (float64, int) {
	start := time.Now()
	for i := 0; i < rounds; i++ {
		_, cancel := context.WithTimeout(context.Background(), time.Second)
		cancel()
	}
	return since(start), rounds
}

func timeoutCheckpoint(_, rounds int) (float64, int) {
	start := time.Now()
	for i := 0; i < rounds; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if ctx.Err() != nil {
			panic("cancelled at once")
		}
		cancel()
	}
	return since(start), rounds
}

const messageBytes = 64

// socketPair: two connected streams.
func socketPair() (ends [2]net.Conn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	for i := 0; i < 2 && err == nil; i++ {
		file := os.NewFile(uintptr(fds[i]), "pair")
		ends[i], err = net.FileConn(file)
		file.Close()
	}
	if err != nil {
		panic(err)
	}
	return ends
}

// sendBack returns what comes, until the other end is closed.
func sendBack(conn net.Conn, timed bool) {
	buf := make([]byte, messageBytes)
	for {
		if timed {
			conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		}
		n, err := conn.Read(buf)
		if err == nil {
			_, err = conn.Write(buf[:n])
		}
		if err != nil {
			conn.Close()
			return
		}
	}
}

func echoMessages(rounds int, timed bool) (float64, int) {
	message, answer := make([]byte, messageBytes), make([]byte, messageBytes)
	ends := socketPair()
	go sendBack(ends[1], timed)
	start := time.Now()
	for i := 0; i < rounds; i++ {
		_, err := ends[0].Write(message)
		if timed {
			ends[0].SetReadDeadline(time.Now().Add(30 * time.Second))
		}
		if err == nil {
			_, err = io.ReadFull(ends[0], answer)
		}
		if err != nil {
			panic(err)
		}
	}
	total := since(start)
	ends[0].Close()
	return total, rounds
}

func echo(_, rounds int) (float64, int)        { return echoMessages(rounds, false) }
func echoTimeout(_, rounds int) (float64, int) { return echoMessages(rounds, true) }

func blockUntilCancelled(ctx context.Context, count int, done *sync.WaitGroup) {
	var ready sync.WaitGroup
	ready.Add(count)
	done.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			ready.Done()
			<-ctx.Done()
			done.Done()
		}()
	}
	ready.Wait()
	runtime.Gosched()
}

func cancelBlocked(count, _ int) (float64, int) {
	var done sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	blockUntilCancelled(ctx, count, &done)
	start := time.Now()
	cancel()
	done.Wait()
	return since(start), count
}

// million: spawned, asleep with a timer each, all cancelled.
func million(count, _ int) (float64, int) {
	var ready, done sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	ready.Add(count)
	done.Add(count)
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {
			timer := time.NewTimer(time.Hour)
			ready.Done()
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			done.Done()
		}()
	}
	ready.Wait()
	cancel()
	done.Wait()
	return since(start), count
}

// toThread: a request to a goroutine that owns an OS thread, and its answer.
func toThread(_, rounds int) (float64, int) {
	request, answer := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for value := range request {
			answer <- value
		}
	}()
	request <- 0
	<-answer
	start := time.Now()
	for i := 0; i < rounds; i++ {
		request <- i
		<-answer
	}
	total := since(start)
	close(request)
	return total, rounds
}

// memoryBytes is what is resident, page tables included.
func memoryBytes() float64 {
	total := 0.0
	for path, label := range map[string]string{
		"/proc/self/smaps_rollup": "Rss:", "/proc/self/status": "VmPTE:"} {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, label) {
				kib, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
				total += kib * 1024
			}
		}
	}
	return total
}

func taskMemory(count, _ int) (float64, int) {
	var ready sync.WaitGroup
	ready.Add(count)
	debug.FreeOSMemory()
	before := memoryBytes()
	for i := 0; i < count; i++ {
		go func() {
			ready.Done()
			time.Sleep(time.Hour)
		}()
	}
	ready.Wait()
	runtime.Gosched()
	return memoryBytes() - before, count
}

// tookLong: long enough, and not only because something else ran meanwhile.
func tookLong(total, totalOfHalf float64) bool {
	return total >= longEnough && total < 3*totalOfHalf
}

func (m *measure) report(count int) {
	rounds := 1
	totalOfHalf := float64(longEnough)
	total, ops := m.run(count, rounds)
	for !m.fixed && !tookLong(total, totalOfHalf) {
		totalOfHalf = total
		rounds *= 2
		total, ops = m.run(count, rounds)
	}
	fmt.Printf("{\"name\": %q, \"value\": %.3f, \"unit\": %q, \"count\": %d}\n",
		m.name, total/float64(ops), m.unit, count)
}

func selected(m *measure, names []string) bool {
	for _, name := range names {
		if name == m.name || name == m.family {
			return true
		}
	}
	return len(names) == 0
}

func main() {
	list := flag.Bool("list", false, "print the measures' names")
	override := flag.Int("count", 0, "tasks or items instead of the usual number")
	flag.Parse()
	seen := map[string]bool{}
	for i := range measures {
		m := &measures[i]
		if *list {
			fmt.Println(m.name)
			continue
		}
		if !selected(m, flag.Args()) || (*override > 0 && seen[m.family]) {
			continue
		}
		seen[m.family] = true
		if *override > 0 {
			m.report(*override)
		} else {
			m.report(m.count)
		}
	}
}
