// SPDX-License-Identifier: MIT

// A TLS peer for tests, of Go's crypto/tls: peer client|server NAME=VALUE...
//
// The NAMEs, all of which may be left out:
//
//	port         of a client's server
//	ca           file: who is trusted
//	cert, key    files; password: of the key (peer.py only)
//	name         a client's: of the server
//	alpn         protocols, with "," between
//	min, max     1.2 or 1.3
//	cipher       the only one for TLS 1.2
//	tickets      0: none
//	verify       a server's clients: none, optional, required
//	sni          NAME:CERT:KEY, a server's other certificate
//	connections  how many, one after the other; a client resumes the session before
//	do           echo, read (to the end), send or take the pattern of ../tls_side.h
//	bytes, piece of the data that is sent
//	close        notify: say the end of TLS and wait for the other side's; cut: close the socket;
//	             hurry: say the end and close the socket at once (this one only)
//
// It prints the lines
//
//	port N
//	handshake version=V cipher=C alpn=P sni=NAME reused=0|1 peer=NAME unique=HEX
//	failed WHY
//	data N, behind it "right" or "wrong" for a client's echo, and for "take"
//	end notify|cut|error WHY
//	closed notify|cut|error WHY
//	records in N largest N out N largest N (this one only)
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

var options = map[string]string{
	"port": "0", "name": "localhost", "min": "1.2", "max": "1.3", "tickets": "1", "verify": "none",
	"connections": "1", "do": "echo", "bytes": "6", "piece": "16384", "close": "notify",
}

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

var verify = map[string]tls.ClientAuthType{
	"none": tls.NoClientCert, "optional": tls.VerifyClientCertIfGiven,
	"required": tls.RequireAndVerifyClientCert,
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(name string) int {
	value, err := strconv.Atoi(options[name])
	check(err)
	return value
}

// counter counts the records of one direction: those of data, and alerts.
type counter struct {
	rest    []byte
	skip    int
	count   int
	largest int
	alerts  int
}

func (c *counter) see(data []byte) {
	for len(data) > 0 {
		if c.skip > 0 {
			n := c.skip
			if n > len(data) {
				n = len(data)
			}
			c.skip -= n
			data = data[n:]
			continue
		}
		c.rest = append(c.rest, data[0])
		data = data[1:]
		if len(c.rest) < 5 {
			continue
		}
		c.skip = int(c.rest[3])<<8 | int(c.rest[4])
		if c.rest[0] == 21 {
			c.alerts++
		}
		if c.rest[0] == 23 {
			c.count++
			if c.skip > c.largest {
				c.largest = c.skip
			}
		}
		c.rest = nil
	}
}

// wire is a connection whose records are counted.
type wire struct {
	net.Conn
	in, out counter
}

func (w *wire) Read(buf []byte) (int, error) {
	n, err := w.Conn.Read(buf)
	w.in.see(buf[:n])
	return n, err
}

func (w *wire) Write(data []byte) (int, error) {
	n, err := w.Conn.Write(data)
	w.out.see(data[:n])
	return n, err
}

func cipherNumber(name string) uint16 {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.Name == name {
			return suite.ID
		}
	}
	check(errors.New("unknown cipher: " + name))
	return 0
}

func certificate(cert, key string) tls.Certificate {
	pair, err := tls.LoadX509KeyPair(cert, key)
	check(err)
	return pair
}

