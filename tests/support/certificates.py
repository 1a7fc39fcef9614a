"""Certificates for tests."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1 and localhost: its own authority."""

    file: Path
    server: ssl.SSLContext


def make_certificate(directory: Path, *names: x509.GeneralName, valid: tuple[int, int] = (-1, 1)) -> Certificate:
    """Make a key and a self-signed certificate for some names, or for 127.0.0.1 and localhost.

    It is `valid` from one day to another, counted from today.
    """
    key, file = directory / "key.pem", directory / "certificate.pem"
    private = ec.generate_private_key(ec.SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    here = (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost"))
    file.write_bytes(_certificate(private, names or here, valid).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)


def _certificate(
    key: ec.EllipticCurvePrivateKey, names: tuple[x509.GeneralName, ...], valid: tuple[int, int]
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin, end = (dt.datetime.now(dt.UTC) + dt.timedelta(days=days) for days in valid)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, end)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
