// SPDX-License-Identifier: MIT

// tls_load.go - load for TLS echo servers. Prints "ready" when its connections are open, and in the
// end one line of JSON, as main.c does.
//
//	tls_load_go --port P --connections 50 --size 16384 --seconds 2 --server-pid PID
//	tls_load_go --port P --connections 1 --size 64 --pause 2ms --seconds 2
//	tls_load_go --port P --handshakes [--resume] --in-flight 50 --seconds 2
//
// Ping-pong over open connections, every byte is checked; or connect, shake hands, close, with the
// session of an earlier connection or without. A client in Go because its TLS takes far less
// processor time than that of the servers: one CPU of load keeps one CPU of server busy.
//
// It ends by itself: a timer bounds the whole run.
package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime/debug"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	patternPeriod = 251   // prime, so that a lost or doubled block is noticed
	sizeMax       = 65536 // more might not fit into the sockets while nobody reads
	lanes         = 250   // source addresses: closed connections keep their port for a while
	patience      = 10 * time.Second
	retryPause    = 10 * time.Millisecond
	errorsMax     = 1000
)

// Phases of a run.
const (
	warmingUp int32 = iota
	measuring
	over
)

type options struct {
	port        int
	connections int
	size        int
	pause       time.Duration
	handshakes  bool
	resume      bool
	inFlight    int
	seconds     float64
	warmup      float64
	serverPid   int
}

// What one worker saw; read by others only after its end.
type tally struct {
	durations []int64 // nanoseconds, of what ended in the measured time
	errors    int
	problem   error // the first one
}

type load struct {
	options
	config *tls.Config
	lane   int32 // of the next connection
	phase  int32
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "tls_load_go:", err)
	os.Exit(1)
}

// A first-time client: it takes the server's ticket, as browsers do, and loses it.
type forgetful struct{}

func (forgetful) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (forgetful) Put(string, *tls.ClientSessionState)        {}

// Every server has to do the same work, whatever it likes best: one version, one cipher. Of the two
// curves all of them take the first; the other one is that of the certificate.
func clientConfig(resume bool) *tls.Config {
	config := &tls.Config{
		InsecureSkipVerify:          true, // the server is measured, not the client
		ServerName:                  "localhost",
		MinVersion:                  tls.VersionTLS12,
		MaxVersion:                  tls.VersionTLS12,
		CipherSuites:                []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		CurvePreferences:            []tls.CurveID{tls.X25519, tls.CurveP256},
		DynamicRecordSizingDisabled: true, // full records from the beginning
		ClientSessionCache:          forgetful{},
	}
	if resume {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return config
}

func (l *load) is(phase int32) bool {
	return atomic.LoadInt32(&l.phase) == phase
}

func (l *load) finished(t *tally, started time.Time) {
	if l.is(measuring) {
		t.durations = append(t.durations, int64(time.Since(started)))
	}
}

func (t *tally) fail(err error) {
	t.errors++
	if t.problem == nil {
		t.problem = err
	}
}

// An established connection.
func (l *load) connect() (*tls.Conn, error) {
	lane := byte(atomic.AddInt32(&l.lane, 1) % lanes)
	source := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1+lane)}
	server := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: l.port}
	socket, err := net.DialTCP("tcp4", source, server)
	if err != nil {
		return nil, err
	}
	socket.SetDeadline(time.Now().Add(patience))
	connection := tls.Client(socket, l.config)
	if err := connection.Handshake(); err != nil {
		socket.Close()
		return nil, err
	}
	return connection, nil
}

// One message after another, until the run is over or one does not come back.
func (l *load) echo(connection *tls.Conn, t *tally) {
	defer connection.Close()
	pattern := make([]byte, patternPeriod+l.size)
	for i := range pattern {
		pattern[i] = byte(i % patternPeriod)
	}
	answer := make([]byte, l.size)
	for shift := 0; !l.is(over); shift = (shift + 1) % patternPeriod {
		message := pattern[shift : shift+l.size]
		time.Sleep(l.pause)
		started := time.Now()
		_, err := connection.Write(message)
		if err == nil {
			_, err = io.ReadFull(connection, answer)
		}
		if err == nil && !bytes.Equal(message, answer) {
			err = errors.New("the answer is not what was sent")
		}
		if err != nil {
			t.fail(err)
			return
		}
		l.finished(t, started)
	}
}

// One handshake after another. A latency runs from connect to the end of the handshake.
func (l *load) shakeHands(t *tally) {
	for !l.is(over) && t.errors < errorsMax {
		started := time.Now()
		connection, err := l.connect()
		if err == nil && connection.ConnectionState().DidResume != l.resume {
			err = errors.New("the server did not resume the session")
		}
		if err == nil {
			l.finished(t, started)
		} else {
			t.fail(err)
			time.Sleep(retryPause)
		}
		if connection != nil {
			connection.Close()
		}
	}
}

// Everything that needs no measuring; then the work of each worker.
func (l *load) prepare() ([]func(*tally), error) {
	if l.handshakes {
		if l.resume { // the session that all resume
			connection, err := l.connect()
			if err != nil {
				return nil, err
			}
			connection.Close()
		}
		work := make([]func(*tally), l.inFlight)
		for i := range work {
			work[i] = l.shakeHands
		}
		return work, nil
	}
	work := make([]func(*tally), l.connections)
	for i := range work {
		connection, err := l.connect()
		if err != nil {
			return nil, err
		}
		connection.SetDeadline(time.Now().Add(duration(l.warmup+l.seconds) + patience))
		work[i] = func(t *tally) { l.echo(connection, t) }
	}
	return work, nil
}

