/* SPDX-License-Identifier: MIT */
/*
 * tls_context.h - what one side of TLS connections knows and demands: its certificates, whom it
 * trusts, versions, ciphers, protocols. AnyIO: ssl.SSLContext.
 *
 * A context is made once, for many connections, and never changes but for its certificates. Any
 * number of loops in any number of threads may use one at the same time. Connections keep what they
 * need of it: it may be destroyed while they live.
 *
 * The defaults: TLS 1.2 or newer, ciphers with forward secrecy and authenticated encryption only,
 * no renegotiation, no compression; a client verifies the server's certificate against the system's
 * certificates and its name against the host name that it connects to.
 */
#ifndef ANYC_TLS_CONTEXT_H
#define ANYC_TLS_CONTEXT_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct anyc_tls_context anyc_tls_context;

/** Where a certificate or a key comes from: a file, or memory. PEM or DER, found out by itself. */
typedef struct anyc_tls_source {
    const char *file; /* a path; NULL: take `data` */
    const void *data; /* NULL too: there is none */
    size_t len;       /* bytes at `data` */
} anyc_tls_source;

/** A certificate of one's own, with its key. */
typedef struct anyc_tls_certificate {
    anyc_tls_source chain;    /* the certificate first, then those that lead to the CA (PEM) */
    anyc_tls_source key;      /* none: the key is in `chain` too (PEM) */
    const char *password;     /* of the key; NULL: it has none */
    const char *const *names; /* host names to use it for, ended by NULL, "*.example.org" included;
                               * NULL: those that are in the certificate */
} anyc_tls_certificate;

/** Must the peer show a certificate? */
typedef enum anyc_tls_verify {
    ANYC_TLS_VERIFY_DEFAULT = 0, /* a client: required, a server: none */
    ANYC_TLS_VERIFY_NONE,        /* none is asked for, or (client) it is not looked at */
    ANYC_TLS_VERIFY_OPTIONAL,    /* a client may have none, but no bad one; a server must */
    ANYC_TLS_VERIFY_REQUIRED
} anyc_tls_verify;

/** What can be wrong with a peer's certificate: bits. */
enum {
    ANYC_TLS_EXPIRED = 0x01,
    ANYC_TLS_REVOKED = 0x02,
    ANYC_TLS_WRONG_NAME = 0x04,  /* it does not name the host */
    ANYC_TLS_NOT_TRUSTED = 0x08, /* self-signed, or of an unknown CA, or its signature is bad */
    ANYC_TLS_MISSING = 0x40,     /* there is none */
    ANYC_TLS_OTHER = 0x100,
    ANYC_TLS_NOT_YET_VALID = 0x200,
    ANYC_TLS_WRONG_KEY_USAGE = 0x800,      /* it is not for this */
    ANYC_TLS_WRONG_EXT_KEY_USAGE = 0x1000, /* it is not for servers, or not for clients */
    ANYC_TLS_WRONG_CERT_TYPE = 0x2000,
    ANYC_TLS_WEAK_DIGEST = 0x4000,    /* signed with a digest that is no longer safe */
    ANYC_TLS_WEAK_ALGORITHM = 0x8000, /* or with such an algorithm */
    ANYC_TLS_WEAK_KEY = 0x10000       /* the key is too short, or on such a curve */
};

/** A certificate in DER form. */
typedef struct anyc_tls_der {
    const void *data;
    size_t len; /* bytes */
} anyc_tls_der;

/** What a verify function is shown. */
typedef struct anyc_tls_peer {
    const char *hostname;      /* that it should be, as it was given to the wrap; NULL: any */
    const anyc_tls_der *chain; /* as the peer sent it, its own certificate first */
    size_t chain_len;          /* certificates */
    uint32_t flags;            /* what anyc finds wrong (ANYC_TLS_EXPIRED ...); 0: nothing */
    const char *problem;       /* the same in words; "" */
} anyc_tls_peer;

/** Decides about a peer's certificate in place of anyc: 0 accepts it, a negative code (as a rule
 * ANYC_ETLS_CERTIFICATE) refuses it and is what the wrap answers. Runs in a worker thread, so that
 * it may block; it is no task. */
typedef int (*anyc_tls_verify_fn)(const anyc_tls_peer *peer, void *arg);

