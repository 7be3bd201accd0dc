// Package tls takes the place of Go's crypto/tls in the Worker's program: what net/http names of it, and nothing that works. At the edge
// the platform speaks TLS, and a program without sockets never does; but Go's package is there for its initialisers alone, with certificates, curves and
// big numbers, a seventh of what the whole Worker weighed.
package tls

import (
	"context"
	"errors"
	"net"
)

var errNone = errors.New("tls: this program has none: the platform speaks it")

// VersionTLS12 and its like are the protocol's numbers.
const (
	VersionTLS12 = 0x0303
	VersionTLS13 = 0x0304
)

type Certificate struct{}

type ClientHelloInfo struct{}

type Config struct {
	Certificates       []Certificate
	GetCertificate     func(*ClientHelloInfo) (*Certificate, error)
	GetConfigForClient func(*ClientHelloInfo) (*Config, error)
	NextProtos         []string
	ServerName         string
}

func (c *Config) Clone() *Config {
	d := *c
	return &d
}

type ConnectionState struct {
	Version                    uint16
	CipherSuite                uint16
	NegotiatedProtocol         string
	NegotiatedProtocolIsMutual bool
	ServerName                 string
}

// Conn fails at its handshake, which comes before all else.
type Conn struct{ net.Conn }

func (c *Conn) NetConn() net.Conn                      { return c.Conn }
func (c *Conn) HandshakeContext(context.Context) error { return errNone }
func (c *Conn) VerifyHostname(string) error            { return errNone }
func (c *Conn) ConnectionState() ConnectionState       { return ConnectionState{} }

type RecordHeaderError struct {
	Msg          string
	RecordHeader [5]byte
	Conn         net.Conn
}

func (e RecordHeaderError) Error() string { return "tls: " + e.Msg }

func Client(conn net.Conn, _ *Config) *Conn { return &Conn{conn} }

func LoadX509KeyPair(_, _ string) (Certificate, error) { return Certificate{}, errNone }

// NewListener is called with a certificate, which [LoadX509KeyPair] has not given.
func NewListener(_ net.Listener, _ *Config) net.Listener { panic(errNone) }
