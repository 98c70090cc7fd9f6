#!/bin/sh
export GUNICORN_CMD_ARGS="--max-requests 1000 --max-requests-jitter 100"
exec gunicorn --workers "${WORKERS:-3}" shop.wsgi
