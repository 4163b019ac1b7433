"""A remote: a bucket, a container or a folder in which names are listed, read and created only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlops_nb.errors import InvalidValueError, MissingPackageError, RemoteError
from mlops_nb.store.remotenames import find_kind
from mlops_nb.store.segments import Segment, parse_segment

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig, S3Config

MARKER = "remote.json"
LONGEST_DOCUMENT_BYTES = 16 * 1024 * 1024
MARKER_BYTES = b'{"format": 1, "kind": "mlops_nb remote"}\n'
_SCHEMES = ("s3", "gs", "az", "file")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_SECRETS = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL")


def show_url(url: str) -> str:
    """Give a URL without what may be secret in it: user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else parts.path


def _split_url(url: str) -> tuple[str, str, str]:
    expected = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER"
    hint = "Credentials are read from the environment, never from the URL."
    shown = show_url(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidValueError("remote", shown, expected, hint) from None
    path = unquote(parts.path)
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme == "file":
        good = parts.netloc in ("", "localhost") and path.startswith("/")
    else:
        good = parts.scheme in _SCHEMES and bool(_BUCKET.fullmatch(parts.netloc))
        good = good and not {".", ".."} & set(path.split("/")) and "//" not in path
    if not good or not is_plain or not (url + path).isprintable():
        raise InvalidValueError("remote", shown, expected, hint)
    return parts.scheme, parts.netloc, path


def _open_url(url: str, *, create: bool) -> ObjectStore:
    scheme, bucket, path = _split_url(url)
    try:
        from obstore.store import AzureStore, GCSStore, LocalStore, S3Store
    except ImportError:
        raise MissingPackageError("obstore", "remote", "A remote") from None
    prefix = path.strip("/") or None
    if scheme == "file":
        from urllib.request import url2pathname

        return LocalStore(url2pathname(urlsplit(url).path), mkdir=create)
    # The library's own patience is minutes, too long for somebody who waits for an answer.
    patience: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
    if scheme == "gs":
        return GCSStore(bucket, prefix=prefix, retry_config=patience)
    if scheme == "az":
        return AzureStore(bucket, prefix=prefix, retry_config=patience)
    # The server checks what arrives against a digest that travels with it.
    config: S3Config = {"checksum_algorithm": "SHA256"}
    return S3Store(bucket, prefix=prefix, config=config, retry_config=patience)


class Remote:
    """The few things that are asked of a remote.

    Parameters
    ----------
    url
        ``s3://``, ``gs://``, ``az://`` or ``file://``. Credentials come from the environment.
    create
        Make the folder of a ``file://`` remote.

    Raises
    ------
    InvalidValueError
        The URL is of another form.
    MissingPackageError
        The extra ``remote`` is not installed.
    RemoteError
        The remote cannot be reached.
    """

    def __init__(self, url: str, *, create: bool = False) -> None:
        self.url = show_url(url)
        try:
            self._store = _open_url(url, create=create)
        except (InvalidValueError, MissingPackageError):
            raise
        except Exception as error:  # noqa: BLE001 - obstore's errors share no base but this
            raise self._explain(error) from None

    def _explain(self, error: BaseException) -> RemoteError:
        # Only the first line: the rest repeats the request for people who debug the library.
        text = str(error).strip().partition("\n")[0][:300] or type(error).__name__
        for name, value in os.environ.items():
            if _SECRETS.search(name.upper()) and len(value) >= 4:
                text = text.replace(value, "...")
        text = re.sub(r"(://)[^/@\s]*@", r"\1", text)
        text = re.sub(r"(://[^\s?]*)\?\S*", r"\1", text)
        return RemoteError(
            self.url, text, "Check the address, the network and the credentials, then try again."
        )

    def has(self, key: str) -> bool:
        """Tell whether a name exists."""
        import obstore

        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        except Exception as error:  # noqa: BLE001 - see above
            raise self._explain(error) from None
        return True

    def list_keys(self, folder: str) -> Iterator[tuple[str, int]]:
        """Give every name below a folder, with its size."""
        import obstore

        try:
            for batch in obstore.list(self._store, prefix=folder, chunk_size=1000):
                for entry in batch:
                    yield entry["path"], entry["size"]
        except Exception as error:  # noqa: BLE001 - see above
            raise self._explain(error) from None

    def read(self, key: str, limit: int) -> bytes:
        """Read one name.

        Parameters
        ----------
        key
            As listed.
        limit
            A longer answer is not read.

        Returns
        -------
        bytes
            What is there; empty where it vanished or is too long.
        """
        import obstore

        try:
            found = obstore.get(self._store, key)
            return bytes(found.bytes()) if found.meta["size"] <= limit else b""
        except FileNotFoundError:
            return b""
        except Exception as error:  # noqa: BLE001 - see above
            raise self._explain(error) from None

    def create(self, key: str, data: bytes) -> bool:
        """Write a name that is not there yet.

        Parameters
        ----------
        key
            The name.
        data
            Its bytes.

        Returns
        -------
        bool
            False where the name was there: nothing is ever overwritten.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(self._store, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except Exception as error:  # noqa: BLE001 - see above
            raise self._explain(error) from None
        return True


def list_segments(remote: Remote, folder: str) -> tuple[dict[str, list[Segment]], list[str]]:
    """Give the parts of every file below a folder of a remote.

    Parameters
    ----------
    remote
        The remote.
    folder
        ``runs``, ``objects`` ...

    Returns
    -------
    files : dict
        Parts by path of the file. Names that are not exactly of the format are passed over.
    damaged : list of str
        Names whose size is not the one they tell.
    """
    files: dict[str, list[Segment]] = {}
    damaged = []
    for key, size in remote.list_keys(folder):
        path, _, name = key.rpartition("/")
        segment = parse_segment(name)
        kind = find_kind(path)
        if segment is None or kind is None or kind.shape == "document":
            continue
        if segment.is_last and kind.shape != "whole":
            continue
        if size != segment.end - segment.start:
            damaged.append(key)
        else:
            files.setdefault(path, []).append(segment)
    return files, damaged


def list_documents(remote: Remote, folder: str) -> list[str]:
    """Give the paths of the documents below a folder of a remote."""
    found = ((key, find_kind(key)) for key, _ in remote.list_keys(folder))
    return [key for key, kind in found if kind is not None and kind.shape == "document"]


def pack_document(data: bytes) -> bytes:
    """Give a document as it is kept on a remote: its BLAKE3, a line break, its bytes."""
    from mlops_nb.store.objects import digest_bytes

    return digest_bytes(data).encode() + b"\n" + data


def unpack_document(data: bytes) -> bytes | None:
    """Give a document's bytes, None where they are not what its digest tells."""
    body = data[65:]
    return body if pack_document(body) == data else None
