"""Pairwise masks: what a site sends looks like chance, and only the sum of all sites' does not.

Each pair of sites has a secret (X25519, RFC 7748), from which a key is derived for every question
(HKDF, RFC 5869) and of it a stream of numbers (ChaCha20, RFC 8439). The first of a pair adds them,
the other takes them away, mod 2⁶⁴ (Bonawitz et al. 2017, section 4, without the recovery of lost
sites). Experimental, until somebody from outside has reviewed it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tincture.errors import SettingError
from tincture.federation.question import Question
from tincture.io.extras import library
from tincture.io.files import write_secret

if TYPE_CHECKING:
    from tincture.federation.books import Share

KEY = "key"  # a site's secret, in the folder of its books: of one consortium, as these are
USED = "key.used"  # beside it: in which run
SIZE = 32  # bytes of keys
DOMAIN = b"tincture mask 1"
PURPOSE = "A site that sends masked sums"


def new_secret() -> bytes:
    """A secret key, of the operating system's generator."""
    return os.urandom(SIZE)


def public_of(secret: bytes) -> str:
    """The public key of a secret one, in hexadecimal digits, for the consortium file."""
    own = _x25519().X25519PrivateKey.from_private_bytes(secret)
    return str(own.public_key().public_bytes_raw().hex())


def create_secret(books: Path) -> str:
    """Write a secret key into the folder of a site's books, unless it has one; its public key.

    Raises
    ------
    ReleaseError
        If it cannot be written.
    SettingError
        If there is one that has served a run, or the library of ciphers is not installed.
    """
    if (books / USED).exists():
        raise SettingError(
            f"The key in {books} has served a run; make another in a new folder for the next."
        )
    if (books / KEY).exists():
        return public_of(read_secret(books))
    secret = new_secret()
    public = public_of(secret)
    write_secret(books / KEY, secret)
    return public


def read_secret(books: Path | None) -> bytes:
    """What `create_secret` wrote.

    Raises
    ------
    SettingError
        If it is not there.
    """
    try:
        secret = b"" if books is None else (books / KEY).read_bytes()
    except OSError:
        secret = b""
    if len(secret) != SIZE:
        raise SettingError(
            f"{books or 'The site'} holds no key of this site; the consortium sends masked sums, "
            "so name the folder in which `tincture site key` made it."
        )
    return secret


def bind_secret(books: Path, run: str) -> None:
    """Let a key serve one run alone: books that were begun anew would repeat its masks.

    Two vectors under one mask give away their difference, and so what changed between them.

    Parameters
    ----------
    books : path
    run : str
        Of the journal, which is the same when it goes on.

    Raises
    ------
    SettingError
        If the key was used in another.
    ReleaseError
        If this cannot be written down.
    """
    mark = books / USED
    if not mark.exists():
        write_secret(mark, run.encode())
    elif mark.read_bytes() != run.encode():
        raise SettingError(
            f"The key in {books} has served a run whose journal is no longer there, and would "
            "repeat its masks; make another in a new folder (`tincture site key`), and draft the "
            "consortium anew with it."
        )


class Masks:
    """One site's masks in one run.

    Parameters
    ----------
    name : str
        Of the site.
    keys : mapping
        Public keys of all sites, by name, as the consortium file pins them.
    secret : bytes
        The site's own.

    Raises
    ------
    SettingError
        If the secret is of another key than the consortium has, or another site's key is none.
    """

    def __init__(self, name: str, keys: dict[str, str], secret: bytes) -> None:
        if public_of(secret) != keys[name]:
            raise SettingError(
                f"The key of {name} is not the one that the consortium has; draft it with the keys "
                "that sites have made, or name the folder of this one's."
            )
        own = _x25519().X25519PrivateKey.from_private_bytes(secret)
        self._name = name
        self._shared = {other: _agreed(own, other, keys[other]) for other in keys if other != name}

    def of(self, question: Question, size: int) -> Share:
        """What is added to the site's share of an answer, (size,) mod 2⁶⁴; 0 over all sites.

        It is of this very question, to the last bit, so that masks cancel only where all sites
        answer the same one, and no two answers have one mask.
        """
        total = np.zeros(size, dtype=np.uint64)
        for other, shared in self._shared.items():
            pair = sorted((self._name, other))
            stream = _stream(shared, [question.run, question.digest, *pair], size)
            total += stream if pair[0] == self._name else np.uint64(0) - stream
        return total


def _stream(shared: bytes, context: list[str], size: int) -> Share:
    hashes = library("cryptography.hazmat.primitives.hashes", PURPOSE, extra="federated")
    hkdf = library("cryptography.hazmat.primitives.kdf.hkdf", PURPOSE, extra="federated")
    ciphers = library("cryptography.hazmat.primitives.ciphers", PURPOSE, extra="federated")
    info = b"\n".join([DOMAIN, *(part.encode() for part in context)])
    key = hkdf.HKDF(hashes.SHA256(), length=SIZE, salt=None, info=info).derive(shared)
    # The key is of one message, so that its nonce may be 0 (16 bytes with the counter).
    cipher = ciphers.Cipher(ciphers.algorithms.ChaCha20(key, bytes(16)), mode=None)
    content = cipher.encryptor().update(bytes(8 * size))
    return np.frombuffer(content, "<u8").astype(np.uint64)


def _agreed(own: Any, name: str, key: str) -> bytes:
    """The secret that two sites share."""
    try:
        theirs = _x25519().X25519PublicKey.from_public_bytes(bytes.fromhex(key))
        return bytes(own.exchange(theirs))
    except ValueError:  # of another length, or a point that has no secret with anybody
        pass
    raise SettingError(f"The key of {name} in the consortium is none; get the one that it made.")


def _x25519() -> Any:
    module = "cryptography.hazmat.primitives.asymmetric.x25519"
    return library(module, PURPOSE, extra="federated")
