#!/usr/bin/env bash
# Make the certificates and keys of the tests anew, in the folder of this script. README.md says
# what each is; they are committed, so this runs only when one is added. Needs openssl.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# The times of most certificates, as openssl ca takes them.
FROM=20200101000000Z
UNTIL=21200101000000Z

SERIAL=1
LOCALHOST='DNS:localhost, IP:127.0.0.1, IP:::1'

# make_key NAME [GENPKEY ARGS...]: NAME.key, P-256 unless told otherwise.
make_key() {
    local kind=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
    if [ $# -gt 1 ]; then
        kind=("${@:2}")
    fi
    openssl genpkey -quiet "${kind[@]}" -out "$1.key"
}

# write_config EXTENSION...: what openssl ca reads; each extension is a line "name = value".
write_config() {
    : >"$WORK/index"
    printf '%02X\n' "$SERIAL" >"$WORK/serial"
    cat >"$WORK/config" <<CONFIG
[ca]
default_ca = test_ca
[test_ca]
database = $WORK/index
serial = $WORK/serial
new_certs_dir = $WORK
default_md = sha256
policy = policy
unique_subject = no
x509_extensions = extensions
[policy]
commonName = supplied
[req]
prompt = no
distinguished_name = name
[name]
[extensions]
subjectKeyIdentifier = hash
CONFIG
    printf '%s\n' "$@" >>"$WORK/config"
}

# sign NAME COMMON_NAME KEY CA EXTENSION...: NAME.pem for the key, signed by CA ("self": by its own
# key), valid from $FROM until $UNTIL.
sign() {
    local signer=(-selfsign -keyfile "$3.key")
    if [ "$4" != self ]; then
        signer=(-cert "$4.pem" -keyfile "$4.key")
    fi
    write_config "${@:5}"
    openssl req -new -config "$WORK/config" -key "$3.key" -subj "/CN=$2" -out "$WORK/request"
    openssl ca -batch -notext -config "$WORK/config" -in "$WORK/request" "${signer[@]}" \
        -startdate "$FROM" -enddate "$UNTIL" -out "$1.pem" 2>"$WORK/log" || {
        cat "$WORK/log" >&2
        return 1
    }
    SERIAL=$((SERIAL + 1))
}

# sign_ca NAME COMMON_NAME CA: NAME.key too.
sign_ca() {
    make_key "$1"
    sign "$1" "$2" "$1" "$3" 'authorityKeyIdentifier = keyid' \
        'basicConstraints = critical, CA:true' 'keyUsage = critical, keyCertSign, cRLSign'
}

# sign_leaf NAME COMMON_NAME KEY CA USAGE [EXTENSION...]
sign_leaf() {
    sign "$1" "$2" "$3" "$4" 'authorityKeyIdentifier = keyid' \
        'basicConstraints = critical, CA:false' \
        'keyUsage = critical, digitalSignature, keyEncipherment' \
        "extendedKeyUsage = $5" "${@:6}"
}

# sign_server NAME KEY CA NAMES: the names that it is for, "" for none but the common name.
sign_server() {
    local common_name=${4%%,*}
    if [ -n "$4" ]; then
        sign_leaf "$1" "${common_name#DNS:}" "$2" "$3" serverAuth "subjectAltName = $4"
    else
        sign_leaf "$1" localhost "$2" "$3" serverAuth
    fi
}

make_authorities() {
    sign_ca ca 'anyc test CA' self
    sign_ca other_ca 'anyc test other CA' self
    sign_ca intermediate 'anyc test intermediate CA' ca
}

make_servers() {
    local name
    for name in localhost fass server_a server_b; do
        make_key "$name"
    done
    make_key localhost_rsa -algorithm RSA -pkeyopt rsa_keygen_bits:2048
    sign_server localhost localhost ca "$LOCALHOST"
    sign_server localhost_rsa localhost_rsa ca "$LOCALHOST"
    sign_server fass fass ca DNS:xn--fa-hia.de
    sign_server server_a server_a ca DNS:a.example
    sign_server server_b server_b ca DNS:b.example
    sign_server wildcard localhost ca 'DNS:*.wild.example'
    sign_server no_ip localhost ca DNS:localhost

    sign_server chain_intermediate localhost intermediate "$LOCALHOST"
    cat intermediate.pem >>chain_intermediate.pem
    rm intermediate.key
}

make_bad_servers() {
    make_key weak_rsa -algorithm RSA -pkeyopt rsa_keygen_bits:1024
    sign_server weak_rsa weak_rsa ca "$LOCALHOST"
    sign_server wildcard_wrong localhost ca \
        'DNS:a.*.wild.example, DNS:*wild.example, DNS:b*.wild.example, DNS:*.*.wild.example'
    sign_server self_signed localhost self "$LOCALHOST"
    sign_server unknown_ca localhost other_ca "$LOCALHOST"
    sign_server common_name_only localhost ca ''
    UNTIL=20210101000000Z sign_server expired localhost ca "$LOCALHOST"
    FROM=21100101000000Z sign_server not_yet localhost ca "$LOCALHOST"
    openssl x509 -in localhost.pem -badsig -out bad_signature.pem
}

make_clients() {
    make_key client
    sign_leaf client client client ca clientAuth
    sign_leaf client_unknown client client other_ca clientAuth
    UNTIL=20210101000000Z sign_leaf client_expired client client ca clientAuth
}

make_other_forms() {
    openssl x509 -in localhost.pem -outform DER -out localhost.der
    openssl pkey -in localhost.key -outform DER -out localhost.key.der
    openssl pkey -in localhost.key -traditional -aes-256-cbc -passout pass:secret \
        -out localhost_encrypted.key
}

rm -f ./*.pem ./*.key ./*.der
make_authorities
make_servers
make_bad_servers
make_clients
make_other_forms
chmod 644 ./*.key* # openssl hides keys; those of tests are no secret
