"""What counts as a literal secret."""

from __future__ import annotations

import pytest

from gunilint.sensitive import is_literal_secret

REAL = [
    "n4bQgYhMfWWaL28",
    "9f86d081884c7d659a2feaa0c55ad015",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
    "t7Rk-92xq",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz",
    "@x8!k2&0zq)1p",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----",
]
OTHERS = [
    "", "true", "1", "s3cret", "postgres", "postgres123", "hunter2", "mypassword1", "correct-horse-battery",
    "changeme-9f86d081884c", "your-secret-key-1a2b3c", "xxxxxxxxxx", "12345678", "2024-01-31", "3600.5",
    "$SECRET", "${SECRET}", "abc${X}1d2e3f", "%d/credentials", "<your-token-9z>", "{{ secret_9f86d0 }}",
    "/run/secrets/db_9f86d0", "./secret/1a2b3c4d", "vault:secret/data/9f86d081", "arn:aws:sm:eu:1:s9f86d0",
    "op://vault/item1/field2", "file:///run/s3cr3t9", "https://auth1.example2.org/t0ken", "test_9f86d081884c",
    "django-insecure-9f86d081884c", "sk_test_51H8xYzQ9f86", "aaaaaaa1a1a1", "two w0rds 1n a",
    "ENC[AES256,9f86d081]", "***9f86d081***", "Summer-2024",
]  # fmt: skip


@pytest.mark.parametrize("text", REAL)
def test_random_text_is_a_secret(text: str) -> None:
    assert is_literal_secret(text)


@pytest.mark.parametrize("text", OTHERS)
def test_placeholder_reference_or_word_is_none(text: str) -> None:
    assert not is_literal_secret(text)


NAMES = [
    ("SECRET_KEY", True),
    ("DJANGO_SECRET_KEY", True),
    ("DB_PASSWORD", True),
    ("aws_secret_access_key", True),
    ("GITHUB_TOKEN", True),
    ("STRIPE_API_KEY", True),
    ("AWS_ACCESS_KEY_ID", False),
    ("SECRET_KEY_FILE", False),
    ("TOKEN_URL", False),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", False),
    ("JWT_PUBLIC_KEY", False),
    ("SECRETARY", False),
    ("PASSENGER", False),
    ("SENTRY_DSN", False),
    ("CACHE_KEY", False),
]


@pytest.mark.parametrize(("name", "found"), NAMES)
def test_names_of_secrets(lint_files, name: str, found: bool) -> None:
    files = {"prod.sh": f"#!/bin/sh\nexport {name}=n4bQgYhMfWWaL28\nexec gunicorn a:b\n"}
    codes = [finding.rule.code for finding in lint_files(files)]
    assert ("GU604" in codes) is found


@pytest.mark.parametrize(
    ("files", "places"),
    [
        ({"dev.sh": "#!/bin/sh\nexport TOKEN=n4bQgYhMfWW8\nexec gunicorn a:b\n"}, []),
        (
            {
                "run.sh": "#!/bin/sh\n. ./.env\nexport TOKEN\nexec gunicorn a:b\n",
                ".env": "TOKEN=n4bQgYhMfWW8\n",
            },
            [],
        ),
        (
            {
                "a.service": "[Service]\nEnvironmentFile=/srv/a/app.env\nWorkingDirectory=/srv/a\n"
                "ExecStart=/srv/a/venv/bin/gunicorn a:b\n",
                "app.env": "TOKEN=n4bQgYhMfWW8\n",
            },
            [],
        ),
        (
            {
                "run.sh": "#!/bin/sh\nKEY=n4bQgYhMfWW8\nexport TOKEN=$KEY\nexec gunicorn a:b\n",
            },
            [("run.sh", 2, 5)],
        ),
        (
            {"run.sh": "#!/bin/sh\nexec env TOKEN=n4bQgYhMfWW8 gunicorn -e PASSWD=k3J9xQ2mZp a:b\n"},
            [("run.sh", 2, 16), ("run.sh", 2, 48)],
        ),
    ],
)  # fmt: skip
def test_where_secrets_are_looked_for(lint_files, files, places) -> None:
    found = [
        (each.primary.span.source.path, each.primary.span.line, each.primary.span.column)
        for each in lint_files(files)
        if each.rule.code == "GU604"
    ]
    assert found == places