// What was used up to now.
type sample struct {
	when      time.Time
	serverCPU time.Duration
	ownCPU    time.Duration
}

// The processor-time clock of a process: clock_getcpuclockid(3). 0: of this one.
func processorTime(pid int) time.Duration {
	var ts syscall.Timespec
	_, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|2),
		uintptr(unsafe.Pointer(&ts)), 0)
	if failed != 0 {
		fail(fmt.Errorf("no process %d", pid))
	}
	return time.Duration(ts.Nano())
}

func (l *load) sample() sample {
	taken := sample{when: time.Now(), ownCPU: processorTime(0)}
	if l.serverPid > 0 {
		taken.serverCPU = processorTime(l.serverPid)
	}
	return taken
}

func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second))
}

// Let all workers run: what they saw, and what was used at the begin and end of the measured time.
func (l *load) run(work []func(*tally)) (all tally, begin, end sample) {
	var workers sync.WaitGroup
	tallies := make([]tally, len(work))
	for i := range work {
		workers.Add(1)
		go func(i int) {
			defer workers.Done()
			work[i](&tallies[i])
		}(i)
	}
	time.Sleep(duration(l.warmup))
	begin = l.sample()
	atomic.StoreInt32(&l.phase, measuring)
	time.Sleep(duration(l.seconds))
	atomic.StoreInt32(&l.phase, over)
	end = l.sample()
	workers.Wait()
	for i := range tallies {
		all.durations = append(all.durations, tallies[i].durations...)
		all.errors += tallies[i].errors
		if all.problem == nil {
			all.problem = tallies[i].problem
		}
	}
	return all, begin, end
}

// The duration, in microseconds, that this share of the sorted ones stay within.
func quantile(sorted []int64, share float64) float64 {
	index := int(math.Ceil(share*float64(len(sorted)))) - 1
	if index < 0 {
		index = 0
	}
	return float64(sorted[index]) / 1e3
}

func (l *load) mode() string {
	switch {
	case l.resume:
		return fmt.Sprintf(`"mode": "tls resumptions", "in_flight": %d`, l.inFlight)
	case l.handshakes:
		return fmt.Sprintf(`"mode": "tls handshakes", "in_flight": %d`, l.inFlight)
	default:
		return fmt.Sprintf(`"mode": "tls echo", "connections": %d, "size": %d`, l.connections,
			l.size)
	}
}

func (l *load) print(all tally, begin, end sample) {
	seconds := end.when.Sub(begin.when).Seconds()
	sorted := all.durations
	count := float64(len(sorted))
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	fmt.Printf(`{%s, "messages": %d, "seconds": %.4f, "rate": %.1f`, l.mode(), len(sorted), seconds,
		count/seconds)
	fmt.Printf(`, "p50_us": %.2f, "p99_us": %.2f, "p999_us": %.2f, "max_us": %.2f`,
		quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 0.999), quantile(sorted, 1))
	fmt.Printf(`, "errors": %d, "load_cpu_share": %.3f`, all.errors,
		(end.ownCPU-begin.ownCPU).Seconds()/seconds)
	if l.serverPid > 0 {
		used := (end.serverCPU - begin.serverCPU).Seconds()
		fmt.Printf(`, "server_cpu_us": %.4f, "server_cpu_share": %.3f`, used*1e6/count,
			used/seconds)
	}
	fmt.Println("}")
}

func parse() options {
	var o options
	flag.IntVar(&o.port, "port", 0, "of the server, on 127.0.0.1")
	flag.IntVar(&o.connections, "connections", 1, "that ping-pong")
	flag.IntVar(&o.size, "size", 64, "bytes of a message")
	flag.DurationVar(&o.pause, "pause", 0, "before each message")
	flag.BoolVar(&o.handshakes, "handshakes", false, "connect, shake hands, close")
	flag.BoolVar(&o.resume, "resume", false, "the session of an earlier connection")
	flag.IntVar(&o.inFlight, "in-flight", 50, "handshakes at once")
	flag.Float64Var(&o.seconds, "seconds", 1, "of measuring")
	flag.Float64Var(&o.warmup, "warmup", 0, "seconds before it")
	flag.IntVar(&o.serverPid, "server-pid", 0, "whose processor time is measured")
	flag.Parse()
	if flag.NArg() > 0 || o.port <= 0 || o.connections <= 0 || o.inFlight <= 0 || o.size <= 0 ||
		o.size > sizeMax || o.seconds <= 0 || o.seconds+o.warmup > 600 || o.resume && !o.handshakes {
		flag.Usage()
		os.Exit(2)
	}
	return o
}

func main() {
	l := &load{options: parse()}
	l.config = clientConfig(l.resume)
	debug.SetGCPercent(400) // it must not be short of processor time
	time.AfterFunc(duration(l.warmup+l.seconds)+4*patience, func() {
		fail(errors.New("no end"))
	})
	work, err := l.prepare()
	if err != nil {
		fail(err)
	}
	fmt.Println("ready")
	all, begin, end := l.run(work)
	if len(all.durations) == 0 {
		fail(fmt.Errorf("nothing was finished: %v", all.problem))
	}
	l.print(all, begin, end)
}
