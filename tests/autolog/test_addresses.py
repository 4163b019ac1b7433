"""What is written down of addresses and queries lets nobody in."""

from __future__ import annotations

import pytest

from mlops_nb.autolog.addresses import is_address, redact_address, redact_text
from mlops_nb.autolog.opened import read_request

SECRET = "s3cr3tPassw0rdXyz9"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/data/a.csv", "https://example.org/data/a.csv"),
        ("https://user:pw@host:8443/a.csv?page=2", "https://host:8443/a.csv?page=2"),
        ("https://ghp_abcdef@github.com/o/r/a.csv", "https://github.com/o/r/a.csv"),
        ("https://h/a?token=abc&format=csv#x", "https://h/a?token=***&format=csv"),
        ("https://h/a?sv=2024-01-01&sig=aB%2Fc", "https://h/a?sv=2024-01-01&sig=***"),
        ("s3://bucket/key.parquet", "s3://bucket/key.parquet"),
        ("postgresql+psycopg://me:pw@db:5432/sales", "postgresql+psycopg://db:5432/sales"),
        ("https://h/r/0123abcd0123abcd0123abcd0123abcd01234567/a.csv",) * 2,
        ("https://api.h/bot123456:AAEabcDEF123456789xyz/f.csv", "https://api.h/***/f.csv"),
        ("https://user:p/w@host/a.csv", "https:///a.csv"),
    ],
)
def test_addresses(url: str, expected: str) -> None:
    """Users, passwords, tokens and fragments go; hosts, paths and plain values stay."""
    assert redact_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        f"https://h/a?X-Amz-Signature={SECRET}&X-Amz-Security-Token={SECRET}",
        f"https://h/a?api_key={SECRET}",
        f"https://h/a?q={SECRET}",
        f"https://h/a?{SECRET}",
        f"https://h/{SECRET}/a.csv",
        f"https://me:{SECRET}@h/a",
        f"https://{SECRET}@h/a",
        f"https://h/a#access_token={SECRET}",
        f"https://h/a?x=1;password={SECRET}",
    ],
)
def test_a_secret_stands_nowhere(url: str) -> None:
    """A secret is hidden wherever it stands in an address."""
    assert SECRET not in redact_address(url)


@pytest.mark.parametrize(
    "text",
    [
        f"create user a identified by '{SECRET}'",
        f"create user a with password '{SECRET}'",
        f"create secret s (type s3, key_id 'K', secret '{SECRET}')",
        f"attach 'postgresql://me:{SECRET}@db/x' as y",
        f"Driver=x;Server=h;Pwd={SECRET};Database=d",
        f"host=h password={SECRET} dbname=d",
        f"select * from read_csv('https://h/a?token={SECRET}')",
    ],
)
def test_a_query_shows_no_secret(text: str) -> None:
    """A secret in a query or a connection string is hidden."""
    assert SECRET not in redact_text(text)


def test_a_query_is_kept() -> None:
    """A query without secrets is kept as it is, a very long one is cut."""
    text = "select a, count(*) from t where name = 'x' group by a"
    assert redact_text(text) == text
    assert len(redact_text("select " + "a, " * 5000)) == 2000


def test_addresses_are_told_from_paths() -> None:
    """A scheme and two slashes make an address; a drive or a path does not."""
    texts = ["https://h/a", "s3://b/k", "/data/a.csv", "c://a", "a:b"]
    assert [is_address(text) for text in texts] == [True, True, False, False, False]


def test_the_head_of_a_request() -> None:
    """The address is read from what http.client sends, and only from the head of a GET."""

    class HTTPSConnection:
        host, port = "example.org", 443

    asked = b"GET /a.csv?token=abc HTTP/1.1\r\nHost: example.org\r\n\r\n"
    assert read_request(HTTPSConnection(), asked) == "https://example.org/a.csv?token=abc"
    assert read_request(HTTPSConnection(), b"POST /a HTTP/1.1\r\n") is None
    assert read_request(HTTPSConnection(), "GET /a") is None