/** Are the costly parts of handshakes (about 2 ms of processor time each) done in worker threads? */
typedef enum anyc_tls_workers {
    ANYC_TLS_WORKERS_DEFAULT = 0, /* if there is more than one processor */
    ANYC_TLS_WORKERS_ON,
    ANYC_TLS_WORKERS_OFF
} anyc_tls_workers;

/** Versions of TLS, as on the wire. */
enum { ANYC_TLS_1_2 = 0x0303, ANYC_TLS_1_3 = 0x0304 };

/** What a context is to be; all zero means the defaults of a client. */
typedef struct anyc_tls_context_options {
    bool server_side;

    const anyc_tls_certificate *certificates; /* a server needs one at least; the first is used when
                                               * no other has the name that a client asks for */
    size_t certificate_count;

    anyc_tls_source ca;       /* certificates to trust */
    const char *ca_directory; /* a folder of such files, beside or instead of `ca`. Neither: a
                               * client trusts the system's (SSL_CERT_FILE, SSL_CERT_DIR, else the
                               * usual places; if there are none, nobody), a server nobody */
    anyc_tls_verify verify;
    bool no_hostname_check;         /* a client does not compare the server's name */
    anyc_tls_verify_fn verify_peer; /* decides instead; NULL: anyc does */
    void *verify_arg;               /* handed to it; must live as long as the context's streams */

    const char *const
        *alpn_protocols; /* "h2", "http/1.1" ..., the best first, ended by NULL. Without
                                        * a common one a server refuses the client (RFC 7301) */
    int min_version;     /* ANYC_TLS_1_2 ...; 0: 1.2 */
    int max_version;     /* 0: the newest that the library can do */
    const char *ciphers; /* for TLS 1.2: names by IANA, the best first, with ":"
                                        * between: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:..." */

    bool no_resumption;        /* every handshake is a full one */
    unsigned session_lifetime; /* seconds for which a session can be resumed; 0: 7200 */
    size_t session_cache_size; /* sessions that are remembered at most; 0: 1024 */

    const char *key_log_file; /* append the secrets of all connections, so that Wireshark can read
                               * them: getenv("SSLKEYLOGFILE"), as a rule. NULL: nothing */
    anyc_tls_workers workers;
} anyc_tls_context_options;

/**
 * Make a context.
 *
 * @param options      NULL or zero fields: defaults; everything is copied or read
 * @param out_context  the new context
 *
 * Returns: 0, or
 *   ANYC_ETLS    a certificate or key that cannot be read, a wrong password, a key that is not the
 *                certificate's, no certificate among those to trust; the message names the file
 *   -errno       a file cannot be opened
 *   ANYC_EINVAL  a server without a certificate, an unknown cipher or version, an empty name or
 *                protocol, a name of a protocol with more than 255 bytes, a verify function where
 *                nobody is verified
 *   -ENOTSUP     a version that the TLS library cannot do, a verify function with a library that
 *                was built without threads, or anyc was built without any
 *   ANYC_ENOMEM  out of memory
 * Owns:    the context is the caller's: end it with anyc_tls_context_destroy.
 * Cancel:  never suspends. It reads files: in a running loop call it by anyc_to_thread_run_sync.
 * Threads: any thread.
 * AnyIO:   ssl.create_default_context, ssl.SSLContext.
 */
ANYC_MUST_USE ANYC_API int anyc_tls_context_create(const anyc_tls_context_options *options,
                                                   anyc_tls_context **out_context);

/**
 * Give a context other certificates of its own, while it is in use: new handshakes show them, those
 * under way and open connections stay as they are. Sessions can still be resumed.
 *
 * @param context       any context
 * @param certificates  as in the options; read and copied
 * @param count         of them; a server needs one at least
 *
 * Returns: as anyc_tls_context_create; on an error the context is unchanged.
 * Owns:    nothing is taken.
 * Cancel:  never suspends. It reads files, as anyc_tls_context_create does.
 * Threads: any thread.
 * AnyIO:   SSLContext.load_cert_chain.
 */
ANYC_MUST_USE ANYC_API int
anyc_tls_context_replace_certificates(anyc_tls_context *context,
                                      const anyc_tls_certificate *certificates, size_t count);

/**
 * End a context. Streams and handshakes that use it keep what they need.
 *
 * @param context  any context, or NULL
 *
 * Owns:    takes it.
 * Cancel:  never suspends.
 * Threads: any thread, one at a time.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_tls_context_destroy(anyc_tls_context *context);

#ifdef __cplusplus
}
#endif

#endif
