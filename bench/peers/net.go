// SPDX-License-Identifier: MIT

// net.go - the servers of bench/ in Go: a goroutine a connection, as anyc has a task.
//
//	net_go echo [--port P | --unix PATH] [--udp] [--timeout SECONDS]
//	net_go http [--port P]
//
// The run-time uses as many CPUs as the process may run on, which bench/run.py makes one. Read
// buffers are as in examples/echo_server.c: small at first, a large one once it is of use.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	smallBytes = 1024
	largeBytes = 65536
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "net_go:", err)
	os.Exit(1)
}

func echo(connection net.Conn, timeout time.Duration) {
	defer connection.Close()
	buf := make([]byte, smallBytes)
	for {
		if timeout > 0 {
			connection.SetReadDeadline(time.Now().Add(timeout))
		}
		n, err := connection.Read(buf)
		if err != nil {
			return
		}
		if _, err := connection.Write(buf[:n]); err != nil {
			return
		}
		if n == smallBytes && len(buf) == smallBytes {
			buf = make([]byte, largeBytes)
		}
	}
}

func serveEcho(listener net.Listener, timeout time.Duration) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		go echo(connection, timeout)
	}
}

func serveDatagrams(socket *net.UDPConn, timeout time.Duration) {
	buf := make([]byte, largeBytes)
	for {
		if timeout > 0 {
			socket.SetReadDeadline(time.Now().Add(timeout))
		}
		n, from, err := socket.ReadFromUDPAddrPort(buf)
		if err == nil {
			socket.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

func serveHTTP(listener net.Listener) {
	hello := []byte("Hello, World!")
	handler := func(out http.ResponseWriter, request *http.Request) {
		header := out.Header()
		header["Date"] = nil // http_server sends none either
		header["Content-Type"] = []string{"text/plain"}
		header["Content-Length"] = []string{"13"}
		out.Write(hello)
	}
	fail(http.Serve(listener, http.HandlerFunc(handler)))
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("echo or http?"))
	}
	flags := flag.NewFlagSet("net_go", flag.ExitOnError)
	port := flags.Int("port", 0, "0: the system chooses")
	path := flags.String("unix", "", "listen there instead")
	udp := flags.Bool("udp", false, "datagrams instead of connections")
	seconds := flags.Float64("timeout", 0, "of each read; 0: none")
	flags.Parse(os.Args[2:])
	timeout := time.Duration(*seconds * 1e9)
	if *udp {
		socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: *port})
		if err != nil {
			fail(err)
		}
		fmt.Println("listening on", socket.LocalAddr())
		serveDatagrams(socket, timeout)
	}
	network, address := "tcp4", fmt.Sprintf("127.0.0.1:%d", *port)
	if *path != "" {
		network, address = "unix", *path
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		fail(err)
	}
	fmt.Println("listening on", listener.Addr())
	if os.Args[1] == "http" {
		serveHTTP(listener)
	}
	serveEcho(listener, timeout)
}