func makeConfig() *tls.Config {
	config := &tls.Config{
		ServerName: options["name"], MinVersion: versions[options["min"]],
		MaxVersion: versions[options["max"]], ClientAuth: verify[options["verify"]],
		SessionTicketsDisabled: options["tickets"] == "0",
		ClientSessionCache:     tls.NewLRUClientSessionCache(8),
	}
	if options["ca"] != "" {
		text, err := os.ReadFile(options["ca"])
		check(err)
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(text)
		config.ClientCAs = config.RootCAs
	}
	if options["cert"] != "" {
		config.Certificates = []tls.Certificate{certificate(options["cert"], options["key"])}
	}
	if other := strings.Split(options["sni"], ":"); len(other) == 3 {
		config.Certificates = append(config.Certificates, certificate(other[1], other[2]))
	}
	if options["alpn"] != "" {
		config.NextProtos = strings.Split(options["alpn"], ",")
	}
	if options["cipher"] != "" {
		config.CipherSuites = []uint16{cipherNumber(options["cipher"])}
	}
	return config
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func sayHandshake(state tls.ConnectionState) {
	version := map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}
	peer := ""
	if len(state.PeerCertificates) > 0 {
		peer = state.PeerCertificates[0].Subject.CommonName
	}
	reused := 0
	if state.DidResume {
		reused = 1
	}
	fmt.Printf("handshake version=%s cipher=%s alpn=%s sni=%s reused=%d peer=%s unique=%s\n",
		version[state.Version], tls.CipherSuiteName(state.CipherSuite),
		orDash(state.NegotiatedProtocol), orDash(state.ServerName), reused, orDash(peer),
		orDash(fmt.Sprintf("%x", state.TLSUnique)))
}

func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte('0' + (i+i/61)%10)
		if i%64 == 63 {
			data[i] = '\n'
		}
	}
	return data
}

func sendPieces(connection io.Writer, data []byte, size int) error {
	for len(data) > 0 {
		n := size
		if n > len(data) {
			n = len(data)
		}
		if _, err := connection.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// endOf says how the data has ended. Go takes the end of the connection for that of TLS.
func endOf(err error, raw *wire) string {
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "error " + err.Error()
	}
	if raw.in.alerts == 0 {
		return "cut"
	}
	return "notify"
}

// take receives the pattern.
func take(connection *tls.Conn) {
	data := pattern(number("bytes"))
	received := make([]byte, len(data))
	n, err := io.ReadFull(connection, received)
	if err == nil && bytes.Equal(received, data) {
		fmt.Println("data", n, "right")
	} else {
		fmt.Println("data", n, "wrong", err)
	}
}

func clientEchoes(connection *tls.Conn) {
	go sendPieces(connection, pattern(number("bytes")), number("piece"))
	take(connection)
}

func serverEchoes(connection *tls.Conn, raw *wire) {
	n, err := io.CopyBuffer(struct{ io.Writer }{connection}, struct{ io.Reader }{connection},
		make([]byte, 65536))
	fmt.Println("data", n)
	fmt.Println("end", endOf(err, raw))
}

func talk(side string, connection *tls.Conn, raw *wire) {
	switch {
	case options["do"] == "echo" && side == "client":
		clientEchoes(connection)
	case options["do"] == "echo":
		serverEchoes(connection, raw)
	case options["do"] == "read":
		n, err := io.Copy(io.Discard, connection)
		fmt.Println("data", n)
		fmt.Println("end", endOf(err, raw))
	case options["do"] == "take":
		take(connection)
	case options["do"] == "send":
		check(sendPieces(connection, pattern(number("bytes")), number("piece")))
	}
}

func finish(connection *tls.Conn, raw *wire) {
	if options["close"] == "notify" {
		err := connection.CloseWrite()
		if err == nil {
			_, err = io.Copy(io.Discard, connection)
		}
		fmt.Println("closed", endOf(err, raw))
	} else if options["close"] == "hurry" {
		check(connection.CloseWrite())
	}
	raw.Close()
	fmt.Printf("records in %d largest %d out %d largest %d\n", raw.in.count, raw.in.largest,
		raw.out.count, raw.out.largest)
}

func run(side string, raw *wire, connection *tls.Conn) {
	if err := connection.Handshake(); err != nil {
		fmt.Println("failed", err)
		raw.Close()
		return
	}
	sayHandshake(connection.ConnectionState())
	talk(side, connection, raw)
	finish(connection, raw)
}

func main() {
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		options[name] = value
	}
	config := makeConfig()
	if os.Args[1] == "client" {
		for i := 0; i < number("connections"); i++ {
			raw, err := net.Dial("tcp", "127.0.0.1:"+options["port"])
			check(err)
			raw = &wire{Conn: raw}
			run("client", raw.(*wire), tls.Client(raw, config))
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	for i := 0; i < number("connections"); i++ {
		raw, err := listener.Accept()
		check(err)
		raw = &wire{Conn: raw}
		run("server", raw.(*wire), tls.Server(raw, config))
	}
}
